"""How the model set of a graph grows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.graph.plant import DOCUMENTS, MOTOR, PUMP, TANK
from twinfall.graph.graph import Graph
from twinfall.graph.kept_models import WORTHWHILE, KeptModels
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import TwinInput
from twinfall.ontology.errors import Conflict, ModelIncomplete, ModelInvalid


@pytest.fixture
def bare() -> Any:
    store = SQLiteStore(":memory:")
    yield Graph(store)
    store.close()


def sidecar(*models: str, carrier: str = "water") -> dict[str, Any]:
    feeds = {"feeds": {"dependent": "target", "carrier": carrier}}
    asset = {"asset": {"customers": 3}}
    return {
        "version": 1,
        "interfaces": {m: {"contents": feeds} if m == PUMP else asset for m in models},
    }


def test_models_load_as_values_and_as_texts_and_survive_a_restart(bare: Graph) -> None:
    report = bare.load_models([json.dumps(DOCUMENTS[:2]), *DOCUMENTS[2:]], who="ada")
    assert report.loaded == tuple(sorted(doc["@id"] for doc in DOCUMENTS))
    assert (report.unchanged, report.cursor, bare.revision) == ((), 1, 1)
    assert report.names[PUMP] == bare.names.of(PUMP)
    (change,) = bare.changes(0)
    assert (change.kind, change.who) == ("modelsLoaded", "ada")
    again = Graph(bare.store)
    assert again.ontology.hash == bare.ontology.hash
    assert dict(again.names.entries) == dict(bare.names.entries)


def test_the_same_models_again_change_nothing(graph: Graph) -> None:
    before = graph.cursor(), graph.revision
    report = graph.load_models([json.dumps(list(reversed(DOCUMENTS)), indent=4)])
    assert report.loaded == ()
    assert sorted(report.unchanged) == sorted(doc["@id"] for doc in DOCUMENTS)
    assert (graph.cursor(), graph.revision) == before == (report.cursor, 1)


def test_new_models_among_old_ones_are_added(bare: Graph) -> None:
    bare.load_models([doc for doc in DOCUMENTS if doc["@id"] != TANK])
    report = bare.load_models([list(DOCUMENTS)])
    assert report.loaded == (TANK,)
    bare.write_twins([TwinInput("T1", TANK)])


def test_a_loaded_model_never_changes(graph: Graph) -> None:
    hash_ = graph.ontology.hash
    with pytest.raises(Conflict, match=TANK) as caught:
        graph.load_models([{**DOCUMENTS[3], "displayName": "Other"}])
    assert caught.value.code == "EXISTS"
    assert graph.ontology.hash == hash_


def test_bad_models_change_nothing_and_say_which_document(graph: Graph) -> None:
    good = {"@context": "dtmi:dtdl:context;4", "@id": "dtmi:new:A;1", "@type": "Interface"}
    bad = {**good, "@id": "dtmi:new:B;1", "contents": [{"@type": "Property", "name": "x"}]}
    with pytest.raises(ModelInvalid) as caught:
        graph.load_models([list(DOCUMENTS), good, bad])
    assert {problem.document for problem in caught.value.problems} == {2}
    with pytest.raises(ModelIncomplete):
        graph.load_models([{**good, "extends": "dtmi:new:Nobody;1"}])
    assert "dtmi:new:A;1" not in graph.ontology.interfaces
    assert graph.revision == 1


def test_a_sidecar_replaces_the_one_that_shares_an_interface(graph: Graph) -> None:
    graph.load_models([], [sidecar(PUMP), sidecar(TANK, MOTOR)])
    assert graph.dependencies.feeds[PUMP]["feeds"].carrier == "water"
    report = graph.load_models([], [sidecar(PUMP, carrier="oil")])
    assert graph.dependencies.feeds[PUMP]["feeds"].carrier == "oil"
    assert len(graph.dependencies.documents) == 2
    assert report.dropped == ()
    report = graph.load_models([], [sidecar(TANK)])
    assert report.dropped == (MOTOR,)
    assert len(Graph(graph.store).dependencies.documents) == 2


def test_a_bad_sidecar_changes_nothing(graph: Graph) -> None:
    before = graph.cursor()
    with pytest.raises(ModelInvalid):
        graph.load_models([], [{"version": 1, "interfaces": {"dtmi:no:Such;1": {}}}])
    assert graph.cursor() == before


def test_a_sidecar_may_rest_on_a_carrier_whose_source_another_one_declares(graph: Graph) -> None:
    source = {"version": 1, "interfaces": {TANK: {"asset": {"source": ["water"]}}}}
    network = {"feeds": {"mode": "network", "carrier": "water"}}
    graph.load_models([], [source])

    graph.load_models([], [{"version": 1, "interfaces": {PUMP: {"contents": network}}}])

    assert graph.dependencies.feeds[PUMP]["feeds"].carrier == "water"
    assert graph.dependencies.assets[TANK].source[0].carrier == "water"


def test_a_restart_takes_the_compiled_models_that_were_kept(tmp_path: Path) -> None:
    documents = [
        {"@context": "dtmi:dtdl:context;3", "@type": "Interface", "@id": f"dtmi:many:M{n};1"}
        for n in range(WORTHWHILE)
    ]
    store = SQLiteStore(tmp_path / "graph.sqlite")
    Graph(store, kept=KeptModels(tmp_path / "compiled")).load_models(documents)
    (file,) = (tmp_path / "compiled").iterdir()
    before = file.read_bytes()

    again = Graph(store, kept=KeptModels(tmp_path / "compiled"))
    file.write_bytes(before[:-5])
    damaged = Graph(store, kept=KeptModels(tmp_path / "compiled"))

    assert len(again.ontology.interfaces) == len(damaged.ontology.interfaces) == WORTHWHILE
    assert file.read_bytes() == before  # it was made anew
    store.close()
