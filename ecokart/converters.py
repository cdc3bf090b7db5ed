"""What may stand in an address."""


class KeyConverter:
    """An id of a product or an order. What cannot be one is a page that does not exist: the database is not asked."""

    regex = "[A-Za-z0-9_-]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
