"""One settings module for every place that the shop runs in: places differ in variables, not in code.

The safe values are the defaults: what is not said is production. README.md lists every variable.
"""

from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from ecokart import env

BASE_DIR = Path(__file__).resolve().parent.parent

# Safety
DEBUG = env.boolean("DEBUG", False)
HTTPS = env.boolean("HTTPS", True)
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.listing("SECRET_KEY_FALLBACKS")
# Where a shop is reached by https, strangers reach it.
if HTTPS and not DEBUG:
    env.unguessable("SECRET_KEY", SECRET_KEY)
    for _key in SECRET_KEY_FALLBACKS:
        env.unguessable("SECRET_KEY_FALLBACKS", _key)
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.boolean("TRUST_PROXY", False) else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_SSL_REDIRECT = env.boolean("SSL_REDIRECT", HTTPS)
# Whoever asks for the shop's health is next to it.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# A form of the shop has a few short fields and at the most one picture.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
DATA_UPLOAD_MAX_NUMBER_FILES = 1
# A picture of five megabytes with the form around it. What is larger is not even read.
REQUEST_MAX_BYTES = 6 * 1024 * 1024

# How often an address may ask for pages, and everybody may try what guards a secret. LIMITS=0: as often as they like.
LIMITS = env.boolean("LIMITS", True)
REQUEST_LIMIT = env.whole_number("REQUEST_LIMIT", 100)
REQUEST_WINDOW_SECONDS = env.whole_number("REQUEST_WINDOW_SECONDS", 300, at_least=1)
# Whose X-Forwarded-For is believed: proxies that stand between visitors and this server. On Lambda nobody's is.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")

# Static files. Where their address is another host's, that host serves them and this process only knows their names.
STATIC_URL = env.text("STATIC_URL", "/static/")
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
_SERVES_STATIC_FILES = not urlsplit(STATIC_URL).netloc

# Application
INSTALLED_APPS = [
    "django.contrib.staticfiles",
    "ecokart",
    "inventory",
    "shop",
    "adminpanel",
]
MIDDLEWARE = [
    "ecokart.observing.observed",
    "ecokart.middleware.no_body_for_head",
    "ecokart.headers.on_every_answer",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    *(["whitenoise.middleware.WhiteNoiseMiddleware"] if _SERVES_STATIC_FILES else []),
    "ecokart.middleware.Compression",
    "ecokart.middleware.keep_nothing",
    "ecokart.middleware.readable_query",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "ecokart.middleware.keep_pace",
    "ecokart.middleware.keep_small",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "ecokart.middleware.who_is_asking",
    "ecokart.middleware.page_for_405",
    "ecokart.middleware.busy_page",
    "ecokart.middleware.send_mails",
]
ROOT_URLCONF = "ecokart.urls"
WSGI_APPLICATION = "ecokart.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader"],
                )
            ],
            "builtins": [
                "ecokart.templatetags.ecokart",
                "ecokart.templatetags.ready",
                "django.templatetags.i18n",
                "django.templatetags.static",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csrf",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "ecokart.context.frame",
            ],
        },
    }
]
FORM_RENDERER = "ecokart.widgets.Renderer"
DATABASES: dict[str, dict[str, object]] = {}
CSRF_FAILURE_VIEW = "ecokart.errors.csrf_failure"

# Who is who: seven days in a signed cookie, as in the first version's tokens
SESSION_ENGINE = "ecokart.cookies"
# A browser takes a cookie of such a name only over https, for this host alone and all of its paths: no other host of
# the same domain can plant one.
_HOST_ONLY = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{_HOST_ONLY}sessionid"
CSRF_COOKIE_NAME = f"{_HOST_ONLY}csrftoken"
LANGUAGE_COOKIE_NAME = f"{_HOST_ONLY}django_language"
MESSAGE_COOKIE_NAME = f"{_HOST_ONLY}messages"
SESSION_COOKIE_AGE = 7 * 24 * 3600
# A guest's id follows from it, so it lives no longer than a session.
CSRF_COOKIE_AGE = SESSION_COOKIE_AGE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
# Whether admins need a code from an app beside their password. Without it whoever learns a password has the shop.
ADMIN_SECOND_FACTOR = env.boolean("ADMIN_SECOND_FACTOR", True)
if HTTPS and not (DEBUG or ADMIN_SECOND_FACTOR):
    raise ImproperlyConfigured(
        "ADMIN_SECOND_FACTOR=0 is for a machine of your own, where HTTPS=0: strangers reach this one. Take it out."
    )
MESSAGE_STORAGE = "ecokart.messages.Storage"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.BCryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Languages, money, time
LANGUAGE_CODE = "de"
LANGUAGES = [("de", _("German")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "ecokart" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Berlin"

# Tables. The standard AWS variables (AWS_REGION, AWS_ENDPOINT_URL, credentials) choose the engine.
AWS_REGION = env.text("AWS_REGION", env.text("AWS_DEFAULT_REGION", "eu-central-1"))
PRODUCTS_TABLE = env.text("PRODUCTS_TABLE", "ecokart-products")
USERS_TABLE = env.text("USERS_TABLE", "ecokart-users")
CARTS_TABLE = env.text("CARTS_TABLE", "ecokart-carts")
ORDERS_TABLE = env.text("ORDERS_TABLE", "ecokart-orders")
MOVEMENTS_TABLE = env.text("MOVEMENTS_TABLE", "ecokart-movements")
NOTES_TABLE = env.text("NOTES_TABLE", "ecokart-notes")
MAILS_TABLE = env.text("MAILS_TABLE", "ecokart-mails")
AUDIT_TABLE = env.text("AUDIT_TABLE", "ecokart-audit")

# Rules of the shop
RESERVATION_MINUTES = env.whole_number("RESERVATION_MINUTES", 120, at_least=1)
LINE_MAX_QUANTITY = env.whole_number("LINE_MAX_QUANTITY", 99, at_least=1)
# A checkout writes two items a line and three more, and DynamoDB takes 100 in one transaction.
CART_MAX_LINES = 40

# How much memory each process may fill with pages that are made already; 0 makes every page anew.
READY_PAGES_BYTES = env.whole_number("READY_PAGES_BYTES", 32 * 1024 * 1024, at_least=0)

# Mails. They wait in their table until they are sent, so nothing is lost where a server is away or not named yet.
SITE_URL = env.text("SITE_URL", "").rstrip("/")
MAIL_FROM = env.text("MAIL_FROM", "shop@ecokart.example")
DEFAULT_FROM_EMAIL = f"Ecokart <{MAIL_FROM}>"
EMAIL_BACKEND = env.text("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
EMAIL_FILE_PATH = env.text("EMAIL_FILE_PATH", str(BASE_DIR / ".data" / "mails"))
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.whole_number("EMAIL_PORT", 587, at_least=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", True)
# A customer waits for it.
EMAIL_TIMEOUT = 3
# What is not sent now is sent later.
ANYMAIL = {
    "AMAZON_SES_CLIENT_PARAMS": {
        "region_name": AWS_REGION,
        "config": {"connect_timeout": 1, "read_timeout": EMAIL_TIMEOUT, "retries": {"total_max_attempts": 1}},
    }
}

# Files
MEDIA_BUCKET = env.text("MEDIA_BUCKET", "ecokart-media")
MEDIA_URL = env.text("MEDIA_URL", f"https://{MEDIA_BUCKET}.s3.{AWS_REGION}.amazonaws.com/")
STORAGES = {
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": MEDIA_BUCKET,
            "region_name": AWS_REGION,
            "default_acl": None,
            # Names hold a digest of what is in the file, so a browser may keep it for good.
            "file_overwrite": True,
            "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
        },
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _SERVES_STATIC_FILES
        else "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    },
}

# Lines of JSON; in a terminal a person reads plain ones, and none for each request.
LOG_JSON = env.boolean("LOG_JSON", True)
_LOG_LEVEL = env.text("LOG_LEVEL", "WARNING")
# At DEBUG these print what the database says word by word: customers, addresses, password hashes.
_LOG_LEVEL_OF_DATA = "INFO" if _LOG_LEVEL == "DEBUG" else _LOG_LEVEL
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "ecokart.logs.Lines"},
        "text": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
    },
    "handlers": {"stderr": {"class": "ecokart.logs.Handler", "formatter": "json" if LOG_JSON else "text"}},
    "root": {"handlers": ["stderr"], "level": _LOG_LEVEL},
    # A page that is not there, and a host that is not ours, are the visitor's business.
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.csrf": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "botocore": {"level": _LOG_LEVEL_OF_DATA},
        "pynamodb": {"level": _LOG_LEVEL_OF_DATA},
    },
}
