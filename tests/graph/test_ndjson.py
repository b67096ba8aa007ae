"""Files of twins: in, out, and what is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.graph.contract.generated import feed_values, motor_values, pump_values, tank_values
from tests.graph.plant import DOCUMENTS, MOTOR, PUMP, TANK
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import MAX_LINE, ImportReport, bounded_lines, export_rows, import_rows
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput
from twinfall.ontology.errors import BadInput, Conflict, ModelInvalid

SIDECAR = {
    "version": 1,
    "interfaces": {PUMP: {"contents": {"feeds": {"dependent": "target", "carrier": "water"}}}},
}


@contextmanager
def empty_graph() -> Iterator[Graph]:
    store = SQLiteStore(":memory:")
    try:
        yield Graph(store)
    finally:
        store.close()


def rows(*values: Any) -> list[bytes]:
    return [value if isinstance(value, bytes) else json.dumps(value).encode() for value in values]


def twin(id_: str, model: str = PUMP, **values: Any) -> dict[str, Any]:
    return {"$dtId": id_, "$metadata": {"$model": model}, **values}


def relationship(source: str, name: str, target: str, **more: Any) -> dict[str, Any]:
    row = {"$sourceId": source, "$relationshipName": name, "$targetId": target, **more}
    return {"$relationshipId": f"{name}-{target}", **row}


HEAD = ({"Section": "Header"}, {"fileVersion": "1.0.0", "author": "a", "organization": "o"})
MODELS = ({"Section": "Models"}, *DOCUMENTS)
TWINS = {"Section": "Twins"}
RELATIONSHIPS = {"Section": "Relationships"}


def take(graph: Graph, lines: Iterable[bytes], **more: Any) -> tuple[ImportReport, list[Any]]:
    refused: list[Any] = []
    report = import_rows(graph, lines, refuse=lambda *row: refused.append(row), **more)
    return report, refused


def test_a_file_as_azure_digital_twins_writes_it_is_imported() -> None:
    lines = rows(
        *HEAD,
        *MODELS,
        TWINS,
        twin("P1", flow=1.5, motor={"$metadata": {}, "power": 2}, **{"$etag": 'W/"x"'}),
        twin("T1", TANK),
        RELATIONSHIPS,
        relationship("P1", "feeds", "T1", share=0.5),
        relationship("P1/motor", "wiredTo", "T1"),
    )
    with empty_graph() as graph:
        report, refused = take(graph, lines, who="ada", why="import")
        assert refused == []
        assert (report.models, report.twins, report.relationships) == (5, 2, 2)
        assert (report.lines, report.cursor) == (len(lines), graph.cursor())
        assert graph.store.nodes(["P1"])["P1/motor"].values == {"power": 2.0}
        assert {change.who for change in graph.changes(0)} == {"ada"}
        cursor = graph.cursor()
        again, refused = take(graph, lines)
        assert (again.twins, again.relationships, refused) == (2, 2, [])
        assert graph.cursor() == cursor


def test_every_refused_row_comes_with_line_code_reason_and_itself(graph: Graph) -> None:
    lines = rows(
        {"stray": 1},
        TWINS,
        twin("P1", flwo=1),
        twin("T1", TANK),
        b"{not json",
        b"[1]",
        {"$dtId": "X"},
        {"$metadata": {"$model": TANK}},
        b"   ",
        twin("P1/motor", MOTOR),
        RELATIONSHIPS,
        relationship("P1", "feeds", "T1"),
        relationship("T1", "feeds", "T1"),
        relationship("T1", "near", "nobody"),
        {"$relationshipId": 5},
        relationship("T1", "near", "T1"),
        {"Section": "Nonsense"},
        {"what": 1},
    )
    report, refused = take(graph, lines)
    assert [(line, code) for line, code, _, _ in refused] == [
        (1, "BAD_SECTION"),
        (5, "BAD_JSON"),
        (6, "BAD_ROW"),
        (3, "UNKNOWN_NAME"),
        (7, "BAD_ROW"),
        (8, "BAD_ROW"),
        (10, "IS_COMPONENT"),
        (12, "UNKNOWN_TWIN"),
        (13, "UNKNOWN_NAME"),
        (14, "UNKNOWN_TWIN"),
        (15, "BAD_ROW"),
        (18, "BAD_SECTION"),
    ]
    reasons = {line: reason for line, _, reason, _ in refused}
    assert reasons[3] == "/flwo: the model has no property 'flwo' (did you mean 'flow'?)"
    assert reasons[12] == "twin P1 was refused in this file"
    assert all(raw == lines[line - 1] for line, _, _, raw in refused)
    assert (report.refused, report.twins, report.relationships) == (12, 1, 1)
    assert report.by_code["BAD_ROW"] == 4


def test_a_relationship_of_a_twin_that_is_there_already_is_no_victim(graph: Graph) -> None:
    take(graph, rows(TWINS, twin("P1"), twin("T1", TANK)))
    lines = rows(TWINS, twin("P1", flwo=1), RELATIONSHIPS, relationship("P1", "feeds", "T1"))
    report, refused = take(graph, lines)
    assert (report.relationships, [line for line, *_ in refused]) == (1, [2])


def test_bad_models_end_the_import_with_their_lines() -> None:
    bad = {"@context": "dtmi:dtdl:context;4", "@id": "dtmi:x:Y;1", "@type": "Interfase"}
    with empty_graph() as graph:
        with pytest.raises(ModelInvalid) as caught:
            take(graph, rows(*HEAD, *MODELS, bad, TWINS, twin("P1")))
        assert {problem.line for problem in caught.value.problems} == {3 + len(DOCUMENTS) + 1}
        assert graph.counts().twins == {}


def test_a_model_with_other_content_ends_the_import(graph: Graph) -> None:
    other = {**DOCUMENTS[3], "displayName": "Other"}
    with pytest.raises(Conflict, match="higher version"):
        take(graph, rows({"Section": "Models"}, other))


def test_another_file_version_is_refused(graph: Graph) -> None:
    with pytest.raises(BadInput, match=r"2\.0"):
        take(graph, rows({"Section": "Header"}, {"fileVersion": "2.0.0"}))


def test_sidecars_travel_in_a_section_of_their_own() -> None:
    lines = rows(*HEAD, *MODELS, {"Section": "Dependencies"}, SIDECAR, TWINS, twin("T1", TANK))
    with empty_graph() as graph, empty_graph() as copy:
        take(graph, lines)
        exported = list(export_rows(graph))
        assert json.loads(exported[exported.index(b'{"Section":"Dependencies"}\n') + 1]) == SIDECAR
        take(copy, exported)
        assert copy.dependencies.hash == graph.dependencies.hash
        assert list(export_rows(copy)) == exported


def test_a_line_beyond_the_bound_is_refused_and_never_held(graph: Graph) -> None:
    long = twin("T1", TANK, name="x" * (MAX_LINE + 10))
    file = io.BytesIO(b"\n".join(rows(TWINS, long, twin("T2", TANK))))
    lines = list(bounded_lines(file))
    assert [len(line) <= MAX_LINE + 1 for line in lines] == [True] * 3
    report, refused = take(graph, lines)
    assert [(line, code) for line, code, *_ in refused] == [(2, "TOO_LARGE")]
    assert report.twins == 1


def test_progress_is_told_batch_by_batch(graph: Graph) -> None:
    seen: list[int] = []
    lines = rows(TWINS, *(twin(f"T{i}", TANK) for i in range(25)))
    import_rows(graph, lines, batch=10, progress=lambda report: seen.append(report.twins))
    assert seen == [10, 20, 25]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    pumps=st.dictionaries(
        st.sampled_from(("P1", "P!", "P0")), st.tuples(pump_values, motor_values), max_size=3
    ),
    tanks=st.dictionaries(st.sampled_from(("T1", "T2")), tank_values, min_size=1, max_size=2),
    feeds=st.lists(feed_values, max_size=4),
)
def test_an_export_imports_to_a_graph_that_exports_the_same_bytes(
    pumps: dict[str, Any], tanks: dict[str, Any], feeds: list[Any]
) -> None:
    with empty_graph() as graph, empty_graph() as copy:
        graph.load_models(DOCUMENTS, [SIDECAR])
        graph.write_twins(
            [
                *(TwinInput(id_, PUMP, {**own, "motor": m}) for id_, (own, m) in pumps.items()),
                *(TwinInput(id_, TANK, values) for id_, values in tanks.items()),
            ]
        )
        for number, values in enumerate(feeds if pumps else ()):
            source, target = sorted(pumps)[number % len(pumps)], sorted(tanks)[number % len(tanks)]
            graph.write_relationships(
                [RelationshipInput(source, "feeds", target, f"f{number}", values)]
            )
        exported = list(export_rows(graph))
        _, refused = take(copy, exported)
        assert refused == []
        assert list(export_rows(copy)) == exported
