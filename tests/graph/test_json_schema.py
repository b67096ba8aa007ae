"""A twin that its model's JSON Schema takes is written, and one that it refuses is refused."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.api.graphql.plant import MODELS
from twinfall.graph.values_judge import ValuesJudge
from twinfall.graph.verdict import Suggestions
from twinfall.ontology import parse
from twinfall.ontology.json_schema import model_schema

PUMP = "dtmi:plant:Pump;1"
ONTOLOGY = parse(MODELS)
SCHEMA = Draft202012Validator(model_schema(ONTOLOGY, PUMP))
NAMES = (*ONTOLOGY.interfaces[PUMP].contents, "power", "nothing", "")
VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.sampled_from(
        ["", "R", "running", "yes", "2020-01-01", "2020-01-01T01:00:00+01:00", "P2Y", "P", 1, 0]
    )
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "y", *NAMES]), inner, max_size=3)
    ),
    max_leaves=6,
)
GOOD: dict[str, list[Any]] = {
    "name": ["a"], "ratedFlow": [1, 2.5], "serial": [2**62], "critical": [True], "color": ["R"],
    "tags": [[], ["a"]], "levels": [[1, 2]], "position": [{}, {"x": 1}], "bought": ["2020-02-29"],
    "motor": [{}, {"power": 1.5}, {"status": "ok"}], "status": [1], "truth": ["no"],
}  # fmt: skip


@st.composite
def twins(draw: st.DrawFn) -> dict[str, Any]:
    """Mostly good values, so that what is good is met as well."""
    names = draw(st.lists(st.sampled_from(sorted(GOOD)), max_size=5, unique=True))
    made = {name: draw(st.sampled_from(GOOD[name])) for name in names}
    odd = draw(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=1))
    return made | odd


@settings(max_examples=300, deadline=None)
@given(twins())
def test_schema_and_judge_of_writes_agree(values: dict[str, Any]) -> None:
    judged = ValuesJudge(ONTOLOGY, Suggestions()).twin(PUMP, values)
    assert SCHEMA.is_valid(values) == (not judged.faults), judged.faults
