"""Imports that go in only if the requirements hold afterwards.

The file is judged on a copy of the graph, and taken in while nobody else writes. What was written
between the copy and that moment would make the verdict one about another graph: it is judged again
then, with everybody waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from twinfall.analytics.requirements import (
    BadRequirements,
    GraphTwins,
    Vocabulary,
    check,
    read_requirements,
)
from twinfall.api.graphql.requirements import told
from twinfall.api.requirements.breaking import BreaksRequirement
from twinfall.api.requirements.preview import arrays_of, imported, preview
from twinfall.api.requirements.telling import is_fine
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import ImportReport, export_rows

Lines = Callable[[], Iterable[bytes]]
Take = Callable[[Iterable[bytes]], ImportReport]


@dataclass(frozen=True, slots=True)
class Guard:
    """Requirements (as text) of which an import may break none that holds now. `waiting` is called
    now and then while they are judged.
    """

    requirements: str
    waiting: Callable[[], None] = lambda: None

    def take(self, graph: Graph, lines: Lines, take: Take) -> ImportReport:
        """Have `take` import the lines, which can be had several times, or nothing of them.

        Raises BreaksRequirement, BadRequirements. Others read meanwhile, and wait to write.
        """
        cursor = graph.cursor()
        refusal = self._refusal(graph, lines)
        if refusal is not None and graph.cursor() == cursor:
            raise refusal
        with graph.alone():
            if graph.cursor() != cursor:
                refusal = self._refusal(graph, lines)
            if refusal is not None:
                raise refusal
            return take(lines())

    def _refusal(self, graph: Graph, lines: Lines) -> BreaksRequirement | None:
        """Why the lines may not be imported; refused rows are left out, as in the import."""
        with preview(export_rows(graph), waiting=self.waiting) as copy:
            try:
                now = judged(copy, self.requirements)["findings"]
            except BadRequirements:
                now = []  # it may be about models that only this file brings
            imported(copy, lines(), lambda *_: None, self.waiting)
            after = judged(copy, self.requirements)
        bad_now = {one["name"] for one in now if not is_fine(one)}
        bad = (one for one in after["findings"] if not is_fine(one))
        worse = [one for one in bad if one["name"] not in bad_now]
        return BreaksRequirement(worse, after["snapshot"]) if worse else None


def judged(graph: Graph, text: str) -> dict[str, Any]:
    """The report on a graph, as if all its assets were well."""
    found = read_requirements(text, Vocabulary.of(graph.models))
    return told(check(found, arrays_of(graph), time.time_ns(), GraphTwins(graph.fetch)))
