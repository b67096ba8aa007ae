"""The name registry: short names that never change."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ontology.reference import interface, needs_reference_data, texts
from twinfall.ontology import Names, Ontology, content_name, field_name, parse
from twinfall.ontology.errors import BadInput, Conflict
from twinfall.ontology.names import GENERATED, RESERVED


def models(*dtmis: str) -> Ontology:
    return parse([interface() | {"@id": dtmi} for dtmi in dtmis])


def named(*dtmis: str) -> dict[str, str]:
    return dict(Names.extend({}, models(*dtmis)).entries)


def test_a_model_is_called_by_its_last_segment() -> None:
    names = Names.extend({}, models("dtmi:example:city:Pump;1"))
    assert names.of("dtmi:example:city:Pump;1") == "Pump"
    assert names.dtmi("Pump") == "dtmi:example:city:Pump;1"
    assert names.dtmi("Pumpe") is None
    assert names.qualified == ()


def test_a_clash_is_qualified_by_the_namespace() -> None:
    assert named("dtmi:a:air:Filter1;1", "dtmi:a:water:Filter1;1") == {
        "dtmi:a:air:Filter1;1": "Filter1",
        "dtmi:a:water:Filter1;1": "water_Filter1",
    }


def test_a_second_version_is_qualified_by_it() -> None:
    assert named("dtmi:a:Pump;1", "dtmi:a:Pump;2", "dtmi:a:Pump;10") == {
        "dtmi:a:Pump;1": "Pump",
        "dtmi:a:Pump;2": "Pump_v2",
        "dtmi:a:Pump;10": "Pump_v10",
    }


def test_names_that_differ_only_in_case_clash() -> None:
    assert named("dtmi:a:Pump;1", "dtmi:b:PUMP;1")["dtmi:b:PUMP;1"] == "b_PUMP"


@pytest.mark.parametrize("word", ["Twin", "Query", "impact", "PAGEINFO", "String", "Service"])
def test_words_of_graphql_and_neo4j_are_never_names(word: str) -> None:
    assert named(f"dtmi:plant:{word};1") == {f"dtmi:plant:{word};1": f"plant_{word}"}


def test_no_model_is_called_like_a_type_generated_for_another() -> None:
    names = named("dtmi:a:Duct;1", "dtmi:a:DuctConnection;1", "dtmi:a:AirFilter;1")
    assert names["dtmi:a:DuctConnection;1"] == "DuctConnection_model"
    assert names["dtmi:a:AirFilter;1"] == "AirFilter_model"


def test_a_registered_name_is_kept_for_ever() -> None:
    first = Names.extend({}, models("dtmi:z:Pump;1"))
    second = Names.extend(first.entries, models("dtmi:a:Pump;1", "dtmi:z:Pump;1"))
    assert second.of("dtmi:z:Pump;1") == "Pump"
    assert second.of("dtmi:a:Pump;1") == "a_Pump"


def test_an_alias_names_a_new_model() -> None:
    wish = {"dtmi:a:water:Filter1;1": "WaterSieve"}
    both = models("dtmi:a:air:Filter1;1", "dtmi:a:water:Filter1;1")
    names = Names.extend({}, both, wish)
    assert names.of("dtmi:a:water:Filter1;1") == "WaterSieve"
    assert Names.extend(names.entries, both, wish) == names


def test_an_alias_cannot_rename_or_take_a_name() -> None:
    both = models("dtmi:a:Pump;1", "dtmi:b:Tank;1")
    entries = Names.extend({}, both).entries
    with pytest.raises(Conflict, match="already called Pump"):
        Names.extend(entries, both, {"dtmi:a:Pump;1": "Pumpe"})
    with pytest.raises(Conflict, match="taken"):
        Names.extend({"dtmi:a:Pump;1": "Pump"}, both, {"dtmi:b:Tank;1": "pump"})
    for bad in ("Twin", "_Pump", "Pump Station", "PumpConnection", ""):
        with pytest.raises(BadInput):
            Names.extend({}, both, {"dtmi:a:Pump;1": bad})


@needs_reference_data
def test_real_ontologies_get_short_names() -> None:
    names = Names.extend({}, parse(texts("building-rec33")))
    assert len(set(names.entries.values())) == 767
    assert len(names.qualified) <= 10


@pytest.mark.parametrize(
    ("content", "field"), [("id", "id_"), ("model", "model_"), ("ID", "ID"), ("flow", "flow")]
)
def test_a_content_called_like_our_fields_gets_an_underscore(content: str, field: str) -> None:
    assert field_name(content) == field
    assert content_name(field) == content


_SEGMENT = st.sampled_from(["a", "b", "Pump", "pump", "Twin", "PumpConnection", "Pump_v2", "x_y"])
_DTMI = st.builds(
    lambda labels, version: f"dtmi:{':'.join(labels)};{version}",
    st.lists(_SEGMENT, min_size=1, max_size=4),
    st.integers(1, 4),
)
_DTMIS = st.lists(_DTMI, min_size=1, max_size=25, unique=True)


@settings(max_examples=100, deadline=None)
@given(dtmis=_DTMIS, data=st.data())
def test_names_are_unique_and_independent_of_document_order(
    dtmis: list[str], data: st.DataObject
) -> None:
    names = named(*dtmis)
    assert named(*data.draw(st.permutations(dtmis))) == names
    folded = [name.casefold() for name in names.values()]
    assert len(set(folded)) == len(dtmis)
    assert not {r.casefold() for r in RESERVED}.intersection(folded)
    assert not any(name.endswith(GENERATED) or name.startswith("_") for name in names.values())


@settings(max_examples=100, deadline=None)
@given(first=_DTMIS, later=_DTMIS)
def test_growth_never_renames(first: list[str], later: list[str]) -> None:
    before = Names.extend({}, models(*first))
    after = Names.extend(before.entries, models(*{*first, *later}))
    assert before.entries.items() <= after.entries.items()
    assert all(after.dtmi(name) == dtmi for dtmi, name in after.entries.items())
