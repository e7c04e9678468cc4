"""Django's settings, all from the typed environment (``consilium.environment``)."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF

from consilium import parts
from consilium.environment import CANNOT_START, SOURCE_ROOT, SettingsWrong, load


def _give_up(*lines: str) -> NoReturn:
    """Say in plain lines why nothing can start."""
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    sys.exit(CANNOT_START)


try:
    ENVIRONMENT = load()
except SettingsWrong as wrong:
    _give_up(*wrong.lines)

BASE_DIR = SOURCE_ROOT
DATA = ENVIRONMENT.data

#: A PEM file that vouches for database, Redis and mail server; without it the system's roots do.
AUTHORITY: Path | None = ENVIRONMENT.ca

DEBUG = False


def _secret_key() -> str:
    """The configured key; on one machine a random one, kept beside the data."""
    if ENVIRONMENT.secret_key is not None:
        return ENVIRONMENT.secret_key.get_secret_value()
    path = DATA / "keys" / "cookie-key"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48))
        return path.read_text()
    except OSError as problem:
        _give_up(f"{problem.filename}: {problem.strerror}.")


#: Signs cookies and form tokens, nothing else; see ``vault`` for every other key.
SECRET_KEY = _secret_key()
KEY_FILE: Path = ENVIRONMENT.key_file

PUBLIC_URL = ENVIRONMENT.public_url
ALLOWED_HOSTS = [*ENVIRONMENT.hosts, urlsplit(PUBLIC_URL).hostname or ""]
TRUSTED_PROXIES = tuple(ENVIRONMENT.trusted_proxies)
PRODUCTION = ENVIRONMENT.production
# Then the machine of every browser is this one, and candidates for loopback lead to it.
ON_THIS_MACHINE_ALONE = ENVIRONMENT.is_for_this_machine_alone
DEMO = ENVIRONMENT.demo
WEB_PROCESSES = ENVIRONMENT.web_processes

TURN_URLS = tuple(ENVIRONMENT.turn_urls)
TURN_SECRET = ENVIRONMENT.turn_secret.get_secret_value() if ENVIRONMENT.turn_secret else ""
TURN_SECONDS = ENVIRONMENT.turn_seconds
LEASE_SECONDS = ENVIRONMENT.lease_seconds

#: What ``foundation.blobs.opening.blobs_from`` takes.
STORAGE_URL = ENVIRONMENT.storage_url
STORAGE_KEYS = {
    name: secret.get_secret_value() if secret else ""
    for name, secret in (
        ("access_key", ENVIRONMENT.storage_access_key),
        ("secret_key", ENVIRONMENT.storage_secret_key),
    )
}
STORAGE_CA = ENVIRONMENT.storage_ca

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "guardian",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "outbox",
    "audit",
    "access",
    "vault",
    "accounts",
    "meetings",
    "media",
    "recordings",
    "signaling",
    "compliance",
    "consilium",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Before the static files, which need these headers too: a page that demands an embedder policy
    # runs no worker whose script comes without one, and a worker goes by the CSP of its script.
    "csp.middleware.CSPMiddleware",
    "consilium.headers.IsolationHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.actors.ActorMiddleware",
    "accounts.zones.OrganisationTime",
    "accounts.assurance.StaffNeedSecondFactor",
    "access.middleware.ClosedByDefault",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "consilium.urls"
ASGI_APPLICATION = "consilium.asgi.application"
LIBRARY_DOORS = "consilium.routes.library_door"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "consilium.context.organisation",
            ]
        },
    }
]


def _database() -> dict[str, Any]:
    if ENVIRONMENT.database_url is None:
        return parts.sqlite(DATA)
    return parts.postgresql(ENVIRONMENT.database_url.get_secret_value(), AUTHORITY, os.environ)


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_REDIS = (
    parts.redis(ENVIRONMENT.redis_url.get_secret_value(), AUTHORITY)
    if ENVIRONMENT.redis_url
    else None
)

CHANNEL_LAYERS: dict[str, Any] = {
    "default": {
        "BACKEND": "consilium.channel_layer.SealedRedis",
        "CONFIG": {"hosts": [parts.channel_layer_host(_REDIS)], "capacity": 1000},
    }
    if _REDIS
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}
}
CACHES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _REDIS}
    if _REDIS
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
CACHES["default"]["KEY_FUNCTION"] = "consilium.cache_names.hidden"

# ------------------------------------------------------------------ Celery
_SPOOL = DATA / "celery"
CELERY_BROKER_URL = _REDIS or "filesystem://"
if _REDIS:
    # Without these a Redis that takes the connection and says nothing holds a thread for ever.
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "socket_connect_timeout": 5,
        "socket_timeout": 5,
    }
else:
    CELERY_BROKER_TRANSPORT = "consilium.broker:Transport"
    for folder in ("queue", "processed", "control"):
        (_SPOOL / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": _SPOOL / "queue",
        "data_folder_out": _SPOOL / "queue",
        "processed_folder": _SPOOL / "processed",
        "control_folder": _SPOOL / "control",
        "store_processed": False,
    }
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {
    "outbox.sweep": {"task": "outbox.sweep", "schedule": 5.0},
    "recordings.advance": {"task": "recordings.advance", "schedule": 5.0},
    "recordings.end_unkept": {"task": "recordings.end_unkept", "schedule": 5.0},
    "recordings.retire": {"task": "recordings.retire", "schedule": 600.0},
    "recordings.forget_abandoned_uploads": {
        "task": "recordings.forget_abandoned_uploads",
        "schedule": 3600.0,
    },
    "outbox.forget_delivered": {"task": "outbox.forget_delivered", "schedule": 3600.0},
    "accounts.forget_expired_sessions": {
        "task": "accounts.forget_expired_sessions",
        "schedule": 3600.0,
    },
    "meetings.forget_expired_tickets": {
        "task": "meetings.forget_expired_tickets",
        "schedule": 3600.0,
    },
    "media.forget_expired_assertions": {
        "task": "media.forget_expired_assertions",
        "schedule": 3600.0,
    },
}

# ------------------------------------------------------------------ people and sign-in
AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "change_password": "accounts.forms.NewPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = "email_index"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
MFA_ADAPTER = "accounts.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Consilium"
# Phones' clocks are off, and people type a code as it changes: one step is forgiven
# (RFC 6238, 5.2).
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "accounts.forms.SecondFactorForm",
    "reauthenticate": "accounts.forms.FreshSecondFactorForm",
}
GUARDIAN_USER_OBJ_PERMS_MODEL = "access.PersonGrant"
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False

# ------------------------------------------------------------------ cookies and headers
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_NAME = "__Host-session"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "access.problems.cross_site"
LANGUAGE_COOKIE_SECURE = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_SSL_REDIRECT = True
# Not "no-referrer": browsers then send "Origin: null" with our own forms, which CSRF refuses.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # the QR code of a second factor is a data: image
        "font-src": [SELF],
        "media-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
        "worker-src": [SELF],
    }
}
PERMISSIONS_POLICY = (
    "camera=(self), microphone=(self), display-capture=(self), screen-wake-lock=(self), "
    "autoplay=(self), fullscreen=(self), speaker-selection=(self), geolocation=(), payment=(), "
    "usb=(), browsing-topics=()"
)

REST_FRAMEWORK: dict[str, Any] = {
    # Our own pages only: Django's session and CSRF middleware stand before every view, and who
    # acts is decided by the gate; DRF's own idea of a user is not asked.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "access.problems.drf_handler",
    # The address is the connection's, as `consilium.proxies` has settled it.
    "NUM_PROXIES": 0,
    # Per address. A household shares one; a hospital's ward may share one too.
    "DEFAULT_THROTTLE_RATES": {
        "redeem": "30/min",
        "code": "60/min",
        "ticket": "300/min",
        "visit": "600/min",
    },
}

# ------------------------------------------------------------------ language and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# ------------------------------------------------------------------ files and mail
STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other site has a use for ours
# Whatever this installation writes is its own user's alone, collected static files too.
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Filled by `manage.py prepare`.
    "staticfiles": {"BACKEND": "consilium.static_files.HashedFiles"},
}

DEFAULT_FROM_EMAIL = ENVIRONMENT.mail_from
if ENVIRONMENT.smtp_url is None:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA / "mail"
else:
    _smtp = urlsplit(ENVIRONMENT.smtp_url.get_secret_value())
    EMAIL_BACKEND = "consilium.mail.VerifiedSmtp"
    EMAIL_HOST = _smtp.hostname or ""
    EMAIL_PORT = _smtp.port or (465 if _smtp.scheme == "smtps" else 587)
    EMAIL_HOST_USER = unquote(_smtp.username or "")
    EMAIL_HOST_PASSWORD = unquote(_smtp.password or "")
    EMAIL_USE_SSL = _smtp.scheme == "smtps"
    # Mails hold links and codes: in the clear they go nowhere but to this machine.
    EMAIL_USE_TLS = _smtp.scheme == "smtp" and bool(
        _smtp.username or not parts.is_this_machine(ENVIRONMENT.smtp_url.get_secret_value())
    )
EMAIL_TIMEOUT = 20

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "filters": {"names_nobody": {"()": "consilium.logs.NamesNobody"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # A 4xx answer is on the trail with its reason; its path holds ids and belongs in no log.
        "django.request": {"level": "ERROR"},
        "django.security.csrf": {"level": "ERROR"},
        # One line with a traceback for each scanner that makes up a host name.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.channels.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "daphne.server": {"filters": ["names_nobody"]},
        # Its filesystem transport has no host and says so at every start.
        "kombu.connection": {"level": "ERROR"},
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
