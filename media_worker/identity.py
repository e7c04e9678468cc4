"""Who this worker is: an Ed25519 key pair and the id the platform gave it.

The private key is made here and never leaves. Enrolment happens once, with a one-time code that an
operator got from the platform; the code's file is deleted when it has been spent.
"""

from __future__ import annotations

import base64
import http.client
import json
import logging
import os
import ssl
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OKPKey
from pydantic import ValidationError

from foundation.wire.message import write
from foundation.wire.worker import ASSERTION_AUDIENCE, Enrol, Enrolled
from media_worker.settings import Settings

LOG = logging.getLogger("media_worker.identity")

#: The platform refuses assertions that live longer than 60 s.
ASSERTION_SECONDS = 50

#: The enrolment answer is two short fields; more is not the platform.
MAX_ANSWER_BYTES = 4_096

#: How long a platform that is not up yet is waited for, and how often it is tried.
REACH_SECONDS = 60.0
REACH_PAUSE_SECONDS = 0.2


class EnrolmentFailed(RuntimeError):
    """The platform did not enrol this worker; the text says why, never the code."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The worker's id and signing key, and where on the platform its link is."""

    worker: uuid.UUID
    link_path: str
    key: Ed25519PrivateKey

    def assertion(self, now: float, audience: str = ASSERTION_AUDIENCE) -> str:
        """A fresh JWT that proves this identity to one ``audience`` for less than a minute.

        ``now`` is the platform's time, in seconds since 1970.
        """
        claims: dict[str, str | int] = {
            "iss": str(self.worker),
            "aud": audience,
            "iat": int(now),
            "exp": int(now) + ASSERTION_SECONDS,
            "jti": str(uuid.uuid4()),
        }
        pem = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        header = {"alg": "Ed25519", "kid": str(self.worker)}
        return jwt.encode(header, claims, OKPKey.import_key(pem), algorithms=["Ed25519"])


def tls_context(settings: Settings) -> ssl.SSLContext:
    """TLS 1.2 or better, verified against ``ca_file`` or, without one, the system's roots.

    With ``pinned_file`` exactly the first certificate in it is accepted, whatever it is called: a
    worker on the platform's machine dials ``localhost``, which a hospital's certificate names not.
    """
    if settings.pinned_file is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it need not be a root
        begin, end = ssl.PEM_HEADER, ssl.PEM_FOOTER
        pem = settings.pinned_file.read_text(encoding="ascii", errors="replace")
        first = pem[pem.find(begin) : pem.find(end) + len(end)]
        context.load_verify_locations(cadata=first)
    else:
        context = ssl.create_default_context(
            cafile=str(settings.ca_file) if settings.ca_file is not None else None
        )
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def load_or_enrol(settings: Settings) -> Identity:
    """The stored identity, or a new one by spending the enrolment code. Blocks on the network.

    Raises EnrolmentFailed.
    """
    if settings.identity_file.exists():
        return _load(settings.identity_file)
    code = settings.enrolment_code
    if settings.enrolment_file is not None and settings.enrolment_file.is_file():
        code = settings.enrolment_file.read_text(encoding="ascii", errors="replace").strip()
    if not code:
        raise EnrolmentFailed(
            "not enrolled: put a one-time code into CONSILIUM_WORKER_ENROLMENT_FILE"
        )
    identity = _enrol(settings, code)
    _store(settings.identity_file, identity)
    if settings.enrolment_file is not None:
        settings.enrolment_file.unlink(missing_ok=True)
    LOG.info("enrolled as %s", identity.worker)
    return identity


def _enrol(settings: Settings, code: str) -> Identity:
    key = Ed25519PrivateKey.generate()
    public = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()
    try:
        request = write(Enrol(code=code, public_key=public, name=settings.name))
    except ValidationError:
        raise EnrolmentFailed("the enrolment code does not look like one") from None
    url = urlsplit(settings.https_url)
    # Started together with the platform, a worker is often the first to be up.
    patience = time.monotonic() + REACH_SECONDS
    while True:
        connection = http.client.HTTPSConnection(
            url.hostname or "", url.port or 443, timeout=10, context=tls_context(settings)
        )
        try:
            status, body = _post(connection, request)
            break
        except (OSError, http.client.HTTPException) as error:
            if not isinstance(error, ConnectionRefusedError) or time.monotonic() > patience:
                reason = type(error).__name__
                raise EnrolmentFailed(f"the platform is not reachable: {reason}") from None
            time.sleep(REACH_PAUSE_SECONDS)
        finally:
            connection.close()
    if status not in {200, 201}:
        raise EnrolmentFailed(f"the platform refused the enrolment code (HTTP {status})")
    try:
        enrolled = Enrolled.model_validate_json(body)
    except ValidationError:
        raise EnrolmentFailed("the platform's answer is not an enrolment") from None
    return Identity(enrolled.worker, enrolled.link_path, key)


def _post(connection: http.client.HTTPSConnection, request: str) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/media/enrol", body=request, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read(MAX_ANSWER_BYTES + 1)


def _store(path: Path, identity: Identity) -> None:
    """Writes ``identity`` so that only this user may read it, whole or not at all."""
    text = json.dumps(
        {
            "worker": str(identity.worker),
            "link_path": identity.link_path,
            "private_key": base64.b64encode(identity.key.private_bytes_raw()).decode(),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _load(path: Path) -> Identity:
    if path.stat().st_mode & 0o077:
        raise EnrolmentFailed("the identity file may be read by others: chmod 600 it")
    try:
        stored = json.loads(path.read_text(encoding="ascii"))
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(stored["private_key"]))
        return Identity(uuid.UUID(stored["worker"]), str(stored["link_path"]), key)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise EnrolmentFailed("the identity file is damaged: delete it and enrol anew") from None
