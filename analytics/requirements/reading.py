"""`read_requirements`: a file of requirements, checked whole against the models.

    version: 1
    requirements:
      - name: no hospital has a single point of failure
        of: {models: [Hospital], where: {beds: {gte: 100}}}
        require: {singlePointsOfFailure: {max: 0}}

All that is wrong is told at once, each with its line, its place and a cure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from twinfall.analytics.members import BadDocument, Members
from twinfall.analytics.requirements.demands import KINDS
from twinfall.analytics.requirements.requirement import (
    Demand,
    Evaluated,
    Named,
    Requirement,
    Requirements,
    Selection,
    Severity,
    Skip,
)
from twinfall.analytics.requirements.vocabulary import Vocabulary
from twinfall.analytics.requirements.where import condition
from twinfall.graph.plan import Condition
from twinfall.ontology.dependencies.sidecar import read_sidecar
from twinfall.ontology.dtdl.text import NotStrict
from twinfall.ontology.errors import Problem

VERSION = 1
MAX_BYTES = 1_000_000
MAX_REQUIREMENTS = 1_000
MAX_NAMES = 10_000
"""Of one list of ids or models."""
NANO = 1_000_000_000
_MEMBERS = ("name", "description", "of", "require", "severity", "optional", "skip")
_OF = ("all", "models", "ids", "services", "where", "except")


class BadRequirements(BadDocument):
    """A file of requirements that cannot be judged as written; `problems` lists all."""

    code = "BAD_REQUIREMENTS"
    place = "requirements"
    page = "docs/requirements.md"


def read_requirements(
    text: str | bytes | Mapping[str, Any], vocabulary: Vocabulary
) -> Requirements:
    """The requirements of a text (YAML or JSON), or of its parsed content.

    Raises BadRequirements with everything that is wrong.
    """
    try:
        if isinstance(text, str | bytes) and len(text) > MAX_BYTES:
            raise NotStrict("tooLarge", f"it is larger than {MAX_BYTES} bytes")
        source = read_sidecar(text)
    except NotStrict as error:
        problem = Problem(error.code, error.message, "/", line=error.line)
        raise BadRequirements([problem]) from None
    members = Members(source)
    found = _Reader(members, vocabulary).read(source.value)
    if members.problems:
        raise BadRequirements(members.problems, members.more)
    return found


class _Reader:
    def __init__(self, members: Members, vocabulary: Vocabulary) -> None:
        self.members = members
        self.vocabulary = vocabulary

    def read(self, value: Any) -> Requirements:
        found = self.members.mapping(value, "", ("version", "requirements"))
        version = found.get("version")
        if version != VERSION or isinstance(version, bool):
            self.members.bad("badVersion", "/version", f"it must be {VERSION}")
        rows = self.members.rows(found.get("requirements"), "/requirements", MAX_REQUIREMENTS)
        items: list[Requirement] = []
        for n, row in enumerate(rows):
            one = self._requirement(row, f"/requirements/{n}")
            if one.name and one.name in (other.name for other in items):
                message = f'there is a requirement "{one.name}" already'
                self.members.bad("duplicateName", f"/requirements/{n}/name", message)
            items.append(one)
        return Requirements(tuple(items))

    def _requirement(self, value: Any, place: str) -> Requirement:
        found = self.members.mapping(value, place, _MEMBERS)
        if not found:
            return Requirement("", Selection(), "", Evaluated())
        kind, demand = self._demand(found.get("require"), f"{place}/require")
        severity: Severity = self.members.choice(found, "severity", place, ("error", "warn")) or (
            "error"
        )
        return Requirement(
            self.members.text(found, "name", place, required=True),
            self._selection(found.get("of"), f"{place}/of"),
            kind,
            demand,
            self.members.text(found, "description", place),
            severity,
            self.members.truth(found, "optional", place) or False,
            self._skip(found["skip"], f"{place}/skip") if "skip" in found else None,
            self.members.line(place),
        )

    def _demand(self, value: Any, place: str) -> tuple[str, Demand]:
        found = self.members.mapping(value, place, tuple(KINDS))
        if len(found) != 1:
            if isinstance(value, dict) and not value.keys() - found.keys():
                self.members.bad("badRequire", place, f"it must have one of {', '.join(KINDS)}")
            return "", Evaluated()
        [(kind, content)] = found.items()
        read = KINDS[kind](self.members, self.vocabulary, self.named)
        return kind, read.demand(content, f"{place}/{kind}")

    # -- of -------------------------------------------------------------------------------

    def _selection(self, value: Any, place: str) -> Selection:
        found = self.members.mapping(value, place, _OF)
        given = [name for name in _OF[:-1] if name in found]
        if isinstance(value, dict) and not given and not value.keys() - set(_OF):
            message = "it selects nobody"
            cure = "name models, ids or services, or say {all: true}"
            self.members.bad("emptySelection", place, message, cure)
        if "all" in found and (found["all"] is not True or len(given) > 1):
            message = "`all` is true, and stands alone"
            self.members.bad("badSelection", f"{place}/all", message)
        models = self._models(found["models"], f"{place}/models") if "models" in found else None
        return Selection(
            models,
            self._ids(found["ids"], f"{place}/ids") if "ids" in found else None,
            self._services(found["services"], f"{place}/services") if "services" in found else None,
            self._where(found, place) if "where" in found else None,
            self.named(found["except"], f"{place}/except") if "except" in found else Named(),
        )

    def _where(self, found: Mapping[str, Any], place: str) -> Condition | None:
        if "models" not in found:
            message = "it needs `models`, whose properties it asks about"
            self.members.bad("badWhere", f"{place}/where", message)
            return None
        given = found["models"] if isinstance(found["models"], list) else ()
        named = [self.vocabulary.dtmi(m) for m in given if isinstance(m, str)]
        models = [m for m in named if m is not None]
        return condition(found["where"], f"{place}/where", self.members, self.vocabulary, models)

    def _models(self, value: Any, place: str) -> tuple[str, ...]:
        family: dict[str, None] = {}
        for n, name in enumerate(self.members.texts(value, place, MAX_NAMES)):
            dtmi = self.vocabulary.dtmi(name)
            if dtmi is None:
                cure = self.vocabulary.near_model(name)
                message = f"no model is called {name[:200]!r}"
                self.members.bad("unknownModel", f"{place}/{n}", message, cure)
                continue
            family |= dict.fromkeys(self.vocabulary.ontology.family(dtmi))
        return tuple(family)

    def _ids(self, value: Any, place: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.members.texts(value, place, MAX_NAMES)))

    def _services(self, value: Any, place: str) -> tuple[str, ...]:
        found = self.members.texts(value, place, MAX_NAMES)
        for n, service in enumerate(found):
            self.vocabulary.check_service(service, f"{place}/{n}", self.members)
        return tuple(dict.fromkeys(found))

    def named(self, value: Any, place: str) -> Named:
        """A list of ids, or `{ids, models}`."""
        if isinstance(value, list):
            return Named(self._ids(value, place))
        found = self.members.mapping(value, place, ("ids", "models"))
        return Named(
            self._ids(found["ids"], f"{place}/ids") if "ids" in found else (),
            self._models(found["models"], f"{place}/models") if "models" in found else (),
        )

    # -- skip -----------------------------------------------------------------------------

    def _skip(self, value: Any, place: str) -> Skip:
        found = self.members.mapping(value, place, ("until", "reason"))
        reason = self.members.text(found, "reason", place, required=True)
        until = self.members.text(found, "until", place, required=True)
        at = _instant(until)
        if until and at is None:
            message = f"{until[:50]!r} is no date"
            cure = "such as 2027-01-31, or a time with zone: 2027-01-31T06:00:00Z"
            self.members.bad("badDate", f"{place}/until", message, cure)
        return Skip(at or 0, reason)


def _instant(text: str) -> int | None:
    """A day's beginning in UTC, or a time with zone, in ns."""
    try:
        if len(text) == len("2027-01-31"):
            moment = datetime.combine(date.fromisoformat(text), time(), UTC)
        else:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                return None
        return round(moment.timestamp()) * NANO
    except (ValueError, OverflowError):
        return None
