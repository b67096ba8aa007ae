"""Mutations: the graph judges and writes, errors of rows come back in the result."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from twinfall.api.graphql import actions, letters, scenarios, showing, states, versions, watches
from twinfall.graph.graph import Graph, WriteReport
from twinfall.graph.twins import RelationshipInput, RelationshipKey, TwinInput, TwinPatch
from twinfall.ontology.errors import BadRows, Refused

if TYPE_CHECKING:
    from twinfall.api.graphql.roots import Asking

Arguments = Mapping[str, Any]
Change: TypeAlias = "Callable[[Asking, str, Arguments], Mapping[str, Any]]"


def write(asking: Asking, name: str, arguments: Arguments) -> Mapping[str, Any]:
    """Do what one mutation field asks; its result by field names."""
    for names, change in _BY_MODULE:
        if name in names:
            return change(asking, name, arguments)
    if not asking.access.writes:
        raise Refused(
            f"role {asking.access.role} cannot change the graph",
            cure="use a key with role admin",
        )
    if name == "loadModels":
        return _load_models(asking, arguments)
    if name == "trainDetector":
        return watches.train(asking.lookout, arguments)
    try:
        report = _WRITES[name](asking.graph, arguments, asking.access.name)
    except BadRows as error:
        return {
            "written": 0,
            "errors": [
                {
                    "index": row.index,
                    "code": row.code,
                    "path": row.path or None,
                    "message": row.message,
                    "cure": row.cure or None,
                }
                for row in error.rows
            ],
        }
    return {"written": report.written, "errors": []}


def _load_models(asking: Asking, arguments: Arguments) -> Mapping[str, Any]:
    report = asking.graph.load_models(
        arguments["documents"], arguments.get("dependencies") or (), who=asking.access.name
    )
    return {
        "loaded": list(report.loaded),
        "unchanged": list(report.unchanged),
        "names": dict(report.names),
    }


def _write_twins(graph: Graph, arguments: Arguments, who: str) -> WriteReport:
    rows = [
        TwinInput(row["id"], row["model"], _object(row.get("values")), row.get("ifVersion"))
        for row in arguments["twins"]
    ]
    return graph.write_twins(rows, who=who)


def _patch_twins(graph: Graph, arguments: Arguments, who: str) -> WriteReport:
    rows = [
        TwinPatch(row["id"], row["merge"], row.get("ifVersion")) for row in arguments["patches"]
    ]
    return graph.patch_twins(rows, who=who)


def _delete_twins(graph: Graph, arguments: Arguments, who: str) -> WriteReport:
    return graph.delete_twins(arguments["ids"], who=who)


def _write_relationships(graph: Graph, arguments: Arguments, who: str) -> WriteReport:
    rows = [
        RelationshipInput(
            row["source"],
            row["name"],
            row["target"],
            row.get("id"),
            _object(row.get("properties")),
        )
        for row in arguments["relationships"]
    ]
    return graph.write_relationships(rows, who=who)


def _delete_relationships(graph: Graph, arguments: Arguments, who: str) -> WriteReport:
    keys = [RelationshipKey(row["source"], row["id"]) for row in arguments["relationships"]]
    return graph.delete_relationships(keys, who=who)


def _object(value: Any) -> Any:
    """No values are an empty object; anything else is the judge's to refuse."""
    return {} if value is None else value


_WRITES: Mapping[str, Callable[[Graph, Arguments, str], WriteReport]] = {
    "writeTwins": _write_twins,
    "patchTwins": _patch_twins,
    "deleteTwins": _delete_twins,
    "writeRelationships": _write_relationships,
    "deleteRelationships": _delete_relationships,
}

_BY_MODULE: tuple[tuple[Container[str], Change], ...] = tuple(
    (module.MUTATIONS, module.change)
    for module in (actions, states, letters, scenarios, showing, versions)
)
"""Mutations of modules of their own, and who does them."""
