"""The shop with passwords that are hashed quickly: thousands of forms with some are sent here, and none is a secret."""

from __future__ import annotations

from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

from ecokart.wsgi import application as application

BCryptSHA256PasswordHasher.rounds = 4
