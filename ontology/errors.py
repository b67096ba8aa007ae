"""Every error Twinfall raises on purpose, sorted by who must act.

TwinError
├── BadInput        the caller must change what was sent
│   ├── ModelInvalid      BAD_MODEL       a model set breaks the DTDL rules; carries all problems
│   ├── ModelIncomplete   BAD_MODEL       a model set refers to models that were not given
│   ├── BadQuery          BAD_QUERY
│   ├── BadReading        BAD_READING
│   ├── BadRows           BAD_ROWS        a batch was refused whole; carries every failed row
│   ├── UnknownName       UNKNOWN_NAME
│   └── UnknownTwin       UNKNOWN_TWIN
├── Refused         UNAUTHENTICATED, FORBIDDEN, TOO_COSTLY, TOO_LARGE, RATE_LIMITED
├── Conflict        EXISTS, IN_USE, STALE_VERSION, GRAPH_IN_USE
├── Unavailable     STORE_UNAVAILABLE: wait and retry
└── BadSettings     BAD_SETTINGS: the operator, at start

Anything else that escapes is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


class TwinError(Exception):
    """An error that names its cause, its place (`path`) and its cure."""

    code = "INTERNAL"
    retryable = False

    def __init__(
        self, message: str, *, code: str | None = None, path: str = "", cure: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.cure = cure
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        cure = f" ({self.cure})" if self.cure else ""
        return f"{place}{self.message}{cure}"


class BadInput(TwinError):
    """What was sent is wrong; sending it again unchanged cannot help."""

    code = "BAD_INPUT"


class BadQuery(BadInput):
    """A query that cannot be parsed, planned or answered as asked."""

    code = "BAD_QUERY"


class BadReading(BadInput):
    """A reading that the ontology or the wire format refuses."""

    code = "BAD_READING"


class UnknownName(BadInput):
    """A model, field, relationship or setting nobody declared."""

    code = "UNKNOWN_NAME"


class UnknownTwin(BadInput):
    """No twin has this id."""

    code = "UNKNOWN_TWIN"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a model set or an instance.

    `code` is the reference parser's error code (`badType`), `path` the JSON path inside the
    document (`/contents/2/schema`), `document` its position among those given, `line` one-based
    where known, `element` the DTMI of the element at fault.
    """

    code: str
    message: str
    path: str = ""
    document: int | None = None
    line: int | None = None
    element: str = ""
    cure: str = ""

    def __str__(self) -> str:
        place = "" if self.document is None else f"document {self.document}"
        place = f"{place} {self.path}".strip()
        cure = f" ({self.cure})" if self.cure else ""
        return f"{place}: {self.message}{cure} [{self.code}]" if place else self.message + cure


class ModelInvalid(BadInput):
    """A model set that breaks the rules of DTDL; `problems` lists all of them."""

    code = "BAD_MODEL"

    def __init__(self, problems: Sequence[Problem], message: str = "") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        text = message or f"{count} problem{'' if count == 1 else 's'} in the models"
        super().__init__("; ".join([text, *(str(p) for p in self.problems[:3])]))


MAX_PROBLEMS = 1_000
"""Of one set of models or declarations; reading stops there."""


def stop_at_limit(problems: Sequence[Problem]) -> None:
    """Raise ModelInvalid once there are so many problems that nobody will read on."""
    if len(problems) >= MAX_PROBLEMS:
        raise ModelInvalid(problems, f"at least {MAX_PROBLEMS} problems; reading stopped")


class ModelIncomplete(BadInput):
    """A model set that refers to elements that nobody defined; `undefined` lists their DTMIs."""

    code = "BAD_MODEL"

    def __init__(self, undefined: Sequence[str]) -> None:
        self.undefined = tuple(undefined)
        shown = ", ".join(self.undefined[:5]) + (" ..." if len(self.undefined) > 5 else "")
        super().__init__(
            f"these models are referred to but were not given: {shown}",
            cure="load them together with the models that use them",
        )


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one row of a batch was refused. `index` is the row's position in the batch."""

    index: int
    code: str
    message: str
    path: str = ""
    cure: str = ""


class BadRows(BadInput):
    """A batch was refused whole; `rows` has a reason for every failed row."""

    code = "BAD_ROWS"

    def __init__(self, rows: Sequence[RowError]) -> None:
        self.rows = tuple(rows)
        first = self.rows[0]
        super().__init__(
            f"{len(self.rows)} row(s) refused, nothing written; row {first.index}: {first.message}"
        )


class Refused(TwinError):
    """Understood, and not allowed: the caller's rights or the server's limits."""

    code = "FORBIDDEN"


class Conflict(TwinError):
    """The world is not as the caller believed: EXISTS, IN_USE, STALE_VERSION, GRAPH_IN_USE."""

    code = "STALE_VERSION"


class Unavailable(TwinError):
    """A store or service is away for now; the same call may succeed later."""

    code = "STORE_UNAVAILABLE"
    retryable = True


class BadSettings(TwinError):
    """The operator must change a setting, a file or a right before Twinfall can start."""

    code = "BAD_SETTINGS"


@dataclass(slots=True)
class Problems:
    """Collects problems while reading on, so that a user sees all of them at once."""

    found: list[Problem] = field(default_factory=list)

    def add(self, code: str, message: str, path: str = "", **place: object) -> None:
        """Note one problem; `place` takes the other fields of `Problem`."""
        self.found.append(Problem(code, message, path, **place))  # type: ignore[arg-type]
