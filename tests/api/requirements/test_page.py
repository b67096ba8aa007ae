"""What docs/requirements.md shows is what happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.running import twinfall
from tests.docs.pages import ROOT, Block, blocks
from twinfall.analytics.requirements import Vocabulary, read_requirements
from twinfall.api.access import LOCAL
from twinfall.api.actions.policy import read_policy
from twinfall.api.demo import city_dependencies, city_documents
from twinfall.api.graphql import GraphQLService
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore

PAGE = ROOT / "docs" / "requirements.md"


def shown(language: str) -> list[Block]:
    return [block for block in blocks(language) if block.page == PAGE]


@pytest.fixture(scope="module")
def city() -> Iterator[Graph]:
    """The city's models."""
    graph = Graph(SQLiteStore(":memory:"))
    graph.load_models(city_documents(), city_dependencies())
    yield graph
    graph.store.close()


def test_files_of_the_page_can_be_read(city: Graph) -> None:
    requirements, policy = shown("yaml")

    assert len(read_requirements(requirements.text, Vocabulary.of(city.models))) == 2
    assert len(read_policy(policy.text.encode(), "policy").rules) == 1


@pytest.mark.parametrize("block", shown("graphql"), ids=str)
def test_questions_of_the_page_fit_the_schema(city: Graph, block: Block) -> None:
    text = json.dumps({"version": 1, "requirements": [_row()]})
    service = GraphQLService(city)
    work = service.execute(block.text, {"text": text}, None, LOCAL, "page")
    answer = json.loads(asyncio.run(work).body)

    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    kept = ["STORE_UNAVAILABLE"]  # nothing is kept without a server
    assert set(codes) <= set(kept), answer


def _row() -> dict[str, Any]:
    return {"name": "r", "of": {"models": ["Pump"]}, "require": {"up": True}, "optional": True}


def test_a_bad_text_is_refused_with_every_problem_and_its_line(city: Graph) -> None:
    text = "version: 1\nrequirements:\n  - {name: a, of: {modls: [Pump]}, require: {}}\n"
    query = "query($t: String!) { checkRequirements(requirements: $t) { holds } }"
    work = GraphQLService(city).execute(query, {"t": text}, None, LOCAL, "page")

    (error,) = json.loads(asyncio.run(work).body)["errors"]

    assert error["extensions"]["code"] == "BAD_REQUIREMENTS"
    problems = [(p["line"], p["path"]) for p in error["extensions"]["problems"]]
    assert problems == [
        (3, "/requirements/0/require"),
        (3, "/requirements/0/of/modls"),
    ]


def test_the_first_command_prints_what_the_page_shows(tmp_path: Path) -> None:
    done = twinfall(
        tmp_path,
        "assert",
        str(ROOT / "examples/city/city.requirements.yaml"),
        "--import",
        str(ROOT / "api/demo/city.ndjson.gz"),
        "--models",
        str(ROOT / "examples/city/city.json"),
    )
    (page,) = [b.text for b in blocks("") if b.page == PAGE]

    assert done.status == 1
    assert [line for line in page.splitlines() if line not in done.out.splitlines()] == []
