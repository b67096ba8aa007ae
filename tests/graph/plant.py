"""A small plant with every kind of property, for the tests of this room."""

from __future__ import annotations

import json
from typing import Any

from twinfall.graph.models import Models, compile_models
from twinfall.graph.store import StoredModels

ASSET = "dtmi:plant:Asset;1"
PUMP = "dtmi:plant:Pump;1"
BIG_PUMP = "dtmi:plant:BigPump;1"
TANK = "dtmi:plant:Tank;1"
MOTOR = "dtmi:plant:Motor;1"

CONTEXT = "dtmi:dtdl:context;4"


def _property(name: str, schema: Any) -> dict[str, Any]:
    return {"@type": "Property", "name": name, "schema": schema}


def _enum(id_: str, schema: str, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "Enum",
        "@id": id_,
        "valueSchema": schema,
        "enumValues": [{"name": name, "enumValue": value} for name, value in values.items()],
    }


def _interface(id_: str, contents: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"@context": CONTEXT, "@id": id_, "@type": "Interface", "contents": contents, **more}


DOCUMENTS: tuple[dict[str, Any], ...] = (
    _interface(
        ASSET,
        [
            _property("name", "string"),
            _property("weight", "double"),
            {"@type": "Relationship", "name": "near"},
        ],
    ),
    _interface(
        PUMP,
        [
            _property("on", "boolean"),
            _property("stages", "integer"),
            _property("turns", "long"),
            _property("serial", "unsignedLong"),
            _property("flow", "double"),
            _property("since", "dateTime"),
            _property("built", "date"),
            _property("price", "decimal"),
            _property("tags", {"@type": "Array", "elementSchema": "string"}),
            _property("levels", {"@type": "Array", "elementSchema": "double"}),
            _property(
                "labels",
                {
                    "@type": "Map",
                    "mapKey": {"name": "language", "schema": "string"},
                    "mapValue": {"name": "text", "schema": "string"},
                },
            ),
            _property(
                "shape",
                {
                    "@type": "Object",
                    "fields": [
                        {"name": "width", "schema": "double"},
                        {"name": "seen", "schema": "dateTime"},
                    ],
                },
            ),
            _property("mode", _enum("dtmi:plant:Mode;1", "string", {"run": "r", "halt": "h"})),
            _property("grade", _enum("dtmi:plant:Grade;1", "integer", {"low": 1, "high": 2})),
            {"@type": "Telemetry", "name": "speed", "schema": "double"},
            {"@type": "Command", "name": "stop"},
            {"@type": "Component", "name": "motor", "schema": MOTOR},
            {"@type": "Component", "name": "spare", "schema": MOTOR},
            {
                "@type": "Relationship",
                "name": "feeds",
                "target": TANK,
                "properties": [
                    _property("share", "double"),
                    _property("from", "dateTime"),
                    _property("note", "string"),
                    _property("count", "long"),
                ],
            },
            {"@type": "Relationship", "name": "backs", "target": ASSET, "maxMultiplicity": 2},
        ],
        extends=ASSET,
    ),
    _interface(BIG_PUMP, [], extends=PUMP),
    _interface(
        TANK,
        [_property("volume", "double"), {"@type": "Relationship", "name": "drainsTo"}],
        extends=ASSET,
    ),
    _interface(
        MOTOR,
        [
            _property("power", "double"),
            _property("maker", "string"),
            {"@type": "Relationship", "name": "wiredTo"},
        ],
    ),
)


def plant() -> Models:
    """The compiled models of the plant."""
    empty = compile_models(StoredModels(), {})
    return compile_models(
        StoredModels(
            tuple(json.dumps(document) for document in DOCUMENTS), (), empty.names.entries
        ),
        {},
    )
