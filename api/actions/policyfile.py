"""The policy's file, read again when it changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from pathlib import Path

from twinfall.api.actions.policy import MAX_BYTES, Policy, read_policy
from twinfall.ontology.errors import BadSettings

FILE_NAME = "twinfall.policy.yaml"
log = logging.getLogger("twinfall.actions")


class PolicyFile:
    """The policy at `path`; without a file nothing is done but recording. `named`: the operator
    named the file, so that it must be there.

    Raises BadSettings for a bad file at the start. Changed into a bad one later, the policy of
    before holds on, and the log and `problem` say why.
    """

    def __init__(self, path: Path, allowed: Collection[str] = (), *, named: bool = False) -> None:
        self.path = path
        self.problem = ""
        self._allowed = tuple(allowed)
        self._named = named
        self._lock = threading.Lock()
        self._stamp = self._stamp_now()
        self._policy = self._read()

    def current(self) -> Policy:
        """The policy as the file has it now."""
        with self._lock:
            try:
                stamp = self._stamp_now()
                if stamp != self._stamp:
                    self._stamp = stamp
                    self._policy = self._read()
                    self.problem = ""
                    log.info("the policy has %d rules now", len(self._policy.rules))
            except BadSettings as error:
                if str(error) != self.problem:
                    log.error("the policy of before holds on: %s", error)
                self.problem = str(error)
            return self._policy

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            if self._named:
                raise BadSettings(
                    "there is no such file", path=str(self.path), cure="TWINFALL_POLICY names it"
                ) from None
            return None
        except OSError as error:
            raise self._unreadable(error) from error
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _read(self) -> Policy:
        if self._stamp is None:
            return Policy()
        try:
            with self.path.open("rb") as file:
                text = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise self._unreadable(error) from error
        return read_policy(text, str(self.path), self._allowed)

    def _unreadable(self, error: OSError) -> BadSettings:
        return BadSettings(f"the policy cannot be read: {error.strerror}", path=str(self.path))
