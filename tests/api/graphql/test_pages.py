"""Pages, cursors and counts."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import orjson
import pytest

from tests.api.graphql.plant import Plant
from twinfall.graph.twins import RelationshipInput, TwinInput

COUNT = 23


@pytest.fixture(scope="module")
def row() -> Iterator[Plant]:
    """A pump that feeds 23 tanks, some with the same volume, some without any."""
    made = Plant()
    volumes = [None if n % 5 == 0 else float(n // 3) for n in range(COUNT)]
    tanks = [
        TwinInput(f"T{n:02}", "Tank", {} if v is None else {"volume": v, "name": f"{v}"})
        for n, v in enumerate(volumes)
    ]
    made.graph.write_twins([TwinInput("P", "Pump"), *tanks])
    made.graph.write_relationships([RelationshipInput("P", "feeds", t.id) for t in tanks])
    yield made
    made.close()


@pytest.mark.parametrize("size", [1, 2, 7, 22, 23, 24])
@pytest.mark.parametrize("sort", ["[]", "[{volume: ASC}]", "[{volume: DESC}, {id: DESC}]"])
def test_pages_follow_each_other_without_gap_or_repetition(
    row: Plant, size: int, sort: str
) -> None:
    query = (
        f"query($after: String) {{ Tank(first: {size}, after: $after, sort: {sort}) "
        "{ totalCount nodes { id } edges { cursor } pageInfo { hasNextPage endCursor } } }"
    )
    whole = row.ask(query.replace(f"first: {size}", "first: 500"))["Tank"]
    seen, after = [], None
    while True:
        page = row.ask(query, after=after)["Tank"]
        assert page["totalCount"] == COUNT
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        assert page["edges"][-1]["cursor"] == after
        if not page["pageInfo"]["hasNextPage"]:
            break
        assert len(page["nodes"]) == size
    assert seen == whole["nodes"]
    assert len({node["id"] for node in seen}) == COUNT


@pytest.mark.parametrize("direction", ["OUT", "IN"])
def test_pages_of_relationships_follow_each_other(row: Plant, direction: str) -> None:
    twin = "P" if direction == "OUT" else "T07"
    query = (
        f'query($after: String) {{ twin(id: "{twin}") {{ _relationships(direction: {direction}, '
        "first: 4, after: $after) { nodes { source id } pageInfo { hasNextPage endCursor } } } }"
    )
    seen, after = [], None
    while True:
        page = row.ask(query, after=after)["twin"]["_relationships"]
        seen += [(node["source"], node["id"]) for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(set(seen)) == len(seen) == (COUNT if direction == "OUT" else 1)


def test_sorted_pages_of_relationships_follow_each_other(row: Plant) -> None:
    query = (
        "query($after: String) { Pump { nodes { feeds(first: 5, after: $after, "
        "sort: [{name: DESC}]) { nodes { id name } pageInfo { hasNextPage endCursor } } } } }"
    )
    seen, after = [], None
    while True:
        page = row.ask(query, after=after)["Pump"]["nodes"][0]["feeds"]
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == COUNT
    names = [node["name"] for node in seen if node["name"] is not None]
    assert names == sorted(names, reverse=True)


def test_an_empty_page_has_no_end(row: Plant) -> None:
    found = row.ask(
        '{ Tank(where: {id: {eq: "none"}}) { totalCount nodes { id } '
        "pageInfo { hasNextPage endCursor } } }"
    )
    assert found["Tank"] == {
        "totalCount": 0,
        "nodes": [],
        "pageInfo": {"hasNextPage": False, "endCursor": None},
    }


def test_a_cursor_belongs_to_one_connection_in_one_order(row: Plant) -> None:
    page = "{ Tank(first: 2, sort: [{volume: ASC}]) { pageInfo { endCursor } } }"
    cursor = row.ask(page)["Tank"]["pageInfo"]["endCursor"]
    for arguments in ("sort: [{volume: DESC}]", "sort: [{id: ASC}]", "first: 3"):
        query = f"query($c: String) {{ Tank({arguments}, after: $c) {{ nodes {{ id }} }} }}"
        error = row.refusal(query, c=cursor)
        assert error["code"] == "BAD_QUERY"
        assert "endCursor" in error["cure"]
    other = "query($c: String) { Asset(sort: [], after: $c) { nodes { id } } }"
    assert row.refusal(other, c=cursor)["code"] == "BAD_QUERY"


def _forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def test_a_forged_cursor_never_reaches_the_store(row: Plant) -> None:
    good = row.ask("{ Tank(first: 1, sort: [{volume: ASC}]) { pageInfo { endCursor } } }")
    cursor = good["Tank"]["pageInfo"]["endCursor"]
    mark, volume, id_ = orjson.loads(base64.urlsafe_b64decode(cursor + "=="))
    query = "query($c: String) { Tank(sort: [{volume: ASC}], after: $c) { nodes { id } } }"
    calls = row.store.calls["fetch"]
    for forged in (
        _forged(mark, "text", id_),
        _forged(mark, {"a": 1}, id_),
        _forged(mark, True, id_),
        _forged(mark, volume),
        _forged(mark, volume, id_, id_),
        _forged(mark, volume, 5),
        _forged("other", volume, id_),
        _forged(),
        "%%%",
        "",
        "A" * 5000,
        "ünicode",
    ):
        assert row.refusal(query, c=forged)["code"] == "BAD_QUERY", forged
    assert row.store.calls["fetch"] == calls
