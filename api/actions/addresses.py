"""Which addresses a webhook may reach: public ones, and those an operator named.

The list is what is left of the IANA special-purpose registries (IPv4 and IPv6) after a look at
what could stand for another address: IPv4 in IPv6, 6to4 (RFC 3056), Teredo (RFC 4380), NAT64
(RFC 6052).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from twinfall.ontology.errors import BadInput

MAX_URL = 2048
_CURE = "a public https:// address, or list host:port in TWINFALL_WEBHOOK_ALLOW"
_PLAIN = re.compile(r"[!-\[\]-~]+")
"""Printable ASCII without blanks and backslashes, which programs read in different ways."""
_GLOBAL = ipaddress.ip_network("2000::/3")
"""The only part of IPv6 that is handed out as public."""
_SPECIAL_6 = tuple(
    ipaddress.ip_network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
_SPECIAL_4 = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to addresses, in the order to try them."""


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's URL in parts; `named` where an operator allowed exactly this host and port."""

    secure: bool
    host: str
    port: int
    path: str
    named: bool

    @property
    def shown(self) -> str:
        """The URL without its path, which may hold a secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"


def target_of(url: str, allowed: Iterable[str]) -> Target:
    """What a URL names. Raises BadInput for what could not be called, or not safely.

    `allowed` holds `host:port` texts: for those plain http and private addresses are fine.
    """
    if len(url) > MAX_URL or not _PLAIN.fullmatch(url):
        raise _bad("it has blanks, signs outside ASCII or too many characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _bad(str(error)) from None
    if parts.scheme not in ("https", "http"):
        raise _bad(f"it begins with {parts.scheme or 'nothing'}://")
    if not host or parts.username is not None or parts.password is not None or "%" in host:
        raise _bad("it names no host, or a user too")
    port = port if port is not None else (443 if parts.scheme == "https" else 80)
    if not 0 < port < 65536:
        raise _bad(f"port {port} is none")
    named = _text(host, port) in {one.strip().lower() for one in allowed}
    if parts.scheme == "http" and not named:
        raise _bad("it is not encrypted")
    path = parts.path or "/"
    return Target(
        parts.scheme == "https",
        host,
        port,
        f"{path}?{parts.query}" if parts.query else path,
        named,
    )


def allowed_text(text: str) -> str:
    """A `host:port` of the setting in canonical form. Raises ValueError."""
    parts = urlsplit(f"//{text.strip()}")
    if not parts.hostname or parts.port is None or parts.path or parts.username is not None:
        raise ValueError("it must be a list of host:port, such as hooks.local:8080")
    return _text(parts.hostname, parts.port)


def _text(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bad(why: str) -> BadInput:
    return BadInput(f"this URL cannot be called: {why}", code="BAD_URL", cure=_CURE)


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, by the system's resolver, which also reads `2130706433`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(text: str) -> bool:
    """Whether an address belongs to the internet at large, and to nothing else."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        special = any(address in network for network in _SPECIAL_6)
        return address in _GLOBAL and not special and address.scope_id is None
    return address.is_global and not any(address in network for network in _SPECIAL_4)


def checked(target: Target, resolve: Resolve = resolved) -> list[str]:
    """The addresses of a target, resolved once; whoever connects uses these and asks no more.

    Raises BadInput where any of them is not public and the target was not named, OSError where
    the name is not known.
    """
    found = list(resolve(target.host, target.port))
    if not found:
        raise OSError(f"{target.host} has no address")
    private = [] if target.named else [one for one in found if not is_public(one)]
    if private:
        raise BadInput(
            f"{target.host} is at {private[0]}, which is no public address",
            code="BAD_URL",
            path=target.shown,
            cure=_CURE,
        )
    return found
