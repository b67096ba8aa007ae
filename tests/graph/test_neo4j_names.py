"""Names from outside never become query syntax."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twinfall.graph.neo4j
from tests.graph.plant import DOCUMENTS, plant
from twinfall.graph.neo4j.conditions import Statement
from twinfall.graph.neo4j.cypher import Words, quoted
from twinfall.graph.neo4j.fetching import PlanStatement
from twinfall.graph.plan import (
    Compare,
    Component,
    ComponentSelect,
    Fetch,
    FieldRef,
    Page,
    Related,
    RelationSelect,
    Select,
    Sort,
)
from twinfall.graph.values import FieldTypes
from twinfall.ontology.errors import UnknownName

MODELS = plant()
WORDS = Words.of(FieldTypes.of(MODELS.ontology.interfaces), MODELS.names.entries)
hostile = st.one_of(
    st.text(min_size=1, max_size=20),
    st.text("`'\"\\})]; \n/*-$:x", min_size=1, max_size=12),
    st.sampled_from(("x` DETACH DELETE n //", "name`", "name\n", "`name`", "\u0060", "n}) RETURN")),
).filter(lambda text: text not in WORDS.keys | WORDS.relationships)


def texts_of(name: str) -> list[Fetch]:
    """Plans that hold the name everywhere a plan can hold one."""
    field = FieldRef(name, "text")
    edge = FieldRef(name, "text", "edge")
    relation = RelationSelect("feeds", "out", Page(1, sort=(Sort(edge),)), Select())
    return [
        Fetch(Page(1, where=Compare(field, "eq", "v")), Select()),
        Fetch(Page(1, sort=(Sort(field),)), Select()),
        Fetch(Page(1), Select((name,))),
        Fetch(Page(1), Select(relations=(("r", relation),))),
        Fetch(Page(1), Select(relations=(("r", relation),), properties=(name,))),
    ]


@settings(max_examples=300, deadline=None)
@given(name=hostile)
def test_a_field_that_no_model_declares_is_refused(name: str) -> None:
    if name in ("id", "_model", "_name", "_version"):
        return
    for plan in texts_of(name):
        with pytest.raises(UnknownName):
            PlanStatement(plan, Statement(WORDS))


@settings(max_examples=300, deadline=None)
@given(name=hostile)
def test_other_names_and_all_values_travel_as_parameters(name: str) -> None:
    def text(word: str) -> str:
        where = Related(word, "out", "some", Component(word, Compare(field, "eq", word)))
        select = Select(components=((word, ComponentSelect(word, Select())),))
        plan = Fetch(Page(1, where=where, after=(word, word), sort=(Sort(field),)), select)
        return PlanStatement(plan, Statement(WORDS)).text

    field = FieldRef("name", "text")
    assert text(name) == text("nobodyUsesThis")


@given(name=st.text(max_size=8) | st.sampled_from(("a`b", "a b", "", "a\n", "é", "1a", "a-b")))
def test_even_a_declared_name_must_look_like_one(name: str) -> None:
    known = frozenset({name})
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name, re.ASCII):
        assert quoted(name, known) == f"`{name}`"
    else:
        with pytest.raises(UnknownName):
            quoted(name, known)


def test_statements_are_put_together_in_few_places() -> None:
    """Only these modules may build Cypher from parts; everywhere else it is one literal."""
    allowed = {"conditions", "fetching", "reading", "writing", "topology"}
    folder = Path(twinfall.graph.neo4j.__file__).parent
    found = {path.stem for path in folder.glob("*.py") if _builds_cypher(path)}
    assert found <= allowed
    assert found  # the check finds what it looks for


def _builds_cypher(path: Path) -> bool:
    words = re.compile(r"\b(MATCH|MERGE|CREATE|SET|DELETE|UNWIND)\b")
    parts: list[Any] = [
        part
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr)
        and any(isinstance(value, ast.FormattedValue) for value in node.values)
        for part in node.values
    ]
    return any(isinstance(p, ast.Constant) and words.search(str(p.value)) for p in parts)


def test_the_plants_words_are_all_there() -> None:
    declared = {content["name"] for doc in DOCUMENTS for content in doc["contents"]}
    assert {"name", "flow", "share"} <= WORDS.keys
    assert WORDS.relationships <= declared
