"""What the topics of MQTT messages mean: a template says where twin and reading stand.

The default, `twinfall/{twin}/{name}`, is that of the contract: the address of a twin or component,
then a reading, or no reading where the payload names them. Content names are unique within an
interface, so the ontology decides whether the last level is a component or a reading. Elsewhere in
a template each of `{twin}` and `{name}` is one level, and `+` any. Ids are percent-encoded.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.decoding.columns import NAME_BYTES, Layouts, name_fault, twin_fault
from twinfall.ontology.errors import BadSettings, Unavailable

PREFIX = "twinfall"
TWIN, NAME = "{twin}", "{name}"
OURS = ("_command", "_reply", "_desired")
"""Levels before the last that mark messages which are no readings."""
_SAFE = "!$&'()*,;=:@"
Read = tuple[str, str]


class Topics:
    """The meaning of topics; remembers those that came. Raises BadSettings for a bad template."""

    def __init__(
        self, catalogue: Catalogue, prefix: str = PREFIX, template: str | None = None
    ) -> None:
        self.prefix = _prefix(prefix)
        self._levels = (template or f"{self.prefix}/{TWIN}/{NAME}").split("/")
        _check(self._levels)
        self._free = self._levels[-2:] == [TWIN, NAME]
        """Twin and name end the template: a component may stand between, the name be missing."""
        self._catalogue = catalogue
        self._seen = Layouts(catalogue)

    @property
    def filters(self) -> list[str]:
        """What to subscribe to."""
        if self._free:
            readings = "/".join([*self._levels[:-2], "#"])
        else:
            readings = "/".join("+" if level in (TWIN, NAME) else level for level in self._levels)
        replies = f"{self.prefix}/+/_reply/+", f"{self.prefix}/+/+/_reply/+"
        return [readings] if readings == f"{self.prefix}/#" else [readings, *replies]

    def known(self, topic: str) -> bool:
        """Whether its readings need no look into the graph: read before, of a series that was."""
        found = self._seen.now().get(topic)
        if isinstance(found, tuple):
            return not found[1] or self._catalogue.id_of(*found) >= 0
        return found is not None

    def read(self, topic: str) -> Read | str:
        """(address, reading name), the name empty where the payload has names; or why it is
        neither. Raises Unavailable where the ontology must be asked and the store is away.
        """
        seen = self._seen.now()
        found: Read | str | None = seen.get(topic)
        if found is None:
            found = self._read(topic)
            seen.keep(topic, found, 2 * len(topic) + 2 * NAME_BYTES)
        return found

    def _read(self, topic: str) -> Read | str:
        levels = topic.split("/")
        if self._free:
            head = len(self._levels) - 2
            twin, rest = levels[head : head + 1], levels[head + 1 :]
            if not (_alike(self._levels[:head], levels[:head]) and twin and len(rest) <= 2):
                return "the topic is not that of a reading"
            return self._of_free(_decoded(twin[0]), [_decoded(level) for level in rest])
        if not _alike(self._levels, levels):
            return "the topic is not that of a reading"
        address = _decoded(levels[self._levels.index(TWIN)])
        name = _decoded(levels[self._levels.index(NAME)]) if NAME in self._levels else ""
        return _checked(address, name)

    def _of_free(self, twin: str, rest: list[str]) -> Read | str:
        if not rest:
            return _checked(twin, "")
        if len(rest) == 2:
            return _checked(f"{twin}/{rest[0]}", rest[1])
        fault = twin_fault(twin) or name_fault(rest[0])
        if fault or self._catalogue.find(twin, rest[0]) >= 0 or "/" in twin:
            return fault or (twin, rest[0])
        part = f"{twin}/{rest[0]}"
        try:
            return (part, "") if self._catalogue.is_component(twin, rest[0]) else (twin, rest[0])
        except Unavailable:  # what was known before the store went away is still taken
            if self._catalogue.id_of(twin, rest[0]) >= 0:
                return twin, rest[0]
            if self._catalogue.series_of(part):
                return part, ""
            raise

    def of(self, address: str, kind: str, name: str) -> str:
        """The topic of a command, reply or desired value: `_command`, `_reply` or `_desired`."""
        levels = [quote(level, safe=_SAFE) for level in address.split("/")]
        return "/".join([self.prefix, *levels, kind, quote(name, safe=_SAFE)])

    def of_reply(self, topic: str) -> tuple[str, str] | None:
        """(address, name) of a reply's topic; None where it is none."""
        levels = topic.removeprefix(f"{self.prefix}/").split("/")
        if len(levels) < 3 or levels[-2] != "_reply" or not topic.startswith(f"{self.prefix}/"):
            return None
        return "/".join(map(_decoded, levels[:-2])), _decoded(levels[-1])


def is_ours(topic: str) -> bool:
    """Whether it is a command, a reply or a desired value rather than a reading."""
    parts = topic.rsplit("/", 2)
    return len(parts) == 3 and parts[1] in OURS


def _checked(twin: str, name: str) -> Read | str:
    if "/_" in twin:
        return "the topic is not that of a reading"
    return twin_fault(twin) or (name_fault(name) if name else "") or (twin, name)


def _decoded(level: str) -> str:
    return unquote(level) if "%" in level else level


def _alike(template: list[str], levels: list[str]) -> bool:
    return len(template) == len(levels) and all(
        want in ("+", TWIN, NAME) or want == level
        for want, level in zip(template, levels, strict=True)
    )


def _prefix(prefix: str) -> str:
    levels = prefix.strip("/").split("/")
    if not all(levels) or any(set(level) & set("+#{}\0") for level in levels):
        raise BadSettings(f"{prefix!r} is no prefix of topics", cure="such as `twinfall`")
    return "/".join(levels)


def _check(levels: list[str]) -> None:
    shown = "/".join(levels)
    plain = [level for level in levels if level not in ("+", TWIN, NAME)]
    if any(not level or set(level) & set("+#{}\0") for level in plain):
        raise BadSettings(f"{shown!r} is no template of topics", cure="such as `a/{twin}/{name}`")
    if levels.count(TWIN) != 1 or levels.count(NAME) > 1 or levels[0].startswith("$"):
        raise BadSettings(f"{shown!r} does not say where the twin stands", cure="put `{twin}` in")
