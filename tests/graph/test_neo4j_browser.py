"""The style sheet and the saved queries for Neo4j Browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.graph.plant import plant
from tests.servers.neo4j import Neo4jServer
from twinfall.graph.neo4j.grass import style_sheet
from twinfall.ontology import Names, Ontology, parse

EXAMPLES = Path(__file__).parents[2] / "examples"
SHEET = EXAMPLES / "neo4j" / "twinfall.grass"
QUERIES = sorted((EXAMPLES / "neo4j" / "queries").glob("*.cypher"))
RULE = re.compile(r"(node|relationship)(?:\.(\w+))? \{\n((?:  [^\n]+;\n)+)\}\n")


@pytest.fixture(scope="module")
def city() -> tuple[Names, Ontology]:
    ontology = parse(json.loads((EXAMPLES / "city" / "city.json").read_text()))
    return Names.extend({}, ontology), ontology


def test_the_sheet_that_is_shipped_is_the_one_of_the_citys_ontology(
    city: tuple[Names, Ontology],
) -> None:
    assert SHEET.read_text() == style_sheet(*city), "run python examples/neo4j/style.py"


def test_ancestors_come_before_what_extends_them(city: tuple[Names, Ontology]) -> None:
    names, ontology = city
    order = [found[1] for found in RULE.findall(style_sheet(names, ontology)) if found[1]]
    for dtmi, interface in ontology.interfaces.items():
        for ancestor in interface.ancestors:
            assert order.index(names.of(ancestor)) < order.index(names.of(dtmi))


def test_a_sheet_holds_nothing_that_browser_cannot_read() -> None:
    text = style_sheet(plant().names, plant().ontology)
    assert RULE.sub("", text) == ""
    for _, _, body in RULE.findall(text):
        for line in body.strip().split("\n"):
            assert len(line.split(":")) == 2  # Browser's reader splits there


def test_models_have_colours_that_can_be_told_apart(city: tuple[Names, Ontology]) -> None:
    bodies = [body for _, name, body in RULE.findall(style_sheet(*city)) if name]
    specific = [body for body in bodies if "diameter: 58px" in body]
    colours = {re.findall(r"color: (#\w{6})", body)[0] for body in specific}
    assert len(colours) == len(specific) > 10


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_saved_query_has_a_name_and_uses_the_citys_words(
    path: Path, city: tuple[Names, Ontology]
) -> None:
    names, ontology = city
    text = path.read_text()
    assert text.startswith("// ")
    labels = set(re.findall(r"\(\w*:(\w+)", text))
    types = {t for group in re.findall(r"\[\w*:([\w|]+)", text) for t in group.split("|")}
    declared = {n for i in ontology.interfaces.values() for n in i.of_kind("Relationship")}
    ours = {"Twin", "_Affected"}
    assert labels <= {names.of(dtmi) for dtmi in ontology.interfaces} | ours
    assert types <= declared | {"_hasComponent"}
    assert labels or types


@pytest.mark.neo4j
@pytest.mark.timeout(400)
@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_saved_query_is_one_that_the_server_understands(path: Path, neo4j: Neo4jServer) -> None:
    with neo4j.driver() as driver:
        plan = driver.execute_query("EXPLAIN " + path.read_text(), database_="neo4j").summary.plan
    assert plan
