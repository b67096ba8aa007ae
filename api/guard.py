"""Who may come in: API keys, and the rules for a server that has none.

A server without keys trusts this machine only, and a browser on this machine runs pages of
strangers. So it also checks that it was addressed by a local name (a page that rebinds its own
name to 127.0.0.1 is not), that no foreign page sent the request (Origin), and that no proxy
brought it from elsewhere.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from twinfall.api.access import LOCAL, Access
from twinfall.api.keys import Keys
from twinfall.ontology.errors import Refused

FAILURES_PER_MINUTE = 20
"""Wrong keys from one address before it is told to wait. A right key always passes: 256 bits are
not guessed, and nobody can lock others out."""
MAX_ADDRESSES = 1000
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_CURE = "create a key with `twinfall key create NAME --role admin` and send it"


def is_local(host: str) -> bool:
    """Listening here reaches this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_name(authority: str) -> str:
    """The name in a Host header, without port and brackets, in lower case; empty if malformed."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class Rules:
    """How this server was started."""

    listens: str
    """The address it listens on."""
    insecure: bool = False
    """Everybody is admin while there is no key."""
    hosts: frozenset[str] = LOCAL_NAMES
    origins: frozenset[str] = frozenset()


class Guard:
    """Admits requests. `clock` is monotonic, in seconds."""

    def __init__(self, keys: Keys, rules: Rules, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._rules = rules
        self._clock = clock
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def admit(self, headers: Mapping[str, str], address: str) -> Access:
        """Who asks; `headers` by lower-case name. Raises Refused with code UNAUTHENTICATED,
        FORBIDDEN or RATE_LIMITED.
        """
        if self._keys.all():
            return self._with_key(headers, address)
        if self._rules.insecure:
            return LOCAL
        if not is_local(self._rules.listens):
            raise Refused("this server has no keys any more", code="UNAUTHENTICATED", cure=_CURE)
        self._check_local(headers)
        return LOCAL

    def _with_key(self, headers: Mapping[str, str], address: str) -> Access:
        shown = _shown_key(headers)
        if not shown:
            raise Refused(
                "this server asks for an API key",
                code="UNAUTHENTICATED",
                cure="send `Authorization: Bearer KEY`; commands take it from TWINFALL_API_KEY",
            )
        access = self._keys.find(shown)
        if access is None:
            raise self._failed(address)
        return access

    def _failed(self, address: str) -> Refused:
        since, count = self._failures.pop(address, (self._clock(), 0))
        if self._clock() - since >= 60:
            since, count = self._clock(), 0
        self._failures[address] = (since, count + 1)
        if len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)
        if count >= FAILURES_PER_MINUTE:
            return Refused(
                "too many wrong keys from this address", code="RATE_LIMITED", cure="wait a minute"
            )
        return Refused(
            "this key is not known here",
            code="UNAUTHENTICATED",
            cure="it may have been revoked: ask for another (`twinfall key create`)",
        )

    def _check_local(self, headers: Mapping[str, str]) -> None:
        host = host_name(headers.get("host", ""))
        if host not in self._rules.hosts:
            raise Refused(
                f"a server without keys answers to localhost only, not to {host[:100]!r}",
                cure=f"{_CURE}, or list the name in TWINFALL_ALLOWED_HOSTS",
            )
        if any(name in headers for name in _PROXY_HEADERS):
            raise Refused(
                "a server without keys takes no requests through a proxy", cure=f"{_CURE} along"
            )
        origin = headers.get("origin")
        own = _authority(origin or "") == headers["host"].lower()
        if origin is not None and not own and origin not in self._rules.origins:
            raise Refused(
                f"pages of {origin[:100]!r} may not call this server",
                cure="list the origin in TWINFALL_CORS_ORIGINS",
            )


def _authority(origin: str) -> str:
    scheme, _, rest = origin.partition("://")
    return rest.lower() if scheme in ("http", "https") else ""


def _shown_key(headers: Mapping[str, str]) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return key.strip()
    return headers.get("x-api-key", "").strip()
