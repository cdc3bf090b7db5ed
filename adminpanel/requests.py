"""What the middleware has put on every request."""

from django.http import HttpRequest

from inventory.models import User


class AdminRequest(HttpRequest):
    """A request with who is asking. Ask ``account`` for its truth, never whether it is None."""

    account: User | None
    address: str


class SignedInRequest(AdminRequest):
    """A request that ``admin_required`` has let in."""

    account: User
