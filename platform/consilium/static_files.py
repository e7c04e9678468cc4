"""Static files under names that carry their hash, so browsers keep them for good.

A reload of a call then asks the server for one page and no scripts, which is much of what makes
it quick. Imports between JavaScript modules are rewritten too, and so are the names of workers:
modules of two versions never meet.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.management import call_command


class HashedFiles(ManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
    # A worker is named by where its file lies, which Django does not know for an import.
    patterns = (
        *ManifestStaticFilesStorage.patterns,
        (
            "*.js",
            (
                (
                    r"""(?P<matched>new URL\(["'](?P<url>[./].*?)["'], import\.meta\.url\))""",
                    """new URL("%(url)s", import.meta.url)""",
                ),
            ),
        ),
    )


def collect() -> None:
    """Collect them into STATIC_ROOT, unless what lies there was made of the same files."""
    root = Path(settings.STATIC_ROOT)
    # Beside it, because all that lies in it is served.
    made_of = root.with_name("static.made-of")
    now = _fingerprint()
    is_whole = (root / HashedFiles.manifest_name).exists() and made_of.exists()
    if is_whole and made_of.read_text() == now:
        return
    made_of.unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False)
    made_of.write_text(now)


def _fingerprint() -> str:
    """Of each file's name, size and time; the rules that rewrite them count as one of them."""
    files = [("", Path(__file__))]
    for finder in get_finders():
        files += [(name, Path(storage.path(name))) for name, storage in finder.list([])]
    seen = hashlib.sha256()
    for name, path in sorted(files):
        found = path.stat()
        seen.update(f"{name}\0{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return seen.hexdigest()
