"""Reading twins, their properties, components and relationships."""

from __future__ import annotations

from tests.api.graphql.plant import Plant


def test_a_property_has_the_name_the_ontology_gives_it(plant: Plant) -> None:
    found = plant.ask('{ Pump(where: {id: {eq: "P1"}}) { nodes { ratedFlow type class name } } }')
    assert found["Pump"]["nodes"] == [
        {"ratedFlow": 3.5, "type": "centrifugal", "class": "A", "name": "First pump"}
    ]


def test_properties_named_like_our_own_fields_get_an_underscore(plant: Plant) -> None:
    found = plant.ask('{ Pump(where: {id_: {eq: "plate 1"}}) { nodes { id id_ model model_ } } }')
    assert found["Pump"]["nodes"] == [
        {"id": "P1", "id_": "plate 1", "model": "dtmi:plant:Pump;1", "model_": "KSB"}
    ]


def test_every_twin_answers_the_common_fields(plant: Plant) -> None:
    found = plant.ask('{ twin(id: "P2") { __typename id model _version _name _values } }')
    assert found["twin"] == {
        "__typename": "Pump",
        "id": "P2",
        "model": "dtmi:plant:Pump;1",
        "_version": 1,
        "_name": "Second pump",
        "_values": {
            "name": "Second pump",
            "status": 0,
            "ratedFlow": 1.25,
            "serial": 5,
            "motor": {},
        },
    }


def test_a_twin_nobody_wrote_is_null(plant: Plant) -> None:
    assert plant.ask('{ twin(id: "P9") { id } }') == {"twin": None}
    assert plant.ask('{ twin(id: "`; DROP") { id } }') == {"twin": None}


def test_a_component_is_a_field_and_a_twin_with_an_owner(plant: Plant) -> None:
    found = plant.ask(
        '{ twin(id: "P1/motor") { __typename _owner { id __typename } ... on '
        "Motor { power status } } "
        'Pump(where: {id: {eq: "P1"}}) { nodes { motor { id power } } } }'
    )
    assert found["twin"] == {
        "__typename": "Motor",
        "_owner": {"id": "P1", "__typename": "Pump"},
        "power": 5.0,
        "status": "good",
    }
    assert found["Pump"]["nodes"] == [{"motor": {"id": "P1/motor", "power": 5.0}}]


def test_a_typed_root_lists_components_of_its_model_wherever_they_sit(plant: Plant) -> None:
    found = plant.ask("{ Motor { totalCount nodes { id _owner { id } } } }")
    assert found["Motor"]["totalCount"] == 3
    assert found["Motor"]["nodes"][0] == {"id": "P1/motor", "_owner": {"id": "P1"}}


def test_the_generic_root_leaves_components_out_unless_asked(plant: Plant) -> None:
    found = plant.ask("{ a: twins { totalCount } b: twins(components: true) { totalCount } }")
    assert found == {"a": {"totalCount": 8}, "b": {"totalCount": 11}}


def test_a_root_of_a_model_includes_the_models_that_extend_it(plant: Plant) -> None:
    found = plant.ask("{ Tank { nodes { __typename id ... on DeepTank { depth } } } }")
    assert found["Tank"]["nodes"] == [
        {"__typename": "Tank_", "id": "T1"},
        {"__typename": "DeepTank", "id": "T2", "depth": 9.0},
    ]
    by_name = plant.ask('{ twins(model: "Tank") { nodes { id } } }')
    by_dtmi = plant.ask('{ twins(model: "dtmi:plant:Tank;1") { nodes { id } } }')
    assert by_name == by_dtmi == {"twins": {"nodes": [{"id": "T1"}, {"id": "T2"}]}}


def test_relationships_show_their_properties_and_the_far_twin(plant: Plant) -> None:
    found = plant.ask(
        '{ Pump(where: {id: {eq: "P1"}}) { nodes { feeds { totalCount pageInfo { hasNextPage } '
        "edges { id node { __typename id name } properties { since share } } } } } }"
    )
    assert found["Pump"]["nodes"][0]["feeds"] == {
        "totalCount": 2,
        "pageInfo": {"hasNextPage": False},
        "edges": [
            {
                "id": "e1",
                "node": {"__typename": "Tank_", "id": "T1", "name": "Tank"},
                "properties": {"since": "2021-01-01T00:00:00Z", "share": 0.5},
            },
            {
                "id": "e2",
                "node": {"__typename": "DeepTank", "id": "T2", "name": "Deep tank"},
                "properties": {"since": None, "share": 0.25},
            },
        ],
    }


def test_relationships_are_seen_from_the_end_they_lead_to(plant: Plant) -> None:
    found = plant.ask(
        '{ Tank(where: {id: {eq: "T2"}}) { nodes { _in { __typename '
        'feeds(where: {name: {startsWith: "F"}}) '
        "{ nodes { id ... on Pump { ratedFlow } } edges { properties { share } } } } } } }"
    )
    assert found["Tank"]["nodes"][0]["_in"] == {
        "__typename": "DeepTankIncoming",
        "feeds": {
            "nodes": [{"id": "P1", "ratedFlow": 3.5}],
            "edges": [{"properties": {"share": 0.25}}],
        },
    }


def test_relationships_to_any_twin_lead_to_every_type(plant: Plant) -> None:
    found = plant.ask(
        '{ Pump(where: {id: {eq: "P1"}}) { nodes { isNear { nodes { __typename '
        "... on Note { text } } } } } "
        "Note { nodes { _in { isNear { nodes { id } } } } } }"
    )
    assert found["Pump"]["nodes"][0]["isNear"]["nodes"] == [
        {"__typename": "Note", "text": "check the bearing"}
    ]
    assert found["Note"]["nodes"][0]["_in"]["isNear"]["nodes"] == [{"id": "P1"}]


def test_all_relationships_of_a_twin_are_listed_whatever_their_name(plant: Plant) -> None:
    found = plant.ask(
        '{ twin(id: "P1") { out: _relationships { totalCount nodes { id name '
        "source target properties twin { id } } } "
        'one: _relationships(name: "isNear") { edges { cursor node { target } } } '
        "in: _relationships(direction: IN) { totalCount } } }"
    )
    assert found["twin"]["out"]["totalCount"] == 3
    assert found["twin"]["out"]["nodes"][0] == {
        "id": "e1",
        "name": "feeds",
        "source": "P1",
        "target": "T1",
        "properties": {"since": "2021-01-01T00:00:00Z", "share": 0.5},
        "twin": {"id": "T1"},
    }
    assert [edge["node"]["target"] for edge in found["twin"]["one"]["edges"]] == ["N1"]
    assert found["twin"]["in"] == {"totalCount": 0}


def test_four_levels_of_relationships_come_in_one_answer(plant: Plant) -> None:
    found = plant.ask(
        "{ Bus(first: 2) { nodes { _in { poweredBy { nodes { _owner { id ... on Pump "
        "{ feeds(first: 1) { nodes { feeds(first: 5) { nodes { id } } } } } } } } } } } }"
    )
    owners = [node["_owner"] for node in found["Bus"]["nodes"][0]["_in"]["poweredBy"]["nodes"]]
    assert owners == [
        {"id": "P1", "feeds": {"nodes": [{"feeds": {"nodes": [{"id": "A1"}]}}]}},
        {"id": "P2", "feeds": {"nodes": [{"feeds": {"nodes": []}}]}},
    ]


def test_models_tell_what_is_loaded_and_how_it_is_called(plant: Plant) -> None:
    found = plant.ask(
        "{ models { id name displayName description extends twins contents { "
        "name kind schema target } } }"
    )
    by_name = {model["name"]: model for model in found["models"]}
    assert by_name["Asset"]["description"] == "Anything that can fail."
    assert by_name["Motor"]["twins"] == 3
    assert by_name["Pump"]["extends"] == ["dtmi:plant:Asset;1"]
    assert {
        "name": "motor",
        "kind": "Component",
        "schema": None,
        "target": "dtmi:plant:Motor;1",
    } in (by_name["Pump"]["contents"])


def test_the_service_says_what_it_holds_and_who_asks(plant: Plant) -> None:
    found = plant.ask(
        "{ service { version models twins components relationships caller { name role } } }"
    )["service"]
    assert found.pop("version")
    assert found == {
        "models": 7,
        "twins": 8,
        "components": 3,
        "relationships": 7,
        "caller": {"name": "tester", "role": "admin"},
    }
