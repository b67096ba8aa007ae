"""Members of a document, read on after a problem so that all are found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from twinfall.ontology.dependencies.sidecar import Sidecar
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.durations import CURE, duration_seconds, why_no_duration
from twinfall.ontology.errors import MAX_PROBLEMS, ModelInvalid, Problem

MAX_TEXT = 500
MAX_NUMBER = 1e15
MAX_STEP = 200
MAX_SAID = 5
"""Problems that the message of the error has; `problems` has all."""


class BadDocument(ModelInvalid):
    """A document of ours that cannot be used as written; `problems` has what is wrong with it, as
    far as that is told, and `more` counts the rest. Each kind of document has its own code, place
    and page.
    """

    place = ""
    page = ""

    def __init__(self, problems: Sequence[Problem], more: int = 0) -> None:
        count = len(problems)
        text = f"{count} problem{'' if count == 1 else 's'}"
        if more:
            text += f" and {more} more"
        super().__init__(problems, text)
        self.more = more
        self.message = "; ".join([text, *map(_placed, problems[:MAX_SAID])])
        self.path = self.place
        self.cure = f"{self.page} has every member"


class Members:
    """Reads values by their place (a JSON pointer) and notes what is wrong with them."""

    def __init__(self, source: Sidecar, most: int = MAX_PROBLEMS) -> None:
        self._source = source
        self._most = most
        self.problems: list[Problem] = []
        self.more = 0
        """Problems beyond the `most` that are kept."""

    def line(self, place: str) -> int | None:
        """The line of a place, one-based, where known."""
        return self._source.line(place)

    def bad(self, code: str, place: str, message: str, cure: str = "") -> None:
        """Note one problem."""
        if len(self.problems) >= self._most:
            self.more += 1
            return
        line = self.line(place)
        self.problems.append(Problem(code, message, place or "/", line=line, cure=cure))

    def mapping(self, value: Any, place: str, known: Sequence[str]) -> dict[str, Any]:
        """The known members; others are noted."""
        if not isinstance(value, dict):
            self.bad("notMembers", place, f"it must have members: {', '.join(known)}")
            return {}
        for name in value:
            if name not in known:
                cure = did_you_mean(name, known) or f"known: {', '.join(known)}"
                self.bad("unknownMember", f"{place}/{step(name)}", "unknown member", cure)
        return {name: content for name, content in value.items() if name in known}

    def rows(self, value: Any, place: str, most: int) -> list[Any]:
        """A list that is not empty."""
        if not isinstance(value, list) or not 0 < len(value) <= most:
            self.bad("notList", place, f"it must be a list of 1 to {most}")
            return []
        return value

    def texts(self, value: Any, place: str, most: int) -> list[str]:
        """A list of texts."""
        found = []
        for n, one in enumerate(self.rows(value, place, most)):
            if isinstance(one, str) and 0 < len(one) <= MAX_TEXT:
                found.append(one)
            else:
                self.bad("notText", f"{place}/{n}", f"it must be a text of 1 to {MAX_TEXT} letters")
        return found

    def text(
        self, found: Mapping[str, Any], name: str, place: str, *, required: bool = False
    ) -> str:
        """A text; empty where there is none."""
        value = found.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not 0 < len(value.strip()) <= MAX_TEXT:
            message = f"it must be a text of 1 to {MAX_TEXT} letters"
            self.bad("notText", f"{place}/{name}", message)
            return ""
        return value

    def truth(self, found: Mapping[str, Any], name: str, place: str) -> bool | None:
        """True or false; None where it is not given."""
        value = found.get(name)
        if name in found and not isinstance(value, bool):
            self.bad("notBoolean", f"{place}/{name}", "it must be true or false")
            return None
        return value

    def choice(
        self, found: Mapping[str, Any], name: str, place: str, choices: Sequence[str]
    ) -> Any:
        """One of these words; None where it is not given."""
        value = found.get(name)
        if name in found and value not in choices:
            self.bad("badWord", f"{place}/{name}", f"it must be one of {', '.join(choices)}")
            return None
        return value

    def count(self, found: Mapping[str, Any], name: str, place: str, default: int | None) -> int:
        """A whole number from 0; without a default it must be there."""
        value = found.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_NUMBER:
            self.bad("notCount", f"{place}/{name}", "it must be a whole number from 0")
            return 0
        return value

    def number(self, value: Any, place: str) -> float:
        """A number from 0."""
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(value) or not 0 <= value <= MAX_NUMBER:
            self.bad("notNumber", place, "it must be a number from 0")
            return 0.0
        return float(value)

    def duration(self, found: Mapping[str, Any], name: str, place: str) -> float | None:
        """Seconds; None where it is not given."""
        if name not in found:
            return None
        value = found[name]
        seconds = duration_seconds(value) if isinstance(value, str) else None
        if seconds is None:
            message = why_no_duration(value) if isinstance(value, str) else "it must be a duration"
            self.bad("badDuration", f"{place}/{name}", message, CURE)
            return 0.0
        return seconds


def _placed(problem: Problem) -> str:
    line = f"line {problem.line} " if problem.line else ""
    cure = f" ({problem.cure})" if problem.cure else ""
    return f"{line}{problem.path}: {problem.message}{cure}"


def step(name: str) -> str:
    """A name as a step of a JSON pointer; who wrote a very long one knows how it goes on."""
    name = name if len(name) <= MAX_STEP else f"{name[:MAX_STEP]}..."
    return name.replace("~", "~0").replace("/", "~1")
