"""A sidecar's text: JSON, or YAML with only what JSON can say.

Refused: duplicate members, anchors and aliases, tags, dates, anything too large or too deep.
`yes`, `no`, `on` and `off` are words here, as in YAML 1.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from twinfall.ontology.dtdl.lines import line_of
from twinfall.ontology.dtdl.text import NotStrict, canonical, read_json, whole

MAX_SIDECAR = 8 * 1024 * 1024
MAX_YAML = 2 * 1024 * 1024
"""YAML takes some ten seconds a MiB, JSON a hundredth of that."""
MAX_DEPTH = 32
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: Mapping[str, Any] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "~": None,
    "": None,
}
_STRING_TAG = "tag:yaml.org,2002:str"
_PLAIN = None
_PLAIN_TAGS = frozenset({"bool", "float", "int", "merge", "null", "timestamp", "value"})
"""What YAML 1.1 guesses of words without quotes; we read them as YAML 1.2 does."""


@dataclass(slots=True)
class Sidecar:
    """A sidecar as a JSON value; `lines` are one-based, by JSON pointer, where known."""

    value: Any
    text: str = ""
    lines: dict[str, int] = field(default_factory=dict)

    @property
    def canonical(self) -> str:
        """One JSON text for one content."""
        return canonical(self.value)

    def line(self, pointer: str) -> int | None:
        """The line of a place, of its nearest known parent where it has none."""
        while True:
            found = self.lines.get(pointer) or (line_of(self.text, pointer) if self.text else None)
            if found is not None or not pointer:
                return found
            pointer = pointer.rpartition("/")[0]


def read_sidecar(
    document: str | bytes | Mapping[str, Any], *, any_integer: bool = False
) -> Sidecar:
    """The content of one sidecar. Raises NotStrict. Integers fit in 64 bits, but with
    `any_integer`, for who looks at each.
    """
    parse_int = None if any_integer else whole
    if isinstance(document, Mapping):
        return Sidecar(read_json(canonical(dict(document)), parse_int=parse_int))
    text = _decoded(document)
    if len(text) > MAX_SIDECAR:
        raise NotStrict("tooLarge", f"the declaration is larger than {MAX_SIDECAR >> 20} MiB")
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        try:
            return Sidecar(read_json(text, parse_int=parse_int), text)
        except NotStrict as err:
            if err.code != "notJson":
                raise
    return _read_yaml(text)


def _decoded(document: str | bytes) -> str:
    if isinstance(document, str):
        return document
    try:
        return document.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotStrict("notYaml", "not UTF-8") from None


def _read_yaml(text: str) -> Sidecar:
    if len(text) > MAX_YAML:
        raise NotStrict("tooLarge", f"as YAML at most {MAX_YAML >> 20} MiB: write it as JSON")
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_brackets(text)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as err:
        line = err.problem_mark.line + 1 if err.problem_mark else None
        raise NotStrict("notYaml", f"not YAML: {err.problem or err}", line) from None
    except RecursionError:
        raise NotStrict("tooDeep", f"nested deeper than {MAX_DEPTH} levels") from None
    except (yaml.YAMLError, ValueError, OverflowError) as err:
        # ValueError, OverflowError: an escape such as \U90000000
        raise NotStrict("notYaml", f"not YAML: {type(err).__name__}") from None
    sidecar = Sidecar(None)
    if node is not None:
        sidecar.value = _Plain(sidecar).value(node, "", 0)
    return sidecar


def _check_brackets(text: str) -> None:
    """The composer is recursive: refuse a tower of brackets before it is called."""
    depth = 0
    for mark in re.finditer(r"[\[{\]}]", text):
        depth += 1 if mark.group() in "[{" else -1
        if depth > MAX_DEPTH * 4:
            raise NotStrict("tooDeep", f"nested deeper than {MAX_DEPTH} levels")


class _Plain:
    """Turns YAML nodes into JSON values, noting lines."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.lines = sidecar.lines
        self.seen: set[int] = set()

    def value(self, node: yaml.Node, pointer: str, depth: int) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(pointer, line)
        if depth > MAX_DEPTH:
            raise NotStrict("tooDeep", f"nested deeper than {MAX_DEPTH} levels", line)
        if id(node) in self.seen:
            raise NotStrict("yamlAlias", "anchors and aliases are not allowed: write it out", line)
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, pointer, depth)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(item, f"{pointer}/{position}", depth + 1)
                for position, item in enumerate(node.value)
            ]
        return self.scalar(node, line) if isinstance(node, yaml.ScalarNode) else None

    def mapping(self, node: yaml.MappingNode, pointer: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise NotStrict("notYaml", "a member name must be a word", line)
            name = _text(key, line)
            if name in found:
                raise NotStrict("duplicateMember", f'the member "{name}" is given twice', line)
            step = name.replace("~", "~0").replace("/", "~1")
            self.lines[f"{pointer}/{step}"] = line
            found[name] = self.value(item, f"{pointer}/{step}", depth + 1)
        return found

    def scalar(self, node: yaml.ScalarNode, line: int) -> Any:
        text = _text(node, line)
        if node.style is not _PLAIN or node.tag == _STRING_TAG:
            return text
        if node.tag.removeprefix("tag:yaml.org,2002:") not in _PLAIN_TAGS:
            raise NotStrict("notYaml", f"the tag {node.tag} is not allowed", line)
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if not _NUMBER.fullmatch(text):
            return text
        if math.isinf(float(text)):
            raise NotStrict("notYaml", f"{text[:40]} is too large for a number", line)
        return float(text)


def _text(node: yaml.ScalarNode, line: int) -> str:
    """What an escape can say and no store can keep is refused."""
    text = str(node.value)
    if "\0" in text:
        raise NotStrict("notYaml", "a text holds the NUL character", line)
    if _SURROGATE.search(text):
        raise NotStrict("notYaml", "a text holds half of a surrogate pair", line)
    return text
