"""Groups: the feeds of one consumer with one group name, across relationships and directions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from twinfall.ontology.declarations import Binding, Feed, Group
from twinfall.ontology.dependencies.feeds import Declared
from twinfall.ontology.dependencies.vocabulary import FEED, GROUP
from twinfall.ontology.errors import Problem
from twinfall.ontology.ontology import Ontology

_NO_VALUE = object()


@dataclass(slots=True)
class Grouping:
    """Feeds put together by consumer. `feeds` is by interface, then content."""

    ontology: Ontology
    declared: Mapping[str, Mapping[str, Declared]]
    problems: list[Problem] = field(default_factory=list)
    groups: dict[str, dict[str, Group]] = field(default_factory=dict)
    _towards: dict[str | None, list[Declared]] = field(default_factory=dict)

    def build(self) -> None:
        """Find every consumer's groups and judge them."""
        for feeds in self.declared.values():
            for declared in feeds.values():
                if declared.get("mode") == "directed" and declared.get("dependent") == "target":
                    self._towards.setdefault(declared.consumer, []).append(declared)
        consumers = list(self.ontology.interfaces) if self._towards else list(self.declared)
        for dtmi in consumers:
            named = self._named(dtmi)
            if named:
                self.groups[dtmi] = {n: self._group(feeds) for n, feeds in named.items()}

    def _named(self, dtmi: str) -> dict[str, list[Declared]]:
        named: dict[str, list[Declared]] = {}
        for declared in self._feeding(dtmi):
            named.setdefault(declared.group, []).append(declared)
        return named

    def _feeding(self, dtmi: str) -> Iterator[Declared]:
        for declared in self.declared.get(dtmi, {}).values():
            if declared.get("mode") == "directed" and declared.get("dependent") == "source":
                yield declared
        for ancestor in (dtmi, *self.ontology.interfaces[dtmi].ancestors):
            yield from self._towards.get(ancestor, ())
        yield from self._towards.get(None, ())

    def _group(self, feeds: list[Declared]) -> Group:
        values: dict[str, Any] = {}
        for name in sorted(GROUP):
            given = [d for d in feeds if name in d.members]
            if not given:
                continue
            first = given[0]
            values[FEED[name].attribute] = first.members[name]
            for other in given[1:]:
                if other.members[name] != first.members[name]:
                    self._differs(name, first, other)
        group = Group(**values)
        self._check_k(group, feeds)
        return group

    def _differs(self, name: str, first: Declared, other: Declared) -> None:
        message = (
            f'"{name}" of the group "{other.group}" is given differently: '
            f"{_said(other.members[name])} here, {_said(first.members[name])} by "
            f'"{first.content.name}"'
        )
        cure = "a group has one; give it once"
        self.problems.append(other.places[name].problem("declaredTwice", message, cure))

    def _check_k(self, group: Group, feeds: list[Declared]) -> None:
        """A constant `k` that no twin can ever reach."""
        if group.rule != "atLeast" or isinstance(group.k, Binding) or group.k is None:
            return
        most = 0
        for declared in feeds:
            limit = 1 if declared.content.kind == "Component" else declared.content.max_multiplicity
            if limit is None or declared.get("dependent") == "target":
                return
            most += limit
        if group.k > most:
            place = next(d.places["k"] for d in feeds if "k" in d.members)
            message = f"k is {group.k}, but there can be only {most} feeds"
            self.problems.append(place.problem("outOfRange", message, f"k is 1 to {most}"))

    def spread(self) -> dict[str, dict[str, Feed]]:
        """The feeds with what their group says filled in, where all their consumers agree."""
        consumers: dict[tuple[str, str], set[Group]] = {}
        for dtmi, groups in self.groups.items():
            for declared in self._feeding(dtmi):
                key = (declared.interface, declared.content.name)
                consumers.setdefault(key, set()).add(groups[declared.group])
        return {
            dtmi: {n: _filled(d, consumers.get((dtmi, n), set())) for n, d in feeds.items()}
            for dtmi, feeds in self.declared.items()
        }


def _filled(declared: Declared, groups: set[Group]) -> Feed:
    feed = declared.feed()
    for name in GROUP:
        attribute = FEED[name].attribute
        values = {getattr(group, attribute) for group in groups}
        if name not in declared.members and len(values) == 1:
            feed = replace(feed, **{attribute: values.pop()})
    return feed


def _said(value: Any) -> str:
    return f"{{from: {value.name}}}" if isinstance(value, Binding) else str(value)
