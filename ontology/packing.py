"""The compiled ontology as bytes, and back: opened at once, built interface by interface as asked.

Plain JSON behind a header with a digest: what was damaged, made by another format or from other
documents is not opened. Elements are parsed from the documents when somebody asks for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import orjson

from twinfall.ontology.model import (
    Array,
    Content,
    Enum,
    EnumValue,
    Field,
    Interface,
    Map,
    Object,
    Primitive,
    Schema,
    SchemaReference,
)
from twinfall.ontology.ontology import Ontology, content_hash
from twinfall.ontology.parsing import parse

FORMAT = 1
"""Raised with every change of what is packed, or of what parsing makes of documents."""
MAGIC = b"twinfall ontology\n"
_Value = TypeVar("_Value")


def pack(ontology: Ontology) -> bytes:
    """The ontology without its documents."""
    interfaces = [orjson.dumps(_interface(one)) for one in ontology.interfaces.values()]
    schemas = [orjson.dumps(_schema(one)) for one in ontology.schemas.values()]
    body = b"".join([*interfaces, *schemas])
    header = {
        "format": FORMAT,
        "hash": ontology.hash,
        "interfaces": list(ontology.interfaces),
        "interfaceSizes": [len(one) for one in interfaces],
        "schemas": list(ontology.schemas),
        "schemaSizes": [len(one) for one in schemas],
        "extension": {dtmi: dict(said) for dtmi, said in ontology.extension.items()},
    }
    rest = orjson.dumps(header) + b"\n" + body
    return MAGIC + hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def unpack(packed: bytes, documents: Sequence[str]) -> Ontology | None:
    """The ontology of these documents; None where these bytes are not it."""
    if not packed.startswith(MAGIC):
        return None
    digest, _, rest = packed[len(MAGIC) :].partition(b"\n")
    if digest != hashlib.sha256(rest).hexdigest().encode():
        return None
    head, _, body = rest.partition(b"\n")
    header = orjson.loads(head)
    if header["format"] != FORMAT or header["hash"] != content_hash(documents):
        return None
    return _opened(header, body, tuple(documents))


def _opened(header: Mapping[str, Any], body: bytes, documents: tuple[str, ...]) -> Ontology:
    own: _Lazy[dict[str, Any]] = _Lazy(
        header["interfaces"], header["interfaceSizes"], 0, body, orjson.loads
    )
    start = sum(header["interfaceSizes"])
    schemas: _Lazy[Schema] = _Lazy(
        header["schemas"], header["schemaSizes"], start, body, lambda raw: _read(orjson.loads(raw))
    )
    return Ontology(
        interfaces=_Interfaces(own),
        schemas=schemas,
        documents=documents,
        hash=header["hash"],
        elements=_Elements(documents),
        extension=MappingProxyType(header["extension"]),
    )


class _Lazy(Mapping[str, _Value], Generic[_Value]):
    """Values made from their bytes when first asked for."""

    def __init__(
        self,
        names: Sequence[str],
        sizes: Sequence[int],
        start: int,
        body: bytes,
        make: Callable[[bytes], _Value],
    ) -> None:
        self._spans: dict[str, tuple[int, int]] = {}
        for name, size in zip(names, sizes, strict=True):
            self._spans[name] = (start, start + size)
            start += size
        self._body = body
        self._make = make
        self._made: dict[str, _Value] = {}

    def __getitem__(self, name: str) -> _Value:
        found = self._made.get(name)
        if found is None:
            begin, end = self._spans[name]
            found = self._made[name] = self._make(self._body[begin:end])
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._spans

    def __iter__(self) -> Iterator[str]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)


class _Interfaces(Mapping[str, Interface]):
    """Interfaces, flattened when first asked for."""

    def __init__(self, own: _Lazy[dict[str, Any]]) -> None:
        self._own = own
        self._made: dict[str, Interface] = {}
        self._contents: dict[str, dict[str, Content]] = {}

    def __getitem__(self, dtmi: str) -> Interface:
        found = self._made.get(dtmi)
        if found is None:
            found = self._made[dtmi] = self._make(dtmi)
        return found

    def __contains__(self, dtmi: object) -> bool:
        return dtmi in self._own

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)

    def _make(self, dtmi: str) -> Interface:
        said = self._own[dtmi]
        contents = dict(self._of(dtmi))
        for ancestor in said["a"]:
            for name, content in self._of(ancestor).items():
                contents.setdefault(name, content)
        return Interface(
            id=dtmi,
            dtdl_version=said["v"],
            display_name=MappingProxyType(said["n"]),
            description=MappingProxyType(said["d"]),
            extends=tuple(said["x"]),
            ancestors=tuple(said["a"]),
            descendants=tuple(said["s"]),
            contents=MappingProxyType(contents),
        )

    def _of(self, dtmi: str) -> dict[str, Content]:
        """What an interface declares itself."""
        found = self._contents.get(dtmi)
        if found is None:
            made = (_content_of(one, dtmi) for one in self._own[dtmi]["c"])
            found = self._contents[dtmi] = {content.name: content for content in made}
        return found


class _Elements(Mapping[str, Mapping[str, Any]]):
    """Elements, parsed from the documents when first asked for."""

    def __init__(self, documents: tuple[str, ...]) -> None:
        self._documents = documents

    @cached_property
    def _all(self) -> Mapping[str, Mapping[str, Any]]:
        return parse(self._documents).elements

    def __getitem__(self, id_: str) -> Mapping[str, Any]:
        return self._all[id_]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


# -- interfaces and contents -----------------------------------------------------------------------


def _interface(one: Interface) -> dict[str, Any]:
    return {
        "v": one.dtdl_version,
        "n": dict(one.display_name),
        "d": dict(one.description),
        "x": one.extends,
        "a": one.ancestors,
        "s": one.descendants,
        "c": [_content(c) for c in one.contents.values() if c.declared_in == one.id],
    }


_PLAIN = ("writable", "unit", "semantic_type", "interface", "target", "max_multiplicity")
_SCHEMAS = ("schema", "request", "response")
_TEXTS = ("display_name", "description")


def _content(one: Content) -> dict[str, Any]:
    said: dict[str, Any] = {"name": one.name, "kind": one.kind, "id": one.id}
    said |= {name: getattr(one, name) for name in _PLAIN if getattr(one, name)}
    said |= {name: dict(getattr(one, name)) for name in _TEXTS if getattr(one, name)}
    for name in _SCHEMAS:
        if getattr(one, name) is not None:
            said[name] = _schema(getattr(one, name))
    if one.properties:
        said["properties"] = [_content(part) for part in one.properties.values()]
    return said


def _content_of(said: dict[str, Any], declared_in: str) -> Content:
    given: dict[str, Any] = {name: said[name] for name in ("name", "kind", "id")}
    given |= {name: said[name] for name in _PLAIN if name in said}
    given |= {name: MappingProxyType(said[name]) for name in _TEXTS if name in said}
    given |= {name: _read(said[name]) for name in _SCHEMAS if name in said}
    if "properties" in said:
        parts = [_content_of(part, declared_in) for part in said["properties"]]
        given["properties"] = MappingProxyType({part.name: part for part in parts})
    return Content(declared_in=declared_in, **given)


# -- schemas ---------------------------------------------------------------------------------------


def _schema(one: Schema) -> Any:
    if isinstance(one, Primitive):
        return one.name
    if isinstance(one, Enum):
        return {
            "enum": one.id,
            "of": one.value_schema,
            "v": [[v.name, v.value] for v in one.values],
        }
    if isinstance(one, Object):
        fields = [[f.name, _schema(f.schema), f.required] for f in one.fields]
        return {"object": one.id, "f": fields}
    if isinstance(one, Array):
        return {"array": one.id, "s": _schema(one.element)}
    if isinstance(one, Map):
        return {"map": one.id, "s": _schema(one.value)}
    return {"is": one.id}


def _read(said: Any) -> Schema:
    if isinstance(said, str):
        return Primitive(said)
    if "enum" in said:
        return Enum(said["enum"], said["of"], tuple(EnumValue(n, v) for n, v in said["v"]))
    if "object" in said:
        fields = tuple(Field(name, _read(schema), must) for name, schema, must in said["f"])
        return Object(said["object"], fields)
    if "array" in said:
        return Array(said["array"], _read(said["s"]))
    if "map" in said:
        return Map(said["map"], _read(said["s"]))
    return SchemaReference(said["is"])
