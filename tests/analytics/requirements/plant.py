"""Small plants whose requirements are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tests.analytics.plant import DOCUMENTS, PREFIX
from twinfall.analytics import AssetNetwork, Standing, topology_request
from twinfall.analytics.requirements import (
    Finding,
    GraphTwins,
    Report,
    Requirements,
    Vocabulary,
    check,
    read_requirements,
)
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND
Declared = Mapping[str, Mapping[str, Any]]


class Plant:
    """A graph with declarations by interface name, twins as {id: values} (`model`: its interface,
    Unit if not said), relationships as (source, name, target[, properties]).
    """

    made: ClassVar[list[Plant]] = []

    def __init__(
        self,
        declared: Declared,
        twins: Mapping[str, Mapping[str, Any]],
        relationships: Sequence[tuple[Any, ...]] = (),
    ) -> None:
        self.graph = Graph(SQLiteStore(":memory:"))
        self.made.append(self)
        sidecar = {f"{PREFIX}{name};1": said for name, said in declared.items()}
        self.graph.load_models(DOCUMENTS, [{"version": 1, "interfaces": sidecar}])
        self.graph.write_twins([_twin(id_, values) for id_, values in twins.items()])
        self.graph.write_relationships(
            [
                RelationshipInput(source, name, target, properties=rest[0] if rest else {})
                for source, name, target, *rest in relationships
            ]
        )
        models = self.graph.models
        topology = self.graph.topology(topology_request(models.ontology, models.dependencies))
        self.assets = AssetNetwork.compile(topology, models.ontology, models.dependencies)

    def read(self, text: Any) -> Requirements:
        return read_requirements(text, Vocabulary.of(self.graph.models))

    def report(self, text: Any, assets: AssetNetwork | None = None, now: int = NOW) -> Report:
        return check(self.read(text), assets or self.assets, now, GraphTwins(self.graph.fetch))

    def finding(
        self,
        require: Mapping[str, Any],
        of: Mapping[str, Any],
        failed: Mapping[str, int] | None = None,
        **more: Any,
    ) -> Finding:
        """The verdict on one requirement; `failed`: seconds since which assets have failed."""
        given = {"name": "it holds", "of": of, "require": require, **more}
        assets = self.assets if failed is None else self.after(failed)
        (found,) = self.report({"version": 1, "requirements": [given]}, assets).findings
        return found

    def after(self, failed: Mapping[str, int], **states: Any) -> AssetNetwork:
        since = {id_: NOW - ago * SECOND for id_, ago in failed.items()}
        return self.assets.under(
            Standing(1, failed=tuple(sorted(failed)), since=since, **states), NOW
        )


def _twin(id_: str, values: Mapping[str, Any]) -> TwinInput:
    own = {name: value for name, value in values.items() if name != "model"}
    return TwinInput(id_, f"{PREFIX}{values.get('model', 'Unit')};1", own)


def needs(rule: str = "all", **members: Any) -> dict[str, Any]:
    """Units need what they point at, in the group `supply`."""
    feed = {"dependent": "source", "group": "supply", "rule": rule, **members}
    return {"Unit": {"contents": {"needs": feed}}}


H = {"ids": ["H"]}
TWO_FEEDS = [("H", "needs", "A"), ("H", "needs", "B")]


def hospital(rule: str = "all", **members: Any) -> Plant:
    """H is fed by A and B."""
    return Plant(needs(rule, **members), {"A": {}, "B": {}, "H": {}}, TWO_FEEDS)


def behind_one(rule: str = "any", **members: Any) -> Plant:
    """H is fed by A and B, which hang on S both."""
    relationships = [*TWO_FEEDS, ("A", "needs", "S"), ("B", "needs", "S")]
    return Plant(needs(rule, **members), {"A": {}, "B": {}, "H": {}, "S": {}}, relationships)


def shown(finding: Finding) -> tuple[str, list[str]]:
    return finding.verdict, [witness.id for witness in finding.witnesses]
