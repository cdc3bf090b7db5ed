"""The shop under gunicorn, with what it asks of AWS written down for the world that WORLD names."""

import os

from tests import recorder

recorder.record(os.environ["WORLD"], always=True)

from ecokart.wsgi import application as application  # noqa: E402
