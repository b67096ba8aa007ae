"""`GET /backup`: the archive of a running service, for who may do everything."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from twinfall.api.asking import Admit
from twinfall.api.backup import BLOCK_BYTES, Snapshot, write_backup
from twinfall.api.services import Services
from twinfall.ontology.errors import Refused, Unavailable


class Backups:
    """Answers `/backup`, one at a time."""

    def __init__(self, services: Services, admit: Admit) -> None:
        self._services = services
        self._admit = admit
        self._one = threading.Lock()

    async def give(self, request: Request) -> Response:
        """The whole archive as a download; nothing is sent before it is complete."""
        if not self._admit(request).writes:
            raise Refused("only an admin may take a backup", cure="use a key with role admin")
        if not self._one.acquire(blocking=False):
            raise Unavailable("a backup is being taken", code="OVERLOADED", cure="wait for it")
        try:
            archive = await run_in_threadpool(self._taken)
        except BaseException:
            self._one.release()
            raise
        headers = {
            "content-disposition": 'attachment; filename="twinfall-backup.zip"',
            "content-length": str(archive.stat().st_size),
        }
        blocks = self._blocks(archive)
        return StreamingResponse(blocks, headers=headers, media_type="application/zip")

    def _taken(self) -> Path:
        services = self._services
        place = Path(tempfile.mkdtemp(prefix=".download-", dir=services.folder))
        target = place / "backup.zip"
        try:
            write_backup(
                services.folder,
                services.graph,
                target,
                embedded=services.settings.store == "sqlite",
                history=history_of(services),
            )
        except BaseException:
            _remove(place)
            raise
        return target

    def _blocks(self, archive: Path) -> Iterator[bytes]:
        try:
            with archive.open("rb") as file:
                while block := file.read(BLOCK_BYTES):
                    yield block
        finally:
            _remove(archive.parent)
            self._one.release()


def history_of(services: Services) -> tuple[str, Snapshot] | None:
    """Where the history lies in the folder and how it is copied; None where there is none."""
    telemetry = getattr(services, "telemetry", None)
    if telemetry is None:
        return None
    return "history", telemetry.history.snapshot


def _remove(place: Path) -> None:
    for path in place.iterdir():
        path.unlink()
    place.rmdir()
