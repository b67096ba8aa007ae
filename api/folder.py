"""The data folder: one process at a time owns it, and anybody can see which.

`lock` is held by the operating system (`flock`) for as long as the owner lives, so a killed
process leaves nothing to clean up; its text says who the owner is and where it listens. `format`
carries the folder's format version. The folder is made with mode 0700: it holds keys and data.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twinfall.ontology.errors import BadSettings, Conflict

FORMAT = 1
MAX_LOCK_BYTES = 4096
LOCK_PATIENCE = 0.5
"""Seconds to wait for a lock: whoever only looks at who holds it has it for a moment."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a data folder. `url` is empty for a command that does not listen."""

    pid: int
    host: str
    command: str
    url: str
    started: str

    def __str__(self) -> str:
        at = f" at {self.url}" if self.url else ""
        return f"`{self.command}`, process {self.pid} on {self.host}{at}, since {self.started}"


class DataFolder:
    """An opened data folder, ours until `close`."""

    def __init__(self, path: Path, lock: int, owner: Owner) -> None:
        self.path = path
        self.owner = owner
        self._lock = lock

    def announce(self, url: str) -> None:
        """Write into the lock where this process listens."""
        o = self.owner
        self.owner = Owner(o.pid, o.host, o.command, url, o.started)
        _write_owner(self._lock, self.owner, self.path)

    def close(self) -> None:
        """Give the folder back."""
        if self._lock >= 0:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = -1


@contextmanager
def own(path: Path, command: str) -> Iterator[DataFolder]:
    """The data folder at `path`, made if need be, for this process alone.

    Raises Conflict GRAPH_IN_USE that says who holds it, BadSettings where it cannot be used.
    """
    prepare(path)
    lock = _take_lock(path)
    folder = DataFolder(path, lock, _this_process(command))
    try:
        _write_owner(lock, folder.owner, path)
        yield folder
    finally:
        folder.close()


def prepare(path: Path) -> None:
    """Make the folder with its format version, or check the one that is there."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = path / "format"
        if not mark.exists():
            if any(path.iterdir()):
                raise BadSettings(
                    "holds other files and is not a Twinfall data folder",
                    path=str(path),
                    cure="name an empty or a new folder: TWINFALL_DIR",
                )
            mark.write_text(json.dumps({"format": FORMAT}) + "\n", encoding="utf-8")
        _check_format(mark)
    except OSError as error:
        raise unusable(error, path) from error


def owner_of(path: Path) -> Owner | None:
    """Who holds the folder now; None where nobody does. Changes nothing."""
    try:
        lock = os.open(path / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unusable(error, path) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_owner(lock)
    finally:
        os.close(lock)
    return None


def unusable(error: OSError, path: Path) -> BadSettings:
    """What the operating system said, as something the operator can act on."""
    reason, cure = _REASONS.get(
        error.errno or 0,
        (f"cannot be used: {error.strerror or error}", "name another one: TWINFALL_DIR"),
    )
    return BadSettings(f"the data folder {reason}", path=str(error.filename or path), cure=cure)


_FILE_IN_THE_WAY = ("cannot be made: a file is in the way", "move it, or set TWINFALL_DIR")
_REASONS = {
    errno.EACCES: ("cannot be written: no right to", "change its owner or mode, or TWINFALL_DIR"),
    errno.EPERM: ("cannot be written: not permitted", "change its owner or mode, or TWINFALL_DIR"),
    errno.EROFS: ("lies on a read-only file system", "set TWINFALL_DIR to a place to write to"),
    errno.ENOSPC: ("has no space left", "free some, or set TWINFALL_DIR to another disk"),
    errno.EDQUOT: ("is over its quota", "free some, or set TWINFALL_DIR to another disk"),
    errno.EEXIST: _FILE_IN_THE_WAY,
    errno.ENOTDIR: _FILE_IN_THE_WAY,
}


def _check_format(mark: Path) -> None:
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))["format"]
    except (ValueError, KeyError, TypeError):
        raise BadSettings(
            "is damaged: it should hold the folder's format version",
            path=str(mark),
            cure="restore it from a backup of the folder",
        ) from None
    if found != FORMAT:
        raise BadSettings(
            f"the folder has format {found!r}, this Twinfall knows format {FORMAT}",
            path=str(mark),
            cure="use the Twinfall that made it, or a newer one",
        )


def _take_lock(path: Path) -> int:
    try:
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unusable(error, path) from error
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.02)
                continue
            owner = _read_owner(lock)
            os.close(lock)
            raise _in_use(path, owner) from None
        except OSError as error:
            os.close(lock)
            raise unusable(error, path) from error


def _in_use(path: Path, owner: Owner | None) -> Conflict:
    who = str(owner) if owner else "another process"
    cure = "stop it, or set TWINFALL_DIR to another folder"
    if owner and owner.url:
        cure = f"use it at {owner.url}, stop it, or set TWINFALL_DIR to another folder"
    return Conflict(f"in use by {who}", code="GRAPH_IN_USE", path=str(path), cure=cure)


def _this_process(command: str) -> Owner:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Owner(os.getpid(), socket.gethostname(), command, "", now)


def _write_owner(lock: int, owner: Owner, path: Path) -> None:
    text = json.dumps(asdict(owner)).encode()
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, text, 0)
        os.fsync(lock)
    except OSError as error:
        raise unusable(error, path) from error


def _read_owner(lock: int) -> Owner | None:
    try:
        found: dict[str, Any] = json.loads(os.pread(lock, MAX_LOCK_BYTES, 0))
        return Owner(**found)
    except (ValueError, TypeError):
        return None
