"""The declarations that come along fit the ontologies they are for."""

from __future__ import annotations

import pytest

from tests.ontology.reference import needs_reference_data, texts
from twinfall.ontology import parse, read_dependencies
from twinfall.ontology.errors import UnknownName
from twinfall.ontology.lint import lint
from twinfall.ontology.sidecars import names, sidecar

FOLDERS = {"realestatecore-3.3": "building-rec33", "isa95": "isa95"}


@needs_reference_data
@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_a_sidecar_that_comes_along_fits_its_ontology_and_says_nothing_in_vain(name: str) -> None:
    ontology = parse(texts(FOLDERS[name]))

    dependencies = read_dependencies([sidecar(name)], ontology)

    assert dependencies.feeds
    assert set(FOLDERS) <= set(names())
    declared = {"declaredInVain", "voteOfOne", "standbyForNothing", "neverCarries", "onlyStorages"}
    assert [one for one in lint(ontology, dependencies) if one.code in declared] == []


def test_a_name_without_declarations_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName) as refused:
        sidecar("isa-95")
    assert "isa95" in refused.value.cure
