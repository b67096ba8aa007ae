"""Small models of each version of DTDL, and what is said of them."""

from __future__ import annotations

import json
from typing import Any

from twinfall.ontology import parse
from twinfall.ontology.errors import ModelIncomplete, ModelInvalid

CORE = "dtmi:dtdl:context;"
VERSIONS = (2, 3, 4)
QUANTITIES = {
    3: "dtmi:dtdl:extension:quantitativeTypes;1",
    4: "dtmi:dtdl:extension:quantitativeTypes;2",
}


def model(version: int = 3, context: Any = None, **members: Any) -> dict[str, Any]:
    head = {"@context": context or f"{CORE}{version}", "@id": "dtmi:ex:a;1", "@type": "Interface"}
    return {**head, **members}


def telemetry(version: int = 3, context: Any = None, **members: Any) -> dict[str, Any]:
    content = {"@type": "Telemetry", "name": "t", "schema": "double", **members}
    return model(version, context, contents=[content])


def relationship(version: int = 3, **members: Any) -> dict[str, Any]:
    return model(version, contents=[{"@type": "Relationship", "name": "r", **members}])


def enum(version: int = 3, **members: Any) -> dict[str, Any]:
    values = [{"name": "low", "enumValue": 1}]
    said = {"@type": "Enum", "valueSchema": "integer", "enumValues": values, **members}
    return model(version, schemas=[{"@id": "dtmi:ex:e;1", **said}])


def quantity(version: int, **members: Any) -> dict[str, Any]:
    context = [f"{CORE}{version}", QUANTITIES[version]]
    return telemetry(version, context, **members)


def verdict(*documents: Any, **options: Any) -> str:
    """`ok`, `incomplete`, or the codes in alphabetical order."""
    try:
        parse([json.dumps(d) for d in documents], **options)
    except ModelInvalid as err:
        return " ".join(sorted({p.code for p in err.problems}))
    except ModelIncomplete:
        return "incomplete"
    return "ok"
