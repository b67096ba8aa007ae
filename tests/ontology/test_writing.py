"""Models written as another version of DTDL say the same, or the place is named that cannot."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ontology.reference import needs_reference_data, texts
from twinfall.ontology import Ontology, parse
from twinfall.ontology.errors import BadInput, ModelInvalid
from twinfall.ontology.writing import written


def _said(ontology: Ontology) -> dict[str, Any]:
    return {
        dtmi: (one.extends, dict(one.display_name), [
            (c.name, c.kind, c.declared_in, c.unit, c.semantic_type, c.writable, c.target,
             c.interface, c.max_multiplicity, repr(c.schema), sorted(c.properties))
            for c in sorted(one.contents.values(), key=lambda c: c.name)
        ])
        for dtmi, one in ontology.interfaces.items()
    }  # fmt: skip


@needs_reference_data
@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("name", ["building-rec33", "isa95", "smartcities"])
def test_public_ontologies_say_the_same_in_every_version(name: str, version: int) -> None:
    before = parse(texts(name))
    after = parse(written(before, version), max_version=version)
    assert _said(after) == _said(before)
    assert {one.dtdl_version for one in after.interfaces.values()} == {version}


def _model(**more: Any) -> Ontology:
    return parse([{"@context": "dtmi:dtdl:context;4", "@id": "dtmi:a:Pump;1", "@type": "Interface",
                   **more}])  # fmt: skip


def test_what_a_version_cannot_say_is_refused_with_its_place() -> None:
    model = _model(contents=[
        {"@type": "Property", "name": "id", "schema": "uuid"},
    ])  # fmt: skip
    for version in (2, 3):
        with pytest.raises(ModelInvalid) as refused:
            written(model, version)
        assert {p.element for p in refused.value.problems} == {"dtmi:a:Pump:_contents:__id;1"}


def test_version_2_takes_no_arrays_as_properties() -> None:
    array = {"@type": "Array", "elementSchema": "double"}
    model = _model(contents=[{"@type": "Property", "name": "list", "schema": array}])
    assert written(model, 3)
    with pytest.raises(ModelInvalid):
        written(model, 2)


def test_an_extension_that_version_2_has_not_is_refused_and_not_dropped() -> None:
    model = parse([{
        "@context": ["dtmi:dtdl:context;3", "dtmi:twinfall:dependency;1"],
        "@id": "dtmi:a:Pump;1", "@type": ["Interface", "Asset"], "services": ["water"],
    }])  # fmt: skip
    assert '"services":["water"]' in written(model, 4)[0]
    with pytest.raises(ModelInvalid) as refused:
        written(model, 2)
    assert "sidecar" in refused.value.problems[0].cure


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(BadInput, match="no DTDL version 5"):
        written(_model(), 5)
