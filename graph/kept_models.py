"""Compiled model sets on disk, so that a start need not parse thousands of models again."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from twinfall.ontology import Ontology, parse
from twinfall.ontology.ontology import content_hash
from twinfall.ontology.packing import pack, unpack

ENDING = ".ontology"
KEPT = 2
"""Model sets kept: the newest ones."""
WORTHWHILE = 50
"""Documents from which keeping pays."""
log = logging.getLogger("twinfall.graph")


class KeptModels:
    """A folder of compiled model sets, each named by its content. What cannot be read or written
    there is parsed anew: nothing depends on it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ontology(self, documents: Sequence[str]) -> Ontology:
        """The ontology of these documents, kept or parsed. Raises as `parse`."""
        if len(documents) < WORTHWHILE:
            return parse(documents)
        path = self._path(content_hash(documents))
        with contextlib.suppress(OSError):
            found = unpack(path.read_bytes(), documents)
            if found is not None:
                return found
        ontology = parse(documents)
        self.keep(ontology)
        return ontology

    def keep(self, ontology: Ontology) -> None:
        """Keep it for the next start."""
        if len(ontology.documents) < WORTHWHILE:
            return
        path = self._path(ontology.hash)
        new = path.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with new.open("wb") as file:
                file.write(pack(ontology))
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
            self._forget_older()
        except OSError as error:
            log.warning("the compiled models are not kept: %s", error)

    def _path(self, content: str) -> Path:
        return self._folder / f"{content[:32]}{ENDING}"

    def _forget_older(self) -> None:
        files = sorted(self._folder.glob(f"*{ENDING}"), key=lambda path: path.stat().st_mtime)
        for path in files[:-KEPT]:
            path.unlink(missing_ok=True)
