"""MQTT messages: what topics and payloads mean."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingestion.pumps import TWINS, Said, rows_refused, rows_said, said
from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.decoding.again import decoder
from twinfall.ingestion.decoding.mqtt_frames import (
    MAX_PAYLOAD,
    MessageDecoder,
    decode_messages,
    message_of,
    raw_of,
)
from twinfall.ingestion.decoding.topics import Topics, is_ours
from twinfall.ingestion.frame import Frame
from twinfall.ingestion.telemetry import Telemetry
from twinfall.ontology.errors import BadSettings

MS = 1_760_000_000_000
NS = MS * 10**6


def _one(catalogue: Catalogue, topic: str, payload: bytes | Any) -> Frame:
    raw = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return decode_messages([(topic, raw)], catalogue)


@pytest.mark.parametrize(
    ("payload", "value", "time"),
    [
        (b"1.5", 1.5, None),
        (b" true ", True, None),
        (b'"auto"', "auto", None),
        (b"null", None, None),
        (b'{"_value":2}', 2, None),
        (b'{"_value":2,"_time":%d}' % MS, 2, NS),
        (b'{"_time":"2025-10-09T08:53:20Z","_value":[1]}', [1], NS),
        (b'{"_value":2,"_time":null,"_unit":null,"_seq":null}', 2, None),
        (b'{"a":1}', {"a": 1}, None),
        (b"[1,2]", [1, 2], None),
    ],
)
def test_a_payload_on_a_readings_topic_is_its_value(
    decoding: Catalogue, payload: bytes, value: Any, time: int | None
) -> None:
    frame = _one(decoding, "twinfall/P1/flow", payload)
    assert said(frame, decoding) == [Said("P1", "flow", value, time)]
    assert frame.source == "mqtt"


def test_units_and_sequence_numbers_go_with_their_reading(decoding: Catalogue) -> None:
    frame = _one(decoding, "twinfall/P1/flow", {"_value": 2, "_unit": "bar", "_seq": 7})
    assert (frame.units, frame.seqs) == ({0: "bar"}, {0: 7})


def test_a_twins_topic_takes_several_readings_and_arrays_of_them(decoding: Catalogue) -> None:
    frame = _one(decoding, "twinfall/P1", {"_time": MS, "flow": 1, "mode": "x"})
    assert said(frame, decoding) == [Said("P1", "flow", 1, NS), Said("P1", "mode", "x", NS)]
    several = [{"_time": MS + i, "flow": i, "pressure": -i} for i in range(3)]
    found = said(_one(decoding, "twinfall/P1", several), decoding)
    assert found == [
        Said("P1", name, sign * i, NS + i * 10**6)
        for i in range(3)
        for name, sign in (("flow", 1), ("pressure", -1))
    ]


def test_the_ontology_decides_between_component_and_reading(decoding: Catalogue) -> None:
    frame = _one(decoding, "twinfall/P2/motor", {"temperature": 50, "vibration": 1})
    assert said(frame, decoding) == [
        Said("P2/motor", "temperature", 50, None),
        Said("P2/motor", "vibration", 1, None),
    ]
    frame = _one(decoding, "twinfall/P2/motor/temperature", b"51")
    assert said(frame, decoding) == [Said("P2/motor", "temperature", 51, None)]
    frame = _one(decoding, "twinfall/P2/flow", b"52")
    assert said(frame, decoding) == [Said("P2", "flow", 52, None)]


@pytest.mark.parametrize("twin", TWINS)
def test_ids_are_percent_encoded_in_topics(decoding: Catalogue, twin: str) -> None:
    topic = f"twinfall/{quote(twin, safe='')}/flow"
    assert said(_one(decoding, topic, b"1"), decoding) == [Said(twin, "flow", 1, None)]
    assert Topics(decoding).of(twin, "_command", "start").split("/")[1].isprintable()
    assert not set(Topics(decoding).of(twin, "_command", "start")) & set("+#")


@pytest.mark.parametrize(
    "topic",
    [
        "twinfall",
        "twinfall/",
        "twinfall//flow",
        "other/P1/flow",
        "twinfall/P1/motor/a/b",
        "",
        "/",
        "twinfall/P1/",
        "twinfall/P1/_state",
        "twinfall/P1/_command/start",
        "twinfall/P1/fl%00ow",
        "twinfall/%FF/flow",
        "twinfall/P%0A1/flow",
        "twinfall/a%2Fb%2Fc/flow",
        "$SYS/broker",
        "twinfall/P1/motor/_x",
        f"twinfall/{'x' * 200}/flow",
        "twinfallx/P1/flow",
    ],
)
def test_a_topic_that_names_no_reading_is_refused(decoding: Catalogue, topic: str) -> None:
    (fault,) = _one(decoding, topic, b"1").faults
    assert fault.code == "BAD_TOPIC"
    assert message_of(fault.raw) == (topic, b"1")


@pytest.mark.parametrize(
    ("topic", "payload", "code"),
    [
        ("P1/flow", b"", "BAD_JSON"),
        ("P1/flow", b"NaN", "BAD_JSON"),
        ("P1/flow", b"\xff\x00", "BAD_JSON"),
        ("P1/flow", b"[" * 5000, "BAD_JSON"),
        ("P1/flow", b'{"_value":1,"_time":"x"}', "BAD_TIME"),
        ("P1/flow", b'{"_value":1,"_unit":1}', "BAD_UNIT"),
        ("P1/flow", b'{"_value":1,"_seq":-1}', "BAD_ROW"),
        ("P1/flow", b'{"_value":1,"extra":1}', "BAD_ROW"),
        ("P1/flow", b'"' + b"x" * MAX_PAYLOAD + b'"', "TOO_LARGE"),
        ("P1", b"1", "BAD_ROW"),
        ("P1", b"[]", "BAD_ROW"),
        ("P1", b"{}", "BAD_ROW"),
        ("P1", b'{"_time":5}', "BAD_ROW"),
        ("P1", b'{"_time":"x","flow":1}', "BAD_TIME"),
        ("P1", b'{"_twin":"P2"}', "UNKNOWN_NAME"),
    ],
)
def test_a_payload_that_cannot_be_read_is_refused(
    decoding: Catalogue, topic: str, payload: bytes, code: str
) -> None:
    frame = _one(decoding, f"twinfall/{topic}", payload)
    assert [fault.code for fault in frame.faults] == [code]
    assert not len(frame.values)


def test_a_bad_entry_of_an_array_is_refused_alone(decoding: Catalogue) -> None:
    entries: list[Any] = [{"flow": 1}, 7, {"flow": 2, "_time": "?"}, {"flow": 3}]
    frame = _one(decoding, "twinfall/P1", entries)
    assert [reading.value for reading in said(frame, decoding)] == [1, 3]
    assert [message_of(fault.raw) for fault in frame.faults] == [
        ("twinfall/P1", b"7"),
        ("twinfall/P1", b'{"flow":2,"_time":"?"}'),
    ]


@pytest.mark.parametrize(
    ("template", "filters", "topic", "expected"),
    [
        ("site/{twin}/{name}", ["site/#"], "site/P1/flow", ("P1", "flow")),
        (
            "site/{twin}/{name}",
            ["site/#"],
            "site/P1/motor/temperature",
            ("P1/motor", "temperature"),
        ),
        ("a/+/{twin}/{name}", ["a/+/#"], "a/x/P1", ("P1", "")),
        ("v1/{name}/of/{twin}", ["v1/+/of/+"], "v1/flow/of/P1%2Fmotor", ("P1/motor", "flow")),
        ("v1/{twin}/state", ["v1/+/state"], "v1/P1/state", ("P1", "")),
    ],
)
def test_a_template_says_where_twin_and_name_stand(
    decoding: Catalogue, template: str, filters: list[str], topic: str, expected: tuple[str, str]
) -> None:
    topics = Topics(decoding, "twinfall", template)
    assert topics.read(topic) == expected
    assert topics.filters[: len(filters)] == filters
    assert topics.filters[len(filters) :] == ["twinfall/+/_reply/+", "twinfall/+/+/_reply/+"]
    assert isinstance(topics.read("elsewhere/P1/flow"), str)


@pytest.mark.parametrize(
    ("prefix", "template"),
    [
        ("", None),
        ("a/#", None),
        ("a//b", None),
        ("x", "{name}/a"),
        ("x", "a/{twin}/{twin}"),
        ("x", "a/{twin}/b{name}"),
        ("x", "$SYS/{twin}"),
        ("x", "a//{twin}"),
    ],
)
def test_a_template_without_sense_is_refused_at_the_start(
    decoding: Catalogue, prefix: str, template: str | None
) -> None:
    with pytest.raises(BadSettings):
        Topics(decoding, prefix, template)


def test_commands_and_replies_have_topics_of_their_own(decoding: Catalogue) -> None:
    topics = Topics(decoding)
    assert topics.of("P1/motor", "_command", "start") == "twinfall/P1/motor/_command/start"
    assert topics.of_reply("twinfall/P1/motor/_reply/start") == ("P1/motor", "start")
    assert topics.of_reply("twinfall/A%25b%2Bc%231/_reply/stop") == ("A%b+c#1", "stop")
    for other in ("twinfall/_reply/x", "twinfall/P1/_command/x", "x/P1/_reply/x", ""):
        assert topics.of_reply(other) is None
    assert is_ours("twinfall/P1/_desired/speed")
    assert not is_ours("twinfall/P1/desired")
    assert topics.filters == ["twinfall/#"]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.text(max_size=30),
                st.sampled_from(["twinfall/P1/flow", "twinfall/P1", "twinfall/P2/motor"]),
                st.text("twinfall/P1_%+#0aF", max_size=30).map(lambda t: f"twinfall/{t}"),
            ),
            st.one_of(st.binary(max_size=50), st.text('{}[]"_value:,time0 1', max_size=30)),
        ),
        max_size=5,
    )
)
def test_whatever_comes_each_message_is_read_or_refused(
    decoding: Catalogue, messages: list[tuple[str, Any]]
) -> None:
    sent = [(t, p if isinstance(p, bytes) else p.encode()) for t, p in messages]
    sent = [(topic.encode(errors="replace").decode(), payload) for topic, payload in sent]
    frame = decode_messages(sent, decoding)
    rows = rows_said(frame) | rows_refused(frame)
    assert rows == set(range(len(rows)))
    assert len(rows) >= len(sent)
    for fault in frame.faults:
        if not fault.raw.startswith(b'{"twin"'):
            assert message_of(fault.raw)[0] in {topic.replace("\n", "%0A") for topic, _ in sent}
    assert all(isinstance(frame.raw(row), bytes) for row in rows)


def test_a_message_is_kept_in_a_dead_letter_as_it_came() -> None:
    message = ("twinfall/P1/flow", b"a\nb\0\xff")
    assert message_of(raw_of(message)) == message


@pytest.mark.parametrize(
    ("source", "raw"),
    [
        ("mqtt", b"twinfall/P1/speed\n7"),
        ("mqtt", b'{"twin":"P1","name":"speed","value":7,"time":"1970-01-01T00:00:00.000000007Z"}'),
        ("line", b"m,twin=P1 speed=7 7"),
        ("line ms", b"m,twin=P1 speed=7 7"),
        ("http", b'{"twin":"P1","name":"speed","value":7,"time":7}'),
        ("replay", b'{"twin":"P1","name":"speed","value":7,"time":7}'),
    ],
)
def test_a_dead_letter_is_decoded_again_as_its_source_did(
    decoding: Catalogue, source: str, raw: bytes
) -> None:
    frame = decoder(decoding)(source, raw)
    (reading,) = said(frame, decoding)
    assert reading[:3] == ("P1", "speed", 7)
    assert reading.time in (None, 7, 7 * 10**6)
    assert (reading.time == 7) == (source == "line" or b"000000007Z" in raw)


def test_what_a_topic_means_is_asked_again_when_the_graph_changed(telemetry: Telemetry) -> None:
    messages = MessageDecoder(telemetry.catalogue, Topics(telemetry.catalogue))
    body = [("twinfall/P1/flow", b"1"), ("twinfall/P1/motor", b'{"temperature":1}')]
    assert telemetry.submit(messages.decode(body)).result(30).stored == 2
    assert messages.topics.known("twinfall/P1/flow")
    telemetry.graph.delete_twins(["P1"])
    telemetry.follow()
    assert not messages.topics.known("twinfall/P1/flow")
    receipt = telemetry.submit(messages.decode(body)).result(30)
    assert [fault.code for fault in receipt.refused] == ["UNKNOWN_TWIN", "UNKNOWN_TWIN"]
