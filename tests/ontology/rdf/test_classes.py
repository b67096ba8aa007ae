"""Classes of OWL, SHACL and Brick become DTDL interfaces, and what is lost is told."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.building import brick_file
from tests.ontology.rdf.reading import PREFIXES, codes, dtmi, ontology, read
from twinfall.ontology import parse
from twinfall.ontology.dtmi import read_dtmi
from twinfall.ontology.model import Enum, Object, Primitive
from twinfall.ontology.rdf import Source, read_models
from twinfall.ontology.rdf.identifiers import MAX_DTMI, dtmi_of, name_of
from twinfall.ontology.rdf.iris import Iris

PLANT = """
ex:Asset a owl:Class ; rdfs:label "Asset"@en, "Anlage"@de ; rdfs:comment "Anything." .
ex:Pump a owl:Class ; rdfs:subClassOf ex:Asset .
ex:Tank a owl:Class ; rdfs:subClassOf ex:Asset .
ex:feeds a owl:ObjectProperty ; rdfs:domain ex:Pump ; rdfs:range ex:Tank .
ex:flow a owl:DatatypeProperty, owl:FunctionalProperty ; rdfs:domain ex:Pump ;
  rdfs:range xsd:double .
"""


def test_owl_classes_extend_and_have_what_their_domain_says() -> None:
    made = ontology(PLANT)
    pump = made.interfaces[dtmi("Pump")]
    assert pump.extends == (dtmi("Asset"),)
    assert pump.contents["flow"].schema == Primitive("double")
    assert pump.contents["feeds"].target == dtmi("Tank")
    assert made.interfaces[dtmi("Asset")].display_name == {"en": "Asset", "de": "Anlage"}


def test_shapes_say_datatypes_targets_counts_and_lists() -> None:
    made = ontology("""
ex:Pump a sh:NodeShape ;
  sh:property [ sh:path ex:flow ; sh:datatype xsd:float ; sh:maxCount 1 ; sh:name "Flow" ] ,
    [ sh:path ex:feeds ; sh:class ex:Tank ; sh:maxCount 2 ] ,
    [ sh:path ex:mode ; sh:in ( "on" "off" ) ; sh:maxCount 1 ] .
ex:TankShape a sh:NodeShape ; sh:targetClass ex:Tank ;
  sh:property [ sh:path ex:size ; sh:node ex:Quantity ; sh:maxCount 1 ] .
ex:Quantity a sh:NodeShape ; sh:property [ sh:path ex:value ; sh:datatype xsd:double ] .
""")
    contents = made.interfaces[dtmi("Pump")].contents
    assert contents["flow"].schema == Primitive("float")
    assert contents["flow"].display_name == {"en": "Flow"}
    assert (contents["feeds"].target, contents["feeds"].max_multiplicity) == (dtmi("Tank"), 2)
    mode = contents["mode"].schema
    assert isinstance(mode, Enum)
    assert [one.value for one in mode.values] == ["on", "off"]
    size = made.interfaces[dtmi("Tank")].contents["size"].schema
    assert isinstance(size, Object)
    assert [(f.name, f.schema) for f in size.fields] == [("value", Primitive("double"))]


def test_the_map_of_iris_stands_in_the_models() -> None:
    iris = Iris.of(ontology(PLANT))
    assert iris.classes["https://example.org/plant#Pump"] == dtmi("Pump")
    assert iris.class_iri(dtmi("Pump")) == "https://example.org/plant#Pump"
    assert iris.contents[dtmi("Pump"), "feeds"].predicate == "https://example.org/plant#feeds"


@pytest.mark.parametrize(
    ("turtle", "code"),
    [
        ("ex:A rdfs:subClassOf ex:B . ex:B rdfs:subClassOf ex:A .", "circle"),
        ("ex:A a owl:Class ; owl:equivalentClass ex:B . ex:B a owl:Class .", "equivalent"),
        ("ex:A a owl:Class ; owl:disjointWith ex:B . ex:B a owl:Class .", "disjoint"),
        ("ex:A a owl:Class ; rdfs:subClassOf other:Far .", "parent"),
        ("ex:A a owl:Class ; rdfs:label 'x'@en, 'y'@en .", "text"),
        ("ex:A a owl:Class . ex:p a owl:DatatypeProperty ; rdfs:domain ex:A .", "datatype"),
        ("ex:A a owl:Class . ex:p rdfs:domain ex:A .", "kind"),
        ("ex:A a owl:Class . other:p a owl:ObjectProperty .", "domain"),
        ("ex:A a sh:NodeShape ; sh:property [ sh:path ex:p ; sh:class ex:A ; sh:minCount 1 ] .",
         "cardinality"),
        ("ex:A a sh:NodeShape ; sh:property [ sh:path [ sh:inversePath ex:p ] ] .", "path"),
        ("ex:A a sh:NodeShape ; sh:property [ sh:path ex:p ; sh:maxCount 0 ] .", "forbidden"),
        ("ex:A a sh:NodeShape ; sh:property [ sh:path ex:p ; sh:datatype xsd:string ;"
         " sh:pattern 'x' ] .", "constraint"),
        ("ex:A a sh:NodeShape . ex:B a sh:NodeShape ; rdfs:subClassOf ex:A . ex:C a sh:NodeShape ;"
         " sh:property [ sh:path ex:p ; sh:or ( [ sh:class ex:A ] [ sh:class ex:C ] ) ] .",
         "union"),
    ],
)  # fmt: skip
def test_what_dtdl_cannot_say_is_told(turtle: str, code: str) -> None:
    told = read(turtle)
    assert code in codes(told)
    parse(told.documents)


def test_a_union_with_one_common_class_above_leads_there() -> None:
    made = ontology("""
ex:Asset a owl:Class . ex:A a owl:Class ; rdfs:subClassOf ex:Asset .
ex:B a owl:Class ; rdfs:subClassOf ex:Asset .
ex:p a owl:ObjectProperty ; rdfs:domain ex:A ; rdfs:range [ owl:unionOf ( ex:A ex:B ) ] .
""")
    assert made.interfaces[dtmi("A")].contents["p"].target == dtmi("Asset")


def test_two_unrelated_parents_with_one_predicate_share_an_interface_that_has_it() -> None:
    made = ontology("""
ex:A a owl:Class . ex:B a owl:Class . ex:C a owl:Class ; rdfs:subClassOf ex:A, ex:B .
ex:p a owl:DatatypeProperty, owl:FunctionalProperty ; rdfs:domain ex:A, ex:B ;
  rdfs:range xsd:string .
""")
    declared = {made.interfaces[dtmi(n)].contents["p"].declared_in for n in ("A", "B", "C")}
    assert len(declared) == 1
    assert not declared & {dtmi("A"), dtmi("B"), dtmi("C")}


def test_predicates_of_one_last_word_get_different_names() -> None:
    told = read("""
ex:A a owl:Class . ex:p a owl:ObjectProperty ; rdfs:domain ex:A .
other:p a owl:ObjectProperty ; rdfs:domain ex:A .
""")
    contents = parse(told.documents).interfaces[dtmi("A")].contents
    assert {"p", "words_p"} <= set(contents)
    assert "name" in codes(told)


def test_a_later_file_may_extend_what_is_loaded() -> None:
    loaded = ontology(PLANT)
    more = read(
        "ex:Booster a owl:Class ; rdfs:subClassOf ex:Pump ."
        " ex:flow a owl:DatatypeProperty ; rdfs:domain ex:Booster ; rdfs:range xsd:double .",
        known=loaded,
    )
    both = parse([*loaded.documents, *more.documents])
    assert both.is_a(dtmi("Booster"), dtmi("Pump"))


def test_fifteen_levels_become_what_dtdl_takes() -> None:
    chain = "ex:C0 a owl:Class . " + " ".join(
        f"ex:C{n} a owl:Class ; rdfs:subClassOf ex:C{n - 1} ." for n in range(1, 15)
    )
    told = read(chain)
    assert "depth" in codes(told)
    assert parse(told.documents).is_a(dtmi("C14"), dtmi("C3"))


@given(
    st.from_regex(
        r"(https?://[a-z]{1,5}\.[a-z]{2}|urn:[a-z]{2})([/#:][^\s<>\[\]]{1,60}){1,3}", fullmatch=True
    )
)
def test_every_iri_has_a_legal_dtmi_and_a_legal_name(iri: str) -> None:
    made = read_dtmi(dtmi_of(iri))
    assert made is not None
    assert not made.is_reserved
    assert len(dtmi_of(iri)) <= MAX_DTMI
    assert dtmi_of(iri) == dtmi_of(iri)
    assert read_dtmi(f"dtmi:x:{name_of(iri)}") is not None


_AGAIN = """
import hashlib, sys
from twinfall.ontology.rdf import Source, read_models
text = sys.stdin.buffer.read()
read = read_models([Source("x.ttl", text, "turtle")])
print(hashlib.sha256(repr(read).encode()).hexdigest())
"""


def test_the_same_text_gives_the_same_models_whatever_the_order_of_hashes() -> None:
    turtle = (
        PREFIXES
        + PLANT
        + """
ex:Pump sh:property [ sh:path ex:a ; sh:class ex:Tank ; sh:name "one" ],
  [ sh:path ex:a ; sh:class ex:Asset ; sh:name "two" ], [ sh:path ex:a ; sh:name "three" ] .
"""
    )
    seen = set()
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-c", _AGAIN], input=turtle.encode(), capture_output=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        seen.add(done.stdout)
    assert len(seen) == 1


def test_brick_is_read_whole() -> None:
    file = brick_file()
    if file is None:
        pytest.skip("the package brickschema is not installed")
    told = read_models([Source.of_file(str(file), file.read_bytes())])
    made = parse(told.documents)
    assert len(told.dtmis) >= 1_700
    brick = "dtmi:org:brickschema:schema:Brick"
    assert made.is_a(f"{brick}:AHU;1", f"{brick}:Air_Handling_Unit;1")
    assert made.is_a(f"{brick}:Air_Handling_Unit;1", f"{brick}:Equipment;1")
    assert made.interfaces[f"{brick}:Location;1"].contents["hasPoint"].target == f"{brick}:Point;1"
    assert {"rule", "deprecated", "union", "disjoint"} <= codes(told)
