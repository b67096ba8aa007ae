"""What stands in the way of running: looked at one by one, each with its cure."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from twinfall.api.folder import owner_of
from twinfall.api.guard import is_local
from twinfall.api.keys import Keys
from twinfall.api.settings import Settings
from twinfall.ontology.errors import Conflict, TwinError, Unavailable

LEAST_FREE_BYTES = 100_000_000
COMFORTABLE_FREE_BYTES = 1_000_000_000
SOURCE_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""No right clock is before this."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing looked at."""

    what: str
    state: Literal["ok", "warn", "fail"]
    found: str
    cure: str = ""
    unavailable: bool = False
    """A service is away, as opposed to something being wrong here."""


def examine(settings: Settings, now: datetime) -> Iterator[Sign]:
    """Look at everything, in order of what depends on what."""
    looks: dict[str, Callable[[], Sign]] = {
        "python": _python,
        "clock": lambda: _clock(now),
        "folder": lambda: _folder(settings),
        "disk": lambda: _space(settings),
        "access": lambda: _keys(settings),
        "port": lambda: _port(settings),
        "store": lambda: _store(settings),
        "policy": lambda: _policy(settings),
        "kernels": _kernels,
    }
    for what, look in looks.items():
        try:
            yield look()
        except TwinError as error:
            yield _failed(what, error)


def _failed(what: str, error: TwinError) -> Sign:
    found = f"{error.path}: {error.message}" if error.path else error.message
    return Sign(what, "fail", found, error.cure, isinstance(error, Unavailable))


def _policy(settings: Settings) -> Sign:
    from twinfall.api.actions.wiring import policy_of

    rules = policy_of(settings, settings.dir).current().rules
    if not rules:
        return Sign("policy", "ok", "none: alarms are recorded, nothing is done about them")
    return Sign("policy", "ok", f"{len(rules)} rules for what is done about alarms")


def _python() -> Sign:
    version = ".".join(str(n) for n in sys.version_info[:3])
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Sign("python", "warn", f"{version} is not tested", "use Python 3.11 to 3.13")
    return Sign("python", "ok", version)


def _clock(now: datetime) -> Sign:
    if now < SOURCE_EPOCH:
        return Sign("clock", "fail", f"it is {now:%Y-%m-%d} here", "set the clock (NTP)")
    return Sign("clock", "ok", f"{now:%Y-%m-%dT%H:%M:%SZ}")


def _folder(settings: Settings) -> Sign:
    path = settings.dir
    if not path.exists():
        parent = next(p for p in path.absolute().parents if p.exists())
        if not os.access(parent, os.W_OK):
            return Sign("folder", "fail", f"{path} cannot be made", f"no right to write {parent}")
        return Sign("folder", "ok", f"{path} will be made")
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        cure = "change its owner or mode, or set TWINFALL_DIR"
        return Sign("folder", "fail", f"{path} cannot be written: {error.strerror}", cure)
    owner = owner_of(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        cure = f"chmod 700 {path}"
        return Sign("folder", "warn", f"{path}: others on this machine may look in", cure)
    return Sign("folder", "ok", f"{path}, in use by {owner}" if owner else f"{path}, free")


def _space(settings: Settings) -> Sign:
    path = settings.dir.absolute()
    free = shutil.disk_usage(next(p for p in (path, *path.parents) if p.exists())).free
    text = f"{free / 1e9:.1f} GB free"
    if free < LEAST_FREE_BYTES:
        return Sign("disk", "fail", text, "free some space, or set TWINFALL_DIR to another disk")
    if free < COMFORTABLE_FREE_BYTES:
        return Sign("disk", "warn", text, "a graph may soon find no room")
    return Sign("disk", "ok", text)


def _keys(settings: Settings) -> Sign:
    count = len(Keys(settings.dir).all())
    if count:
        return Sign("access", "ok", f"{count} keys")
    if is_local(settings.host):
        return Sign("access", "ok", "no key: this machine only")
    return Sign(
        "access",
        "fail",
        f"no key, and {settings.host} lets other machines in",
        "`twinfall key create NAME --role admin`",
    )


def _port(settings: Settings) -> Sign:
    from twinfall.api.server import listen

    owner = owner_of(settings.dir)
    if owner and owner.url:
        return Sign("port", "ok", f"our server is at {owner.url}")
    try:
        listen(settings.host, settings.port).close()
    except TwinError as error:
        return Sign("port", "fail", error.message, error.cure)
    return Sign("port", "ok", f"{settings.host}:{settings.port} is free")


def _store(settings: Settings) -> Sign:
    """Open what no server holds, else ask the server."""
    from twinfall.api.client import Remote
    from twinfall.api.folder import own
    from twinfall.api.services import open_graph

    owner = owner_of(settings.dir)
    try:
        if settings.url or (owner and owner.url):
            url = settings.url or (owner.url if owner else "")
            answer = Remote(url, settings.api_key.reveal()).ask("{ service { models twins } }")
            found = answer["data"]["service"]
            return Sign("store", "ok", f"{url}: {found['models']} models, {found['twins']} twins")
        if settings.store == "sqlite" and not (settings.dir / "graph.sqlite").exists():
            return Sign("store", "ok", "sqlite: no graph yet")
        with own(settings.dir, "twinfall doctor") as folder:
            graph = open_graph(settings, folder.path, str(folder.owner))
            try:
                twins = sum(graph.counts().twins.values())
                models = len(graph.ontology.interfaces)
                text = f"{settings.store}: {models} models, all valid, {twins} twins"
                return Sign("store", "ok", text)
            finally:
                graph.store.close()
    except Conflict as error:
        return Sign("store", "warn", error.message, error.cure)
    except TwinError as error:
        return _failed("store", error)


def _kernels() -> Sign:
    """Compiled kernels are kept beside their source or in the user's cache folder."""
    from twinfall.analytics import kernels

    named = os.environ.get("NUMBA_CACHE_DIR")
    beside = Path(kernels.__file__).parent
    places = [Path(named)] if named else [beside, Path("~/.cache").expanduser()]
    for place in places:
        if place.is_dir() and os.access(place, os.W_OK):
            return Sign("kernels", "ok", f"compiled ones are kept under {place}")
    cure = "set NUMBA_CACHE_DIR to a folder that can be written"
    return Sign("kernels", "warn", "compiled anew at every start: nowhere to keep them", cure)
