"""The settings of the tests, with what only a shop behind TLS has: what is attacked is the shop as it is deployed."""

import os
import secrets

os.environ["HTTPS"] = "1"
# A shop behind TLS does not start with one that can be guessed.
os.environ["SECRET_KEY"] = secrets.token_urlsafe(48)

from tests.settings import *  # noqa: F403

# A line for each of 100,000 requests is for operators. Where it matters what lines say, they are switched on.
LOG_JSON = False
