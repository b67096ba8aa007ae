"""What a register proposes: an interface per type, a twin per asset, `contains` from parent to
child; with components, children that have no children become components of their parents.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from twinfall.api.register.names import BASE, property_names, segment, type_names
from twinfall.api.register.reading import Asset, Register, Unused
from twinfall.api.register.schemas import schema_of, value_of
from twinfall.graph.identity import default_relationship_id, twin_id_fault

CONTEXT = "dtmi:dtdl:context;3"
CONTAINS = "contains"
MAX_DISPLAY_NAME = 512
MAX_RELATIONSHIP_ID = 128


@dataclass(slots=True)
class Proposal:
    """Files to be: interfaces as DTDL, twins and relationships as NDJSON rows."""

    name: str
    base: str
    """The DTMI that all others extend."""
    interfaces: list[dict[str, Any]] = field(default_factory=list)
    twins: list[dict[str, Any]] = field(default_factory=list)
    relationships: list[dict[str, Any]] = field(default_factory=list)
    unused: list[Unused] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    """Schema by property name."""
    components: dict[str, list[str]] = field(default_factory=dict)
    """Component names by DTMI."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A component to be: which asset, of whom, under which name."""

    asset: Asset
    name: str


def propose(register: Register, stem: str, *, components: bool) -> Proposal:
    """A proposal that checks and imports as it is; `stem` names it."""
    name = segment(stem)
    assets, unused = _usable(register)
    assets = _with_good_parents(assets, unused)
    types = type_names({a.type for a in assets})
    base = f"dtmi:{name}:{BASE if BASE not in types.values() else 'Registered' + BASE};1"
    proposal = Proposal(name, base, unused=unused)
    dtmis = {type_: f"dtmi:{name}:{short};1" for type_, short in types.items()}
    parts = _parts(assets, dtmis) if components else {}
    columns = property_names(register.columns)
    proposal.properties = {
        columns[c]: schema_of([a.values[c] for a in assets if c in a.values])
        for c in register.columns
    }
    _add_interfaces(proposal, assets, dtmis, columns)
    _add_components(proposal, assets, dtmis, parts)
    _add_twins(proposal, assets, dtmis, _Cells(columns, proposal.properties, parts))
    return proposal


def _usable(register: Register) -> tuple[list[Asset], list[Unused]]:
    lines: dict[str, int] = {}
    unused: list[Unused] = []
    assets: list[Asset] = []
    for asset in register.assets:
        fault = twin_id_fault(asset.id)
        if fault:
            unused.append(Unused(asset.line, fault))
        elif asset.id in lines:
            unused.append(Unused(asset.line, f"id {asset.id} is on line {lines[asset.id]} already"))
        else:
            lines[asset.id] = asset.line
            assets.append(asset)
    return assets, unused


def _with_good_parents(assets: list[Asset], unused: list[Unused]) -> list[Asset]:
    """The assets without parents that are not there or contain each other in a circle."""
    parents = {a.id: a.parent for a in assets}
    rooted: set[str] = set()
    found = []
    for asset in assets:
        fault = ""
        if asset.parent and asset.parent not in parents:
            fault = "is in no usable row"
        elif asset.parent == asset.id:
            fault = "is the asset itself"
        elif asset.parent and _in_circle(asset.id, parents, rooted):
            fault = "lies in it, maybe with others between"
        if fault:
            reason = f"parent {asset.parent!r} {fault}; {asset.id} is used without it"
            unused.append(Unused(asset.line, reason))
            parents[asset.id] = ""
            asset = replace(asset, parent="")
        found.append(asset)
    return found


def _in_circle(id_: str, parents: Mapping[str, str], rooted: set[str]) -> bool:
    """Whether an asset's parents lead back to it. `rooted` keeps those whose parents end somewhere,
    so that a long chain is walked once.
    """
    seen: dict[str, None] = {}
    at = id_
    while at and at not in seen and at not in rooted:
        seen[at] = None
        at = parents.get(at, "")
    if at and at in seen:
        return at == id_
    rooted.update(seen)
    return False


def _parts(assets: list[Asset], dtmis: Mapping[str, str]) -> dict[str, list[_Part]]:
    """Components by parent id: children without children, numbered where a parent has several."""
    by_id = {a.id: a for a in assets}
    parents = {a.parent for a in assets}
    leaves = [a for a in assets if a.parent in by_id and a.parent != a.id and a.id not in parents]
    counts: Counter[tuple[str, str]] = Counter()
    several: set[tuple[str, str]] = set()
    for leaf in leaves:
        counts[leaf.parent, leaf.type] += 1
        if counts[leaf.parent, leaf.type] > 1:
            several.add((by_id[leaf.parent].type, leaf.type))
    numbers: Counter[tuple[str, str]] = Counter()
    parts: dict[str, list[_Part]] = defaultdict(list)
    for leaf in leaves:
        short = dtmis[leaf.type].rpartition(":")[2].partition(";")[0]
        name = short[0].lower() + short[1:]
        if (by_id[leaf.parent].type, leaf.type) in several:
            numbers[leaf.parent, leaf.type] += 1
            name += str(numbers[leaf.parent, leaf.type])
        parts[leaf.parent].append(_Part(leaf, f"{name}Part" if name in _OWN else name))
    return parts


_OWN = frozenset({"name", "assetId", CONTAINS})


def _add_interfaces(
    proposal: Proposal,
    assets: list[Asset],
    dtmis: Mapping[str, str],
    columns: Mapping[str, str],
) -> None:
    used: dict[str, set[str]] = defaultdict(set)
    titles: dict[str, str] = {}
    for asset in assets:
        used[dtmis[asset.type]].update(asset.values)
        titles.setdefault(dtmis[asset.type], asset.type)
    every = set.intersection(*used.values()) if len(used) > 1 else set()
    # A column nobody fills belongs to the base too: it is in the register for some reason.
    every |= {c for c in columns if not any(c in there for there in used.values())}

    def properties(wanted: set[str]) -> list[dict[str, Any]]:
        return [
            _property(columns[c], c, proposal.properties[columns[c]])
            for c in columns
            if c in wanted
        ]

    own: list[dict[str, Any]] = [
        _property("name", "name", "string"),
        {"@type": "Relationship", "name": CONTAINS, "target": proposal.base},
    ]
    proposal.interfaces.append(
        {"@context": CONTEXT, "@id": proposal.base, "@type": "Interface", "displayName": "Asset"}
        | {"contents": own + properties(every)}
    )
    for dtmi in sorted(used):
        proposal.interfaces.append(
            {"@context": CONTEXT, "@id": dtmi, "@type": "Interface"}
            | {"displayName": titles[dtmi][:MAX_DISPLAY_NAME], "extends": proposal.base}
            | {"contents": properties(used[dtmi] - every)}
        )


def _add_components(
    proposal: Proposal,
    assets: list[Asset],
    dtmis: Mapping[str, str],
    parts: Mapping[str, list[_Part]],
) -> None:
    if not parts:
        return
    wanted: dict[str, dict[str, str]] = defaultdict(dict)
    for asset in assets:
        for part in parts.get(asset.id, ()):
            wanted[dtmis[asset.type]][part.name] = dtmis[part.asset.type]
    by_id = {i["@id"]: i for i in proposal.interfaces}
    by_id[proposal.base]["contents"].insert(1, _property("assetId", "asset id", "string"))
    for dtmi, found in wanted.items():
        proposal.components[dtmi] = sorted(found)
        by_id[dtmi]["contents"] += [
            {"@type": "Component", "name": name, "schema": schema}
            for name, schema in sorted(found.items())
        ]


@dataclass(frozen=True, slots=True)
class _Cells:
    columns: Mapping[str, str]
    schemas: Mapping[str, str]
    parts: Mapping[str, list[_Part]]

    def values(self, asset: Asset) -> dict[str, Any]:
        """The asset's properties."""
        found: dict[str, Any] = {"name": asset.name} if asset.name else {}
        for column, text in asset.values.items():
            name = self.columns[column]
            found[name] = value_of(text, self.schemas[name])
        return found


def _add_twins(
    proposal: Proposal, assets: list[Asset], dtmis: Mapping[str, str], cells: _Cells
) -> None:
    inside = {part.asset.id for parts in cells.parts.values() for part in parts}
    for asset in assets:
        if asset.id in inside:
            continue
        row: dict[str, Any] = {"$dtId": asset.id, "$metadata": {"$model": dtmis[asset.type]}}
        row |= cells.values(asset)
        for part in cells.parts.get(asset.id, ()):
            row[part.name] = {"$metadata": {}, "assetId": part.asset.id} | cells.values(part.asset)
        proposal.twins.append(row)
        if asset.parent:
            proposal.relationships.append(_contains(asset))


def _contains(asset: Asset) -> dict[str, Any]:
    row = {"$sourceId": asset.parent, "$relationshipName": CONTAINS, "$targetId": asset.id}
    id_ = default_relationship_id(CONTAINS, asset.id)
    if len(id_) > MAX_RELATIONSHIP_ID:
        id_ = asset.id  # unique among what one parent contains
    return {"$relationshipId": id_} | row


def _property(name: str, title: str, schema: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"@type": "Property", "name": name}
    if title != name:
        shown["displayName"] = title[:MAX_DISPLAY_NAME]
    return shown | {"schema": schema, "writable": True}
