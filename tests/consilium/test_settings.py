"""Settings whose loss nobody would notice until it is too late."""

from __future__ import annotations

from django.conf import settings

from accounts.models import Person


def test_debugging_is_off_and_stays_off():
    from consilium import settings as module

    assert module.DEBUG is False


def test_cookies_are_for_this_host_over_tls():
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        assert name.startswith("__Host-")
    assert settings.SESSION_COOKIE_SECURE
    assert settings.CSRF_COOKIE_SECURE
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.CSRF_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_DOMAIN is None
    assert settings.CSRF_COOKIE_DOMAIN is None
    assert settings.SESSION_COOKIE_PATH == settings.CSRF_COOKIE_PATH == "/"
    assert settings.SESSION_ENGINE == "accounts.sessions"


def test_no_script_or_style_stands_in_a_page():
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    assert directives["default-src"] == ["'none'"]
    for sources in directives.values():
        assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"} & set(sources)


def test_passwords_are_hashed_slowly():
    assert settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]


def test_nobody_is_a_superuser():
    assert Person.is_superuser is False
    assert not Person().has_perm("anything")
    assert not Person().has_module_perms("anything")
    assert "is_superuser" not in {field.name for field in Person._meta.get_fields()}


def test_guardians_rows_are_ours_with_an_end():
    assert settings.GUARDIAN_USER_OBJ_PERMS_MODEL == "access.PersonGrant"
    assert settings.AUTH_USER_MODEL == "accounts.Person"
    assert settings.ANONYMOUS_USER_NAME is None


def test_the_doors_are_closed_by_default_after_everybody_is_known():
    order = settings.MIDDLEWARE
    actor, factor, closed = (
        order.index("accounts.actors.ActorMiddleware"),
        order.index("accounts.assurance.StaffNeedSecondFactor"),
        order.index("access.middleware.ClosedByDefault"),
    )
    assert order.index("django.contrib.auth.middleware.AuthenticationMiddleware") < actor
    assert actor < factor < closed
    assert order.index("django.middleware.csrf.CsrfViewMiddleware") < closed


def test_transactions_are_never_opened_around_a_request():
    assert not settings.DATABASES["default"].get("ATOMIC_REQUESTS")


def test_an_address_is_not_taken_from_a_header_of_the_client():
    assert settings.REST_FRAMEWORK["NUM_PROXIES"] == 0


def test_the_key_of_cookies_wraps_nothing(settings, cast):
    from vault import sealing

    sealed = sealing.seal(None, "label", "text")
    settings.SECRET_KEY = "another" * 10
    assert sealing.open_sealed("label", sealed) == "text"


def test_permissions_are_for_ourselves_only():
    policy = settings.PERMISSIONS_POLICY
    for feature in ("camera", "microphone", "display-capture"):
        assert f"{feature}=(self)" in policy
    for feature in ("geolocation", "payment", "usb"):
        assert f"{feature}=()" in policy
