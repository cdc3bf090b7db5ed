"""The shop as gunicorn serves it, with the SDK's short way to the engine (``tests/quick_sdk``)."""

from contextlib import ExitStack

from ecokart.wsgi import application
from tests.quick_sdk import quick_sdk

__all__ = ["application"]

# For as long as the process lives.
_short_way = ExitStack()
_short_way.enter_context(quick_sdk())
