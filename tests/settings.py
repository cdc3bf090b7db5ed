"""The shop's own settings, with the variables of a test. Set before the real settings are read: they read once."""

import os

os.environ.setdefault("SECRET_KEY", "for-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz-0123")
os.environ.setdefault("HTTPS", "0")
# One address makes thousands of requests here. The tests of limits switch them on.
os.environ.setdefault("LIMITS", "0")
os.environ.setdefault("ALLOWED_HOSTS", "testserver,127.0.0.1")
os.environ.setdefault("SITE_URL", "https://shop.example")
os.environ.setdefault("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
os.environ.setdefault("AWS_REGION", "eu-central-1")

from ecokart.settings import *  # noqa: F403

# Nothing is collected for tests; WhiteNoise warns of a folder that is not there.
STATIC_ROOT = BASE_DIR / "static"  # noqa: F405
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# The same hasher with the least work that bcrypt allows: a password here keeps no secret.
PASSWORD_HASHERS = ["tests.hashers.QuickBCryptSHA256PasswordHasher", "django.contrib.auth.hashers.BCryptPasswordHasher"]
