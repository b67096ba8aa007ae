"""What changed from one version of a model to the next, and whether it breaks anything."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ontology.reference import interface
from twinfall.ontology import parse
from twinfall.ontology.differences import compare, difference

Said = dict[str, Any]
OBJECT: Said = {"@type": "Object", "fields": [{"name": "low", "schema": "double"}]}


def _property(schema: Any, **more: Any) -> Said:
    return {"@type": "Property", "name": "flow", "schema": schema, **more}


def _relationship(**more: Any) -> Said:
    return {"@type": "Relationship", "name": "flow", **more}


def _enum(*values: str) -> Said:
    made = [{"name": value, "enumValue": value} for value in values]
    return {"@type": "Enum", "valueSchema": "string", "enumValues": made}


def _fields(*fields: Said) -> Said:
    return {"@type": "Object", "fields": list(fields)}


def _changes(old: list[Said], new: list[Said]) -> list[tuple[str, str]]:
    """(weight, where) of each change from version 1 to 2 of a pump."""
    first = interface("Pump", contents=old)
    second = {**interface("Pump", contents=new), "@id": "dtmi:example:Pump;2"}
    more = [interface("Tank"), interface("Big", extends="dtmi:example:Tank;1")]
    ontology = parse([first, second, *more])
    found = difference(
        ontology.interfaces["dtmi:example:Pump;1"],
        ontology.interfaces["dtmi:example:Pump;2"],
        ontology,
    )
    return [(change.weight, change.where) for change in found.changes]


TANK, BIG = "dtmi:example:Tank;1", "dtmi:example:Big;1"


@pytest.mark.parametrize(
    ("old", "new", "weight", "where"),
    [
        (_property("integer"), _property("long"), "compatible", "flow"),
        (_property("long"), _property("integer"), "breaking", "flow"),
        (_property("float"), _property("string"), "breaking", "flow"),
        (_property("double", writable=True), _property("double"), "breaking", "flow"),
        (_property("double"), _property("double", writable=True), "compatible", "flow"),
        (_property("double"), _relationship(), "breaking", "flow"),
        (_property(_enum("a")), _property(_enum("a", "b")), "compatible", "flow"),
        (_property(_enum("a", "b")), _property(_enum("a")), "breaking", "flow"),
        (_property(OBJECT), _property("double"), "breaking", "flow"),
        (
            _property(OBJECT),
            _property(_fields({"name": "low", "schema": "string"})),
            "breaking",
            "flow/low",
        ),
        (_property(OBJECT), _property(_fields()), "breaking", "flow/low"),
        (
            _property(OBJECT),
            _property(_fields(*OBJECT["fields"], {"name": "high", "schema": "double"})),
            "compatible",
            "flow/high",
        ),
        (_relationship(target=BIG), _relationship(target=TANK), "compatible", "flow"),
        (_relationship(target=TANK), _relationship(), "compatible", "flow"),
        (_relationship(target=TANK), _relationship(target=BIG), "breaking", "flow"),
        (_relationship(), _relationship(maxMultiplicity=1), "breaking", "flow"),
        (_relationship(maxMultiplicity=1), _relationship(maxMultiplicity=2), "compatible", "flow"),
        (
            _property("double"),
            _property("double", displayName="Flow"),
            "wording",
            "flow",
        ),
    ],
)
def test_a_changed_content_is_weighed(old: Said, new: Said, weight: str, where: str) -> None:
    assert _changes([old], [new]) == [(weight, where)]


def test_what_came_is_compatible_and_what_went_breaks() -> None:
    assert _changes([], [_property("double")]) == [("compatible", "flow")]
    assert _changes([_property("double")], []) == [("breaking", "flow")]
    assert _changes([_property("double")], [_property("double")]) == []


def test_the_heaviest_change_comes_first_and_is_the_verdict() -> None:
    old = parse([interface("Pump", contents=[_property("double")]), interface("Gone")])
    new = parse([interface("Pump", contents=[_property("string")]), interface("Came")])

    found = compare(old, new)

    assert (found.added, found.removed) == (("dtmi:example:Came;1",), ("dtmi:example:Gone;1",))
    assert found.verdict == found.differences[0].verdict == "breaking"
    assert compare(old, old).verdict == "same"


def test_a_new_version_is_matched_with_the_old_one() -> None:
    old = parse([interface("Pump")])
    new = parse([{**interface("Pump"), "@id": "dtmi:example:Pump;2"}])

    (found,) = compare(old, new).differences

    assert (found.old, found.new, found.verdict) == (
        "dtmi:example:Pump;1",
        "dtmi:example:Pump;2",
        "same",
    )


def test_a_model_that_no_longer_extends_another_is_missed_by_its_queries() -> None:
    old = parse([interface("Tank"), interface("Pump", extends=TANK)])
    new = parse([interface("Tank"), interface("Pump")])

    (found,) = compare(old, new).differences

    assert found.verdict == "breaking"
    assert TANK in found.changes[0].message


def test_schemas_that_contain_themselves_are_compared_to_an_end() -> None:
    def tree(leaf: str) -> Said:
        node = {
            "@type": "Object", "@id": "dtmi:example:Node;1",
            "fields": [
                {"name": "value", "schema": leaf},
                {"name": "next", "schema": "dtmi:example:Node;1"},
            ],
        }  # fmt: skip
        return {
            "@context": "dtmi:dtdl:context;4", "@type": "Interface", "@id": "dtmi:example:List;1",
            "schemas": [node],
            "contents": [{"@type": "Property", "name": "head", "schema": "dtmi:example:Node;1"}],
        }  # fmt: skip

    (found,) = compare(parse([tree("double")]), parse([tree("string")])).differences

    assert ("breaking", "head/value") in [(c.weight, c.where) for c in found.changes]
