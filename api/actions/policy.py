"""The policy: which alarms lead to which actions, in a file of the operator's.

    version: 1
    rules:
      - name: a pump with people behind it
        when: {model: Pump, severity: warning, minCustomers: 100}
        do:
          - workOrder: {title: "Look at {twin}", priority: high}
          - webhook: https://hooks.example.com/twinfall
          - command: {name: stop, within: PT2M}

Every rule whose `when` holds acts. The file is checked whole: all that is wrong is told at once,
each with its place and line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from twinfall.api.actions.addresses import target_of
from twinfall.graph.records import SEVERITIES, Severity
from twinfall.ontology.dependencies.sidecar import Sidecar, read_sidecar
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.dtdl.text import NotStrict
from twinfall.ontology.durations import duration_seconds
from twinfall.ontology.errors import BadInput, BadSettings

VERSION = 1
MAX_BYTES = 1_000_000
MAX_RULES = 500
MAX_ACTIONS = 20
MAX_SHOWN = 20
"""Problems told at once."""
MAX_TEXT = 500
WITHIN_SECONDS = 300.0
"""A command by a rule is not sent later than this after its alarm, unless the rule says so: what
was right then may be wrong in an hour."""
PLACES = ("twin", "model", "severity", "source", "state", "alarm", "incident", "affected")
"""What a text may name in braces."""
Event = Literal["raised", "cleared"]
Once = Literal["incident", "alarm"]
_STATES = ("ok", "degraded", "failed", "unknown")
_PRIORITIES = ("low", "normal", "high")
_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule may ask about an alarm. `models` has the twin's model and those it extends, by
    DTMI and by name; `values` fills in texts.
    """

    event: Event
    severity: Severity
    source: str
    state: str
    models: Collection[str]
    affected: int
    customers: float
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class When:
    """All that is given must hold; `severity` and the `min`s are lower bounds."""

    event: Event = "raised"
    model: str | None = None
    severity: Severity = "info"
    source: str | None = None
    state: str | None = None
    min_affected: int = 0
    min_customers: float = 0.0

    def holds(self, facts: Facts) -> bool:
        """Whether the rule acts."""
        return (
            self.event == facts.event
            and (self.model is None or self.model in facts.models)
            and SEVERITIES.index(self.severity) <= SEVERITIES.index(facts.severity)
            and self.source in (None, facts.source, facts.source.partition(":")[0])
            and self.state in (None, facts.state)
            and self.min_affected <= facts.affected
            and self.min_customers <= facts.customers
        )


@dataclass(frozen=True, slots=True)
class OpenWorkOrder:
    """A work order on the alarmed twin."""

    title: str
    priority: str = "normal"


@dataclass(frozen=True, slots=True)
class CallWebhook:
    """A POST that tells of alarm and impact."""

    url: str


@dataclass(frozen=True, slots=True)
class SendCommand:
    """A command to a twin, by default the alarmed one; not sent later than `within` seconds."""

    name: str
    twin: str = "{twin}"
    payload: Any = None
    within: float = WITHIN_SECONDS


@dataclass(frozen=True, slots=True)
class SetDesired:
    """A wish for the value of a property, which stands until another takes its place."""

    name: str
    value: Any
    twin: str = "{twin}"


Action: TypeAlias = OpenWorkOrder | CallWebhook | SendCommand | SetDesired


@dataclass(frozen=True, slots=True)
class Rule:
    """When what is done. `once` for each incident (its first alarm that matches, or its end), or
    for each alarm.
    """

    name: str
    when: When
    actions: tuple[Action, ...]
    once: Once = "incident"


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules, in the order of the file."""

    rules: tuple[Rule, ...] = ()

    def matching(self, facts: Facts) -> list[Rule]:
        """The rules that act."""
        return [rule for rule in self.rules if rule.when.holds(facts)]


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its braces filled in; only what the reader let through stands in braces."""
    return _BRACES.sub(lambda found: values.get(found[1], found[0]), text)


def read_policy(text: bytes, path: str, allowed: Collection[str] = ()) -> Policy:
    """The policy of a file's content. `allowed`: see `target_of`.

    Raises BadSettings with everything that is wrong.
    """
    try:
        if len(text) > MAX_BYTES:
            raise NotStrict("tooLarge", f"it is larger than {MAX_BYTES} bytes")
        source = read_sidecar(text)
    except NotStrict as error:
        line = f" line {error.line}" if error.line else ""
        raise BadSettings(error.message, path=f"{path}{line}", cure="correct the file") from None
    reader = _Reader(source, allowed)
    policy = reader.policy()
    if reader.problems:
        shown = "; ".join(reader.problems[:MAX_SHOWN])
        raise BadSettings(shown, path=path, cure="docs/actions.md has every member")
    return policy


_MISSING = object()


class _Reader:
    """Reads on after a problem, so that all are found."""

    def __init__(self, source: Sidecar, allowed: Collection[str]) -> None:
        self._source = source
        self._allowed = allowed
        self.problems: list[str] = []

    def policy(self) -> Policy:
        found = self._members(self._source.value, "", ("version", "rules"))
        if found.get("version") != VERSION or isinstance(found.get("version"), bool):
            self._problem("/version", f"it must be {VERSION}")
        rules = self._list(found.get("rules", []), "/rules", MAX_RULES)
        read = [self._rule(one, f"/rules/{n}") for n, one in enumerate(rules)]
        names = [rule.name for rule in read]
        for n, name in enumerate(names):
            if name and name in names[:n]:
                self._problem(f"/rules/{n}/name", f'there is a rule "{name}" already')
        return Policy(tuple(read))

    def _rule(self, value: Any, place: str) -> Rule:
        found = self._members(value, place, ("name", "when", "do", "once"))
        name = self._text(found, "name", place, required=True)
        once: Once = self._choice(found, "once", place, get_args(Once), "incident")
        when = self._when(found.get("when", {}), f"{place}/when")
        actions = self._list(found.get("do", _MISSING), f"{place}/do", MAX_ACTIONS)
        read = [self._action(one, f"{place}/do/{n}") for n, one in enumerate(actions)]
        return Rule(name, when, tuple(one for one in read if one is not None), once)

    def _when(self, value: Any, place: str) -> When:
        known = ("event", "model", "severity", "source", "state", "minAffected", "minCustomers")
        found = self._members(value, place, known)
        return When(
            self._choice(found, "event", place, get_args(Event), "raised"),
            self._text(found, "model", place) or None,
            self._choice(found, "severity", place, SEVERITIES, "info"),
            self._text(found, "source", place) or None,
            self._choice(found, "state", place, _STATES, None),
            int(self._number(found, "minAffected", place)),
            self._number(found, "minCustomers", place),
        )

    def _action(self, value: Any, place: str) -> Action | None:
        found = self._members(value, place, tuple(_ACTIONS))
        if len(found) != 1:
            if isinstance(value, dict) and not (value.keys() - found.keys()):
                self._problem(place, f"it must have one of {', '.join(_ACTIONS)}")
            return None
        [(kind, content)] = found.items()
        return _ACTIONS[kind](self, content, f"{place}/{kind}")

    def work_order(self, value: Any, place: str) -> Action:
        found = self._members(value, place, ("title", "priority"))
        title = self._template(found, "title", place)
        priority = self._choice(found, "priority", place, _PRIORITIES, "normal")
        return OpenWorkOrder(title or "{source}: {twin}", priority)

    def webhook(self, value: Any, place: str) -> Action:
        if not isinstance(value, str):
            self._problem(place, "it must be a URL")
            return CallWebhook("")
        try:
            target_of(value, self._allowed)
        except BadInput as error:
            self._problem(place, f"{error.message} ({error.cure})")
        return CallWebhook(value)

    def command(self, value: Any, place: str) -> Action:
        found = self._members(value, place, ("name", "twin", "payload", "within"))
        name = self._text(found, "name", place, required=True)
        within = duration_seconds(self._text(found, "within", place) or "PT5M")
        if within is None or within <= 0:
            self._problem(f"{place}/within", "it must be a duration such as PT5M")
        twin = self._template(found, "twin", place) or "{twin}"
        return SendCommand(name, twin, found.get("payload"), within or WITHIN_SECONDS)

    def desired(self, value: Any, place: str) -> Action:
        found = self._members(value, place, ("name", "twin", "value"))
        name = self._text(found, "name", place, required=True)
        if "value" not in found:
            self._problem(place, "`value` is missing")
        twin = self._template(found, "twin", place) or "{twin}"
        return SetDesired(name, found.get("value"), twin)

    # -- values ---------------------------------------------------------------------------

    def _members(self, value: Any, place: str, known: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._problem(place, f"it must have members: {', '.join(known)}")
            return {}
        for name in value:
            if name not in known:
                cure = did_you_mean(name, known) or f"known: {', '.join(known)}"
                self._problem(f"{place}/{name}", f"unknown member; {cure}")
        return {name: content for name, content in value.items() if name in known}

    def _list(self, value: Any, place: str, most: int) -> list[Any]:
        if not isinstance(value, list) or not 0 < len(value) <= most:
            self._problem(place, f"it must be a list of 1 to {most}")
            return []
        return value

    def _text(self, found: dict[str, Any], name: str, place: str, *, required: bool = False) -> str:
        value = found.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
            self._problem(f"{place}/{name}", f"it must be a text of 1 to {MAX_TEXT} characters")
            return ""
        return value

    def _template(self, found: dict[str, Any], name: str, place: str) -> str:
        text = self._text(found, name, place)
        for word in _BRACES.findall(text):
            if word not in PLACES:
                cure = did_you_mean(word, PLACES) or f"known: {', '.join(PLACES)}"
                self._problem(f"{place}/{name}", f"{{{word}}} stands for nothing; {cure}")
        return text

    def _choice(
        self, found: dict[str, Any], name: str, place: str, choices: tuple[str, ...], default: Any
    ) -> Any:
        value = found.get(name, default)
        if value is not default and value not in choices:
            self._problem(f"{place}/{name}", f"it must be one of {', '.join(choices)}")
            return default
        return value

    def _number(self, found: dict[str, Any], name: str, place: str) -> float:
        value = found.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            self._problem(f"{place}/{name}", "it must be a number from 0")
            return 0.0
        return float(value)

    def _problem(self, place: str, message: str) -> None:
        line = self._source.line(place)
        shown = f"{place or '/'} (line {line})" if line else place or "/"
        self.problems.append(f"{shown}: {message}")


_ACTIONS: Mapping[str, Callable[[_Reader, Any, str], Action]] = {
    "workOrder": _Reader.work_order,
    "webhook": _Reader.webhook,
    "command": _Reader.command,
    "desired": _Reader.desired,
}
