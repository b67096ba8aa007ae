"""The file of the requirements that a service keeps, read again when it changed."""

from __future__ import annotations

from pathlib import Path

from twinfall.analytics.requirements.reading import MAX_BYTES
from twinfall.ontology.errors import BadSettings

FILE_NAME = "twinfall.requirements.yaml"
Stamp = tuple[int, int, int] | None


class RequirementsFile:
    """The file at `path`; without one there is nothing to keep. `named`: the operator named it,
    so that it must be there at the start (BadSettings).
    """

    def __init__(self, path: Path, *, named: bool = False) -> None:
        self.path = path
        if named and self.stamp() is None:
            raise BadSettings(
                "there is no such file", path=str(path), cure="TWINFALL_REQUIREMENTS names it"
            )

    def stamp(self) -> Stamp:
        """Another one when the file is another one; None where there is none."""
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def read(self) -> bytes:
        """What it says. Raises BadSettings where it cannot be read."""
        try:
            with self.path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError as error:
            raise BadSettings(
                f"the requirements cannot be read: {error.strerror}", path=str(self.path)
            ) from error
