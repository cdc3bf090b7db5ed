"""The settings of the tests, with what only a shop behind TLS has: the attacks are made on the shop as it is deployed."""

import os

os.environ["HTTPS"] = "1"

from tests.settings import *  # noqa: F403
