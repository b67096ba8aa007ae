"""Targets: DTDL documents and what is done with them, dependency files, requirements, policies."""

from __future__ import annotations

import json

from tests.api.graphql.plant import DEPENDENCIES, MODELS, Plant
from tests.fuzz import seeds
from tests.fuzz.law import Target
from tests.fuzz.mutating import PART
from twinfall.analytics.requirements.reading import read_requirements
from twinfall.analytics.requirements.vocabulary import Vocabulary
from twinfall.analytics.whatif.scenario import read_scenario
from twinfall.api.actions.policy import read_policy
from twinfall.api.graphql.service import GraphQLService
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.ontology import Names, Ontology, canonical_sidecar, parse, read_dependencies
from twinfall.ontology.differences import compare
from twinfall.ontology.exporting import FORMATS, export
from twinfall.ontology.lint import lint
from twinfall.ontology.packing import pack, unpack

INSTANCES = ("1", "-1.5", '"x"', "[]", "{}", "null", "true", '{"a":{"b":[1]}}', "NaN", '"PT1S"')


def dtdl() -> Target:
    """Documents, and whatever is done with those that are good."""

    def take(data: bytes) -> None:
        texts = [part.decode(errors="surrogateescape") for part in data.split(PART)]
        ontology = parse(texts)
        again = unpack(pack(ontology), ontology.documents)
        assert again is not None
        assert again.hash == ontology.hash
        lint(ontology, read_dependencies((), ontology))
        Names.extend({}, ontology)
        compare(ontology, ontology)
        for dtmi in list(ontology.schemas)[:20]:
            for text in INSTANCES:
                ontology.check_instance(dtmi, text)

    return Target("dtdl", take, seeds.models, _DTDL_WORDS)


_DTDL_WORDS = (
    "@context", "@id", "@type", "@graph", "@value", "@language", "Interface", "Property",
    "Telemetry", "Command", "Component", "Relationship", "Object", "Enum", "Map", "Array", "Field",
    "contents", "extends", "schemas", "schema", "name", "displayName", "description", "comment",
    "target", "properties", "maxMultiplicity", "minMultiplicity", "writable", "fields",
    "enumValues", "enumValue", "valueSchema", "mapKey", "mapValue", "elementSchema", "request",
    "response", "nullable", "unit", "double", "string", "integer", "scaledDecimal", "point",
    "dtmi:dtdl:context;2", "dtmi:dtdl:context;4", "dtmi:dtdl:extension:quantitativeTypes;1",
    "dtmi:dtdl:extension:overriding;2", "dtmi:dtdl:extension:annotation;2",
    "dtmi:dtdl:extension:mqtt;3", "dtmi:dtdl:extension:requirement;1",
    "dtmi:twinfall:dependency;1", "dtmi:dtdl:limits:onvif;1", "dtmi:dtdl:context;4#limitless",
    "dtmi:iotcentral:context;2", "Temperature", "Historized", "ValueAnnotation", "annotates",
    "Override", "overrides", "Required", "Dependency", "Asset", "dependent", "source",
)  # fmt: skip


def loading() -> Target:
    """Documents loaded into a graph, in GraphQL, and exported; a part with `interfaces` is a
    dependency file.
    """

    def take(data: bytes) -> None:
        texts = [part.decode(errors="replace") for part in data.split(PART)]
        sidecars = [text for text in texts if '"interfaces"' in text[:200]]
        store = SQLiteStore(":memory:")
        try:
            graph = Graph(store)
            graph.load_models([text for text in texts if text not in sidecars], sidecars)
            GraphQLService(graph).sdl()
            for format_ in FORMATS:
                for _ in export(graph.ontology, format_):
                    pass
            assert Graph(store).names.entries == graph.names.entries
        finally:
            store.close()

    def begin() -> list[bytes]:
        models = PART.join(seeds.written(*MODELS))
        return [*seeds.models(), PART.join([models, *seeds.written(DEPENDENCIES)])]

    return Target("loading", take, begin, (*_DTDL_WORDS, *_DEPENDENCY_WORDS))


def _plant() -> Ontology:
    return parse([json.dumps(model) for model in MODELS])


def sidecars() -> Target:
    """Dependency files over the plant's models and over our example's."""
    station = (seeds.ROOT / "examples/station/station.json").read_text("utf-8")
    over = [_plant(), parse([station])]

    def take(data: bytes) -> None:
        parts = data.split(PART)
        canonical_sidecar(parts[0])
        for ontology in over:
            if any(dtmi.encode() in data for dtmi in ontology.interfaces):
                lint(ontology, read_dependencies(parts, ontology))
        read_dependencies(parts, over[0])

    return Target(
        "sidecar",
        take,
        lambda: [
            *seeds.files("examples/station/*.dependencies.yaml"),
            *seeds.written(DEPENDENCIES),
            *seeds.fences("dependencies.md", "yaml"),
        ],
        _DEPENDENCY_WORDS,
    )


_DEPENDENCY_WORDS = (
    "version", "interfaces", "asset", "contents", "dependent", "source", "target", "mode",
    "network", "directed", "carrier", "group", "rule", "all", "any", "atLeast", "capacity", "k",
    "minShare", "share", "priority", "startTime", "startFailure", "effect", "fail", "degrade",
    "level", "transfer", "autonomy", "recharge", "probability", "failureDomain", "loop",
    "grounded", "sustain", "blackStart", "conducts", "limits", "stale", "demand", "value",
    "customers", "services", "repairTime", "crew", "failureRate", "fragility", "location", "from",
    "default", "telemetry", "hysteresis", "hold", "min", "max", "motor", "feeds", "poweredBy",
    "dtmi:plant:Asset;1", "dtmi:plant:Pump;1", "dtmi:plant:Motor;1", "&a ", "*a", "!!str ",
    "<<: ", "? ", "|\n", ">-\n", "---\n", "%YAML 1.1\n",
)  # fmt: skip


def requirements() -> Target:
    """Files of requirements over the plant's models."""
    plant = Plant()
    vocabulary = Vocabulary.of(plant.graph.models)

    def take(data: bytes) -> None:
        read_requirements(data, vocabulary)

    return Target(
        "requirements",
        take,
        lambda: [
            *seeds.files("examples/**/*.requirements.yaml"),
            *seeds.fences("requirements.md", "yaml"),
        ],
        _REQUIREMENT_WORDS,
        plant.close,
    )


_REQUIREMENT_WORDS = (
    "version", "requirements", "name", "of", "require", "all", "models", "ids", "services",
    "where", "except", "severity", "optional", "skip", "up", "singlePointsOfFailure", "max",
    "cutSets", "whatif", "eq", "gte", "lt", "in", "Pump", "Asset", "P1", "PT4H", "2026-11-23",
)  # fmt: skip


def policies() -> Target:
    """Policy files, whose rules are then asked about an alarm."""

    def take(data: bytes) -> None:
        read_policy(data, "policy.yaml", ("10.0.0.1:80",))

    return Target(
        "policy",
        take,
        lambda: [*seeds.files("api/demo/**/*policy*.yaml"), *seeds.fences("actions.md", "yaml")],
        (
            "version", "rules", "name", "when", "do", "once", "workOrder", "webhook", "command",
            "desired", "title", "payload", "within", "{twin}", "{affected}", "{", "https://a.b/c",
            "http://10.0.0.1:80/", "minAffected", "minCustomers", "event", "state", "severity",
        ),
    )  # fmt: skip


def scenarios() -> Target:
    """Scenario files."""

    def take(data: bytes) -> None:
        read_scenario(data)

    return Target(
        "scenario",
        take,
        lambda: [*seeds.fences("whatif.md", "yaml"), *seeds.written({"fail": ["P1"]})],
        (
            "fail", "repair", "add", "remove", "set", "hazard", "horizon", "polygon", "intensity",
            "samples", "seed", "kind", "POLYGON ((0 0, 1 0, 1 1, 0 0))", "MULTIPOLYGON", "EMPTY",
            "coordinates", "Polygon", "type", "PT1H", "source", "name", "target", "properties",
        ),
    )  # fmt: skip
