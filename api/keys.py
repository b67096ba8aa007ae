"""API keys at rest: hashed, in one file of the data folder that only its owner can read.

A key is `tw_` and 256 random bits, so one plain SHA-256 is as hard to turn round as the key is to
guess; a slow hash would only make every request slow. The key is shown once, when it is made.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import get_args

from twinfall.api.access import Access, Role
from twinfall.api.folder import unusable
from twinfall.ontology.errors import BadInput, BadSettings, Conflict, UnknownName

FORMAT = 1
MAX_KEYS = 1000
MAX_KEY_LENGTH = 128
ROLES: tuple[Role, ...] = get_args(Role)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Key:
    """One key as kept: its hash, and `shown`, the first characters by which people know it."""

    name: str
    role: Role
    sha256: str
    shown: str
    created: str


class Keys:
    """The keys of one data folder. Reads the file again when somebody changed it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "keys.json"
        self._stamp: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()

    def all(self) -> tuple[Key, ...]:
        """The keys by name, as the file has them now."""
        stamp = self._stamp_now()
        if stamp != self._stamp:
            self._keys = self._read() if stamp else ()
            self._stamp = stamp
        return self._keys

    def find(self, shown_key: str) -> Access | None:
        """Who shows this key; None for an unknown one. Takes the same time for every key."""
        given = hashlib.sha256(shown_key[:MAX_KEY_LENGTH].encode()).hexdigest()
        found: Access | None = None
        for key in self.all():
            if hmac.compare_digest(key.sha256, given):
                found = Access(key.name, key.role)
        return found

    def create(self, name: str, role: Role, now: datetime) -> str:
        """Keep a new key; its text, which nobody can read again."""
        if not _NAME.fullmatch(name):
            raise BadInput(
                f"{name!r} cannot name a key",
                code="BAD_NAME",
                cure="1 to 64 letters, digits, `.`, `_` or `-`, beginning with a letter or digit",
            )
        text = "tw_" + secrets.token_urlsafe(32)
        digest = hashlib.sha256(text.encode()).hexdigest()
        created = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        with self._changing() as keys:
            if any(k.name == name for k in keys):
                raise Conflict(
                    f"there is a key called {name}",
                    code="EXISTS",
                    cure=f"choose another name, or `twinfall key revoke {name}` first",
                )
            if len(keys) >= MAX_KEYS:
                raise BadInput(f"there are {MAX_KEYS} keys already", cure="revoke some")
            self._write([*keys, Key(name, role, digest, text[:7], created)])
        return text

    def revoke(self, name: str) -> None:
        """Forget a key; a running server refuses it from its next request on."""
        with self._changing() as keys:
            if not any(k.name == name for k in keys):
                known = ", ".join(k.name for k in keys) or "none"
                raise UnknownName(f"no key is called {name}", cure=f"known: {known}")
            self._write([k for k in keys if k.name != name])

    @contextmanager
    def _changing(self) -> Iterator[tuple[Key, ...]]:
        """One change at a time, also between processes."""
        try:
            lock = os.open(self._path.with_name("keys.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise unusable(error, self._path) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.all()
        finally:
            os.close(lock)

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unusable(error, self._path) from error
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _read(self) -> tuple[Key, ...]:
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            if document["format"] != FORMAT:
                raise ValueError
            return tuple(Key(**row) for row in document["keys"])
        except OSError as error:
            raise unusable(error, self._path) from error
        except (ValueError, KeyError, TypeError):
            # Never "no keys": that would open a server whose keys were damaged.
            raise BadSettings(
                "the keys cannot be read", path=str(self._path), cure="restore it from a backup"
            ) from None

    def _write(self, keys: list[Key]) -> None:
        rows = [asdict(k) for k in sorted(keys, key=lambda k: k.name)]
        text = json.dumps({"format": FORMAT, "keys": rows}, indent=1) + "\n"
        try:
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix="keys.")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(handle)
            Path(name).replace(self._path)
        except OSError as error:
            raise unusable(error, self._path) from error
