"""What a judge says: a batch to apply, and every reason why rows were refused.

Codes of refused rows: BAD_ID, BAD_VALUE, UNKNOWN_NAME, UNKNOWN_TWIN, UNKNOWN_RELATIONSHIP,
NOT_ALLOWED (the ontology forbids it), IS_COMPONENT (write the owner), DUPLICATE (twice in one
batch), EXISTS, STALE_VERSION, TOO_LARGE.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from twinfall.graph.twins import Batch, Change, ChangeKind, Edge, Node, RelationshipKey
from twinfall.ontology.errors import RowError

MAX_SEARCHES = 50
MAX_SEARCHED = 200
"""Characters of a wrong name that are looked at."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a row; `path` is a JSON pointer into its values."""

    code: str
    message: str
    path: str = ""
    cure: str = ""


class RowFault(Exception):
    """Ends the judgement of one row."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults)
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Writing:
    """Who writes, why and when; `id` names the batch."""

    id: str
    at: str
    who: str = ""
    why: str = ""

    def change(self, kind: ChangeKind, subject: str, **what: Any) -> Change:
        """An entry for the change feed; `what` may give model, version, before and after."""
        entry: dict[str, Any] = {"model": None, "version": None, "before": None, "after": None}
        entry.update(what)
        return Change(
            seq=0, kind=kind, subject=subject, at=self.at, who=self.who, why=self.why, **entry
        )


@dataclass(slots=True)
class Verdict:
    """Grows row by row; `accepted` counts rows, those that change nothing included."""

    accepted: int = 0
    refused: list[RowError] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    drop_nodes: list[str] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    drop_edges: list[RelationshipKey] = field(default_factory=list)
    expected: dict[str, int] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def refuse(self, index: int, fault: RowFault) -> None:
        """Note why row `index` is refused."""
        self.refused.extend(
            RowError(index, f.code, f.message, f.path, f.cure) for f in fault.faults
        )

    def batch(self, id_: str) -> Batch:
        """All that was accepted, as one batch."""
        return Batch(
            id=id_,
            nodes=tuple(self.nodes),
            drop_nodes=tuple(self.drop_nodes),
            edges=tuple(self.edges),
            drop_edges=tuple(self.drop_edges),
            expected=self.expected,
            changes=tuple(self.changes),
        )


class Suggestions:
    """Cures that name the nearest known name, at most MAX_SEARCHES different ones a batch: the
    search takes milliseconds, and a batch may have thousands of rows with wrong names.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, ...], str] = {}

    def near(self, name: object, known: Iterable[str]) -> str:
        """`did you mean 'flow'?`; empty where no name is near."""
        here = (str(name)[:MAX_SEARCHED], *known)
        if here not in self._found:
            if len(self._found) >= MAX_SEARCHES:
                return ""
            near = get_close_matches(here[0], here[1:], n=1, cutoff=0.6)
            self._found[here] = f"did you mean {near[0]!r}?" if near else ""
        return self._found[here]
