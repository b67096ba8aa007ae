"""What a reading collects: elements, the links between them, and problems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from twinfall.ontology.dtdl.metamodel import ClassRule, Metamodel, PropertyRule, SupplementalType
from twinfall.ontology.errors import Problem, stop_at_limit

Path: TypeAlias = tuple["Path", str | int] | None
"""A place in a document as a chain from the inside out; `None` is the root."""

Resolver: TypeAlias = Callable[[list[str]], Sequence[Any] | None]


def pointer(path: Path) -> str:
    """The place as a JSON pointer, `/contents/2/schema`."""
    steps: list[str] = []
    while path is not None:
        path, step = path
        steps.append(str(step).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{step}" for step in reversed(steps))


@dataclass(frozen=True, slots=True)
class Context:
    """The active `@context` of an element.

    `terms` maps every known term to its identifier; `open` says that an extension is unknown, so
    that unknown terms may be its; `limits` names the limit context, empty for the language's own.
    """

    version: int
    limits: str
    affiliates: tuple[tuple[str, str], ...]
    terms: dict[str, str]
    open: bool
    reserved: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Element:
    """One element of a model as read.

    `literals` and `links` are by property name, `extras` (supplemental properties) by DTMI;
    links hold the identifiers they point at, in order.
    """

    id: str
    rule: ClassRule
    context: Context
    document: int
    path: Path
    parent: Element | None = None
    via: str = ""
    partition: str = ""
    literals: dict[str, Any] = field(default_factory=dict)
    links: dict[str, list[str]] = field(default_factory=dict)
    supplements: list[SupplementalType] = field(default_factory=list)
    extras: dict[str, Any] = field(default_factory=dict)
    undefined_types: list[str] = field(default_factory=list)
    undefined: dict[str, Any] = field(default_factory=dict)
    repeated: bool = False
    """It has the made identifier of a sibling with the same name, or stands in such a one or in one
    that is defined twice: that is what is wrong, and told where it is.
    """
    inferred: bool = False
    """It says no type of its own: its class follows from where it stands."""
    doubtful: bool = False
    """A type of it is wrong, so that unknown members may be that type's: no problem each."""

    @property
    def type(self) -> str:
        """The material class: Interface, Property, Array, ..."""
        return self.rule.name

    @property
    def version(self) -> int:
        """The DTDL version that describes it."""
        return self.rule.version

    def is_a(self, name: str) -> bool:
        """Whether its class is `name` or derives from it."""
        return name in self.rule.ancestry


class Opening:
    """Where an element is expected: inside `parent` as a value of `rule`, or at the root."""

    __slots__ = ("context", "parent", "path", "rule")

    def __init__(
        self, context: Context | None, path: Path, parent: Element | None, rule: PropertyRule | None
    ) -> None:
        self.context = context
        self.path = path
        self.parent = parent
        self.rule = rule


@dataclass(slots=True)
class Link:
    """A reference from one element to another, to be checked once all is read."""

    element: Element
    rule: PropertyRule
    target: str
    path: Path
    extra: str = ""
    """The DTMI of the supplemental property that links, empty for one of the class's own."""
    inline: bool = False
    term: bool = False
    """Whether it was written as a word that a context defines, not as a DTMI."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to read: see `parse`."""

    undefined_extensions: str | None = None
    max_version: int = 4
    acceptable_limits: tuple[str, ...] | None = None
    resolver: Resolver | None = None


@dataclass(slots=True)
class Reading:
    """The state of one `parse`: what is read so far and what is wrong with it."""

    metamodel: Metamodel
    options: Options
    elements: dict[str, Element] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    contexts: dict[Any, Context | None] = field(default_factory=dict)
    redefined: set[str] = field(default_factory=set)
    """Identifiers that two elements claim: told once, whatever else they share."""
    document: int = 0
    large: bool = False
    """Whether the document is so long that an interface in it may be too long."""

    def report(
        self, code: str, message: str, path: Path, element: str = "", cure: str = ""
    ) -> None:
        """Note a problem at a place in the document being read."""
        self.problems.append(
            Problem(code, message, pointer(path), self.document, element=element, cure=cure)
        )
        stop_at_limit(self.problems)

    def blame(self, code: str, message: str, element: Element, prop: str = "") -> None:
        """Note a problem of an element already read."""
        path = (element.path, prop) if prop else element.path
        self.problems.append(
            Problem(code, message, pointer(path), element.document, element=element.id)
        )
        stop_at_limit(self.problems)
