"""A small plant that has one of everything, and a service over it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import orjson

from twinfall.api.access import Access
from twinfall.api.graphql import GraphQLService
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput

V3 = "dtmi:dtdl:context;3"


def interface(name: str, *contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A DTDL interface of the plant."""
    return {
        "@context": V3,
        "@id": f"dtmi:plant:{name};1",
        "@type": "Interface",
        "contents": list(contents),
        **more,
    }


def prop(name: str, schema: Any, **more: Any) -> dict[str, Any]:
    return {"@type": "Property", "name": name, "schema": schema, **more}


def relationship(name: str, target: str | None = None, *properties: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"@type": "Relationship", "name": name}
    if target:
        found["target"] = f"dtmi:plant:{target};1"
    if properties:
        found["properties"] = list(properties)
    return found


def component(name: str, schema: str) -> dict[str, Any]:
    return {"@type": "Component", "name": name, "schema": f"dtmi:plant:{schema};1"}


def enum(value_schema: str, **values: Any) -> dict[str, Any]:
    return {
        "@type": "Enum",
        "valueSchema": value_schema,
        "enumValues": [{"name": n, "enumValue": v} for n, v in values.items()],
    }


MODELS = [
    interface(
        "Asset",
        prop("name", "string"),
        prop("id", "string", displayName="Number on the plate"),
        prop("model", "string"),
        prop("type", "string"),
        prop("class", "string"),
        prop("status", enum("integer", running=1, stopped=0)),
        relationship("isNear"),
        relationship("feeds", "Asset", prop("since", "dateTime"), prop("share", "double")),
        displayName={"en": "Asset", "de": "Anlage"},
        description="Anything that can fail.",
    ),
    interface(
        "Pump",
        prop("ratedFlow", "double", description="At the best point."),
        prop("serial", "long"),
        prop("pulses", "integer"),
        prop("installed", "dateTime"),
        prop("bought", "date"),
        prop("warranty", "duration"),
        prop("critical", "boolean"),
        prop("color", enum("string", red="R", blue="B")),
        prop("tags", {"@type": "Array", "elementSchema": "string"}),
        prop("levels", {"@type": "Array", "elementSchema": enum("integer", low=1, high=2)}),
        prop("truth", enum("string", true="yes", false="no")),
        prop(
            "position",
            {
                "@type": "Object",
                "fields": [{"name": "x", "schema": "double"}, {"name": "y", "schema": "double"}],
            },
        ),
        component("motor", "Motor"),
        {"@type": "Telemetry", "name": "flow", "schema": "double"},
        {"@type": "Command", "name": "start"},
        extends="dtmi:plant:Asset;1",
    ),
    interface("Tank", prop("volume", "double"), extends="dtmi:plant:Asset;1"),
    interface("DeepTank", prop("depth", "double"), extends="dtmi:plant:Tank;1"),
    interface(
        "Motor",
        prop("power", "double"),
        prop("status", "string"),
        relationship("poweredBy", "Bus"),
    ),
    interface("Bus", prop("name", "string"), prop("voltage", "double")),
    interface("Note", prop("text", "string")),
]
DEPENDENCIES = {
    "version": 1,
    "interfaces": {
        "dtmi:plant:Asset;1": {"contents": {"feeds": {"dependent": "target", "rule": "all"}}},
        "dtmi:plant:Pump;1": {
            "asset": {"customers": 10, "services": ["water"]},
            "contents": {"motor": {"dependent": "source"}},
        },
        "dtmi:plant:Motor;1": {
            "contents": {"poweredBy": {"dependent": "source", "transfer": "PT10S"}}
        },
    },
}
TWINS = [
    TwinInput(
        "P1",
        "Pump",
        {
            "name": "First pump",
            "id": "plate 1",
            "model": "KSB",
            "type": "centrifugal",
            "class": "A",
            "status": 1,
            "ratedFlow": 3.5,
            "serial": 9_007_199_254_740_993,
            "pulses": 7,
            "installed": "2020-01-01T01:00:00+01:00",
            "bought": "2019-12-24",
            "warranty": "P2Y",
            "critical": True,
            "color": "R",
            "tags": ["a", "b"],
            "levels": [2, 1],
            "truth": "yes",
            "position": {"x": 1.0, "y": 2.0},
            "motor": {"power": 5.0, "status": "good"},
        },
    ),
    TwinInput("P2", "Pump", {"name": "Second pump", "status": 0, "ratedFlow": 1.25, "serial": 5}),
    TwinInput("P3", "Pump", {"motor": {"power": 9.0}}),
    TwinInput("T1", "Tank", {"name": "Tank", "volume": 100.0}),
    TwinInput("T2", "DeepTank", {"name": "Deep tank", "volume": 50.0, "depth": 9.0}),
    TwinInput("A1", "Asset", {"name": "Something"}),
    TwinInput("B1", "Bus", {"name": "Bus", "voltage": 20.0}),
    TwinInput("N1", "Note", {"text": "check the bearing"}),
]
RELATIONSHIPS = [
    RelationshipInput("P1", "feeds", "T1", "e1", {"since": "2021-01-01T00:00:00Z", "share": 0.5}),
    RelationshipInput("P1", "feeds", "T2", "e2", {"share": 0.25}),
    RelationshipInput("P2", "feeds", "T2", "e1"),
    RelationshipInput("T1", "feeds", "A1"),
    RelationshipInput("P1", "isNear", "N1"),
    RelationshipInput("P1/motor", "poweredBy", "B1"),
    RelationshipInput("P2/motor", "poweredBy", "B1"),
]


class CountingStore:
    """A real store that counts the calls it gets."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if callable(found):
            self.calls[name] += 1
        return found


class Plant:
    """A graph, a service over it, and short ways to ask."""

    def __init__(self, models: list[Any] = MODELS, **settings: Any) -> None:
        self.store = CountingStore(SQLiteStore(":memory:"))
        self.graph = Graph(self.store)  # type: ignore[arg-type]
        if models:
            dependencies = [DEPENDENCIES] if models is MODELS else []
            self.graph.load_models(models, dependencies)
        self.service = GraphQLService(self.graph, **settings)

    def fill(self) -> None:
        """Write the plant's twins and relationships."""
        self.graph.write_twins(TWINS)
        self.graph.write_relationships(RELATIONSHIPS)

    def answer(self, query: str, role: str = "admin", **more: Any) -> dict[str, Any]:
        """The whole answer; `status` is among it."""
        access = Access("tester", role)  # type: ignore[arg-type]
        variables = more.pop("variables", None)
        operation = more.pop("operation", None)
        made = asyncio.run(
            self.service.execute(query, variables, operation, access, "request-7", **more)
        )
        return {"status": made.status, **orjson.loads(made.body)}

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a query that must not fail."""
        found = self.answer(query, variables=variables)
        assert "errors" not in found, found["errors"]
        return found["data"]

    def refusal(self, query: str, **variables: Any) -> dict[str, Any]:
        """The only error of a query that must fail, its extensions beside the message."""
        found = self.answer(query, variables=variables)
        [error] = found["errors"]
        return {"message": error["message"], "path": error.get("path"), **error["extensions"]}

    def close(self) -> None:
        self.store.close()
