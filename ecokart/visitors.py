"""Which address a request comes from: what limits are counted by, so nothing of it may be what the visitor wrote.

On Lambda it is what API Gateway saw (``ecokart/aws/gateway.py``). Under gunicorn it is the other end of the connection,
or, where that is one of ``TRUSTED_PROXIES``, the last entry of X-Forwarded-For that is not: each proxy adds at the end
whom it was asked by, so what a visitor wrote stands further left.
"""

from __future__ import annotations

import functools
import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

#: Stands for all whose address nobody knows, such as those who come through a socket of the file system.
NOWHERE = "nowhere"
#: A household or a server gets so much of IPv6, and may change its address within it as it likes.
_HOUSEHOLD_BITS = 64
_WITH_PORT = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<four>[0-9.]+))(?::[0-9]{1,5})?")

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]


def address(request: HttpRequest) -> str:
    """An IPv4 address, the network of an IPv6 address, or ``NOWHERE``."""
    proxies = settings.TRUSTED_PROXIES
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if proxies else ""
    return _address(request.META.get("REMOTE_ADDR", ""), forwarded, proxies)


@functools.lru_cache(maxsize=1000)
def _address(peer: str, forwarded: str, proxies: Networks) -> str:
    found = _read(peer)
    for entry in reversed(forwarded.split(",")):
        if found is None or not any(found in network for network in proxies):
            break
        before = _read(entry.strip())
        if before is None:
            # Written by a proxy that did not know, or by nobody: that proxy's own address is what is known.
            break
        found = before
    return _key(found)


def _read(text: str) -> Address | None:
    """An address as proxies write it, with or without a port. IPv4 in IPv6's clothing is IPv4."""
    found = _WITH_PORT.fullmatch(text)
    try:
        read = ip_address((found["six"] or found["four"] or "") if found else text)
    except ValueError:
        return None
    return (read.ipv4_mapped or read) if isinstance(read, IPv6Address) else read


def _key(found: Address | None) -> str:
    if found is None:
        return NOWHERE
    if isinstance(found, IPv4Address):
        return str(found)
    return str(IPv6Network((int(found), _HOUSEHOLD_BITS), strict=False))
