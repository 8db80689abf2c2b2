"""Settings, all from the environment. Every variable named here is documented in README.md (a test holds that)."""

import os
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hagukumi.kit import address, callers, locales

ROOT = Path(__file__).resolve().parents[3]
SCREENS = ROOT / "src/hagukumi/screens"
HOME = Path(os.environ.get("HAGUKUMI_HOME", "var")).resolve()
PORT = int(os.environ.get("PORT", "8000"))
COLLECTOR_PORT = int(os.environ.get("HAGUKUMI_COLLECTOR_PORT", PORT + 1))
MAILBOX_SMTP_PORT = PORT + 2
MAILBOX_HTTP_PORT = PORT + 3
TRUSTED_PROXIES = callers.trusted_proxies()
DEBUG = os.environ.get("HAGUKUMI_DEBUG") == "1"
SMTP_URL = os.environ.get("SMTP_URL", f"smtp://127.0.0.1:{MAILBOX_SMTP_PORT}?mailbox=1")
# the public addresses have this one source; the command line has checked them and says what is wrong in one line
BASE_URL = address.normalise(os.environ.get("HAGUKUMI_BASE_URL") or f"http://localhost:{PORT}")
COLLECTOR_URL = address.normalise(
    os.environ.get("HAGUKUMI_COLLECTOR_URL") or f"http://localhost:{COLLECTOR_PORT}", with_path=True
)
BIND = os.environ.get("HAGUKUMI_BIND", "127.0.0.1")


def _secret_key() -> str:
    """The key from the environment, else the home's own (made at first use, readable by its owner alone)."""
    if key := os.environ.get("HAGUKUMI_SECRET_KEY"):
        return key
    path = HOME / "secret.key"
    if not path.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text()


SECRET_KEY = _secret_key()


def _database(url: str) -> dict[str, object]:
    """Django's settings for a libpq URL; a socket folder comes as `?host=/path`, as libpq has it."""
    parts = urlsplit(url)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.pop("host", parts.hostname or "")),
        "PORT": str(query.pop("port", parts.port or "")),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {key: unquote(value) for key, value in query.items()},
    }


DATABASE_URL = os.environ.get("DATABASE_URL", "")
DATABASES = {"default": _database(DATABASE_URL or "postgresql:///hagukumi")}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "procrastinate.contrib.django",
    "hagukumi",
]
AUTH_USER_MODEL = "hagukumi.User"
MIDDLEWARE = [
    "hagukumi.screens.shell.middleware.ClockMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "hagukumi.screens.shell.middleware.ContentSecurityMiddleware",
    "hagukumi.integrations.api.problems.ProblemMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "hagukumi.screens.shell.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "hagukumi.screens.shell.middleware.ActorMiddleware",
    "hagukumi.screens.shell.middleware.StaffSessionMiddleware",
    "hagukumi.screens.shell.middleware.HygieneMiddleware",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "hagukumi.screens.shell.adapter.ClosedAdapter"
# passwords are limited by accounts.attempts; what is left to allauth are the codes of the second step, by account
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": "10/5m/key"}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ADAPTER = "hagukumi.accounts.second_step.SecondStepAdapter"
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an administrator has typed the address; nobody registers one by themselves
MFA_TOTP_ISSUER = "育み"
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not BASE_URL.startswith("https://")
CACHES = {"default": {"BACKEND": "hagukumi.app.cache.SharedCache", "LOCATION": "shared_cache"}}
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/login/"

ROOT_URLCONF = "hagukumi.app.urls"
WSGI_APPLICATION = "hagukumi.app.wsgi.application"
ALLOWED_HOSTS = address.hosts([BASE_URL], BIND)
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
SESSION_COOKIE_NAME = "hagukumi_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "hagukumi.screens.shell.errors.csrf_refused"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [SCREENS, SCREENS / "shell/allauth"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "hagukumi.screens.shell.context.house",
            ],
            "builtins": ["hagukumi.screens.shell.tags"],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                ),
            ],
        },
    }
]

LANGUAGE_CODE = "ja"
LANGUAGES = [("ja", "日本語"), ("en", "English")]
LOCALE_PATHS = locales.paths()
LANGUAGE_COOKIE_NAME = "hagukumi_language"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Tokyo"

STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "frontend/dist"] if (ROOT / "frontend/dist").exists() else []
STATIC_DIST = ROOT / "frontend/dist"
WHITENOISE_USE_FINDERS = True  # straight from the build: there is nothing to collect
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600
WHITENOISE_ALLOW_ALL_ORIGINS = False
MEDIA_ROOT = HOME / "files"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PROCRASTINATE_IMPORT_PATHS = ["hagukumi.people.imports.jobs", "hagukumi.integrations.api.jobs"]
LOGGING_CONFIG = None
SILENCED_SYSTEM_CHECKS = ["fields.W342", "postgres.E005"]
