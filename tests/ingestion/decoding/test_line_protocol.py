"""Influx line protocol: what each line says, and that none is lost or counted twice."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from influxdb_client import Point, WritePrecision

from tests.ingestion.decoding.reference import line
from tests.ingestion.pumps import NAMES, TWINS, Said, rows_refused, rows_said, said
from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.decoding.line_protocol import LineDecoder, decode_lines
from twinfall.ingestion.decoding.naming import Naming
from twinfall.ingestion.frame import Frame
from twinfall.ontology.errors import BadInput, BadSettings

PLAIN = b"pump,twin=P1 flow=1.5,pressure=2 1465839830100400200"


def _reasons(frame: Frame) -> dict[int, str]:
    return {fault.row: fault.message for fault in frame.faults}


def test_every_field_of_a_line_is_a_reading_of_the_twin_its_tag_names(decoding: Catalogue) -> None:
    frame = decode_lines(PLAIN, decoding)
    assert said(frame, decoding) == [
        Said("P1", "flow", 1.5, 1465839830100400200),
        Said("P1", "pressure", 2.0, 1465839830100400200),
    ]
    assert frame.source == "line"
    assert frame.last_wins
    assert not frame.faults


@pytest.mark.parametrize(
    ("precision", "unit"),
    [("ns", 1), ("us", 10**3), ("ms", 10**6), ("s", 10**9), ("n", 1), ("u", 10**3), ("m", 6e10)],
)
@pytest.mark.parametrize("end", [b"", b"\r"])
def test_times_count_in_the_precision_asked_for(
    decoding: Catalogue, precision: str, unit: float, end: bytes
) -> None:
    frame = decode_lines(b"m,twin=P1 flow=1 1600000" + end, decoding, precision=precision)
    assert said(frame, decoding)[0].time == 1600000 * int(unit)


def test_a_line_without_a_time_is_a_reading_without_one(decoding: Catalogue) -> None:
    frame = decode_lines(b"m,twin=P1 flow=1\nm,twin=P1 flow=2 7\n", decoding)
    assert [reading.time for reading in said(frame, decoding)] == [None, 7]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1.0),
        ("-1.5e-3", -0.0015),
        (".5", 0.5),
        ("5.", 5.0),
        ("+2", 2.0),
        ("007", 7.0),
        ("1E5", 1e5),
        ("5i", 5),
        ("-9223372036854775808i", -(2**63)),
        ("18446744073709551615u", 2**64 - 1),
        ("9007199254740993i", 2**53 + 1),
        *((word, True) for word in ("t", "T", "true", "True", "TRUE")),
        *((word, False) for word in ("f", "F", "false", "False", "FALSE")),
        ('"auto"', "auto"),
        ('""', ""),
        (r'"a \"b\" \\ c, d=e"', r'a "b" \ c, d=e'),
        ('"über"', "über"),
        ('"two\nlines"', "two\nlines"),
    ],
)
def test_a_value_is_what_its_syntax_says(decoding: Catalogue, written: str, value: Any) -> None:
    body = f"m,twin=P1 flow={written},pressure=3 5\nm,twin=P2 flow=9 6".encode()
    first, second, third = said(decode_lines(body, decoding), decoding)
    assert first == Said("P1", "flow", value, 5)
    assert type(first.value) is type(value)
    assert second.value == 3.0
    assert third == Said("P2", "flow", 9.0, 6)


@pytest.mark.parametrize(
    "written",
    [
        "nan",
        "NaN",
        "inf",
        "-inf",
        "1e999",
        "1_000",
        "0x10",
        "5.5i",
        "i",
        "5ii",
        "-1u",
        "tRUE",
        "-",
        "9223372036854775808i",
        "18446744073709551616u",
        "1,2",
        '"open',
        "null",
        "[1]",
        "1 2 3",
        "",
        "٣",
        '"a"b',
        "1e",
        "--1",
        "1.2.3",
        "9" * 500,
    ],
)
def test_what_is_no_value_is_refused_with_its_line_and_nothing_else_is(
    decoding: Catalogue, written: str
) -> None:
    body = b"\n".join([PLAIN, f"m,twin=P1 pressure=1,flow={written} 5".encode(), PLAIN])
    frame = decode_lines(body, decoding)
    assert rows_said(frame) == {0, 2}
    assert rows_refused(frame) == {1}
    assert frame.faults[0].code == "BAD_LINE"
    assert frame.faults[0].raw == body.split(b"\n")[1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"pump flow=1 5", "has no tag `twin`"),
        (b"pump,site=a flow=1 5", "has no tag `twin`"),
        (b"pump,twin=P1", "has no fields"),
        (b"pump,twin=P1 ", "is no field"),
        (b"pump,twin=P1 5", "is no field"),
        (b",twin=P1 flow=1", "has no measurement"),
        (b"pump,twin= flow=1", "is no tag"),
        (b"pump,twin=P1,=x flow=1", "is no tag"),
        (b"pump,twin=P1,twin=P2 flow=1", "twice"),
        (b"pump,twin=P1=P2 flow=1", "is no tag"),
        (b"pump,twin=P1 =1", "is no field"),
        (b"pump,twin=P1 flow", "is no field"),
        (b"pump,twin=P1 flow=1,", "is no field"),
        (b"pump,twin=P1 flow=1,,pressure=2", "is no field"),
        (b"pump,twin=P1 flow=1 yesterday", "only a time may stand"),
        (b"pump,twin=P1 flow=1 1.5", "only a time may stand"),
        (b"pump,twin=P1 flow=1 5 6", "only a time may stand"),
        (b"pump,twin=P1 flow=1 99999999999999999999", "too far away"),
        (b"pump,twin=P1 flow=1 9223372036854775808", "too far away"),
        (b"pump,twin=a/b/c flow=1", "is no address"),
        (b"pump,twin=P\x001 flow=1", "is no address"),
        (b"pump,twin=\xff flow=1", "is not UTF-8"),
        (b"pump,twin=P1 _flow=1", "is no reading's name"),
        (b"pump,twin=P1 fl-ow=1", "is no reading's name"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(decoding: Catalogue, text: bytes, reason: str) -> None:
    frame = decode_lines(text + b"\n" + PLAIN, decoding)
    assert reason in _reasons(frame)[0]
    assert rows_said(frame) == {1}


def test_comments_and_empty_lines_are_passed_over_and_rows_are_lines(decoding: Catalogue) -> None:
    body = b"# a comment\n\n   \npump,twin=P1 flow=1 1\r\nbroken\n#\nm,twin=P2 flow=2 2\n"
    frame = decode_lines(body, decoding)
    assert frame.rows.tolist() == [3, 6]
    assert rows_refused(frame) == {4}
    assert [frame.raw(3), frame.raw(4)] == [b"pump,twin=P1 flow=1 1\r", b"broken"]


def test_a_string_with_line_feeds_swallows_lines_that_look_plain(decoding: Catalogue) -> None:
    inner = b"x\n" + PLAIN + b"\ny"
    body = b"\n".join([PLAIN, b'm,twin=P2 mode="' + inner + b'" 5', PLAIN])
    frame = decode_lines(body, decoding)
    assert [(r.twin, r.name) for r in said(frame, decoding)] == [
        ("P1", "flow"),
        ("P1", "pressure"),
        ("P2", "mode"),
        ("P1", "flow"),
        ("P1", "pressure"),
    ]
    assert said(frame, decoding)[2].value == inner.decode()
    assert frame.rows.tolist() == [0, 0, 1, 4, 4]
    assert frame.raw(1) == b'm,twin=P2 mode="' + inner + b'" 5'


def test_an_unclosed_string_refuses_its_line_alone(decoding: Catalogue) -> None:
    frame = decode_lines(b'm,twin=P2 mode="open 5\n' + PLAIN, decoding)
    assert (rows_refused(frame), rows_said(frame)) == ({0}, {1})


def test_bodies_longer_than_what_is_read_at_once_come_whole(decoding: Catalogue) -> None:
    count = 40_000
    lines = [b"m,twin=P1 flow=%d.5,pressure=%d %d" % (i, i, i) for i in range(count)]
    lines[20_000] = b'm,twin=P1 mode="' + b"z\n" * 300_000 + b'" 20000'
    frame = decode_lines(b"\n".join(lines), decoding)
    readings = said(frame, decoding)
    assert [r.time for r in readings if r.name != "pressure"] == list(range(count))
    assert readings[-1].value == count - 1
    assert frame.rows[-1] == count - 1 + 300_000


def test_readings_stand_in_the_order_of_the_lines_however_they_were_read(
    decoding: Catalogue,
) -> None:
    lines = [
        line("m, x" if i % 7 == 0 else "m", {"twin": "P1"}, {"flow": float(i), "starts": i}, i)
        for i in range(100)
    ]
    frame = decode_lines(b"\n".join(lines), decoding)
    assert [r.time for r in said(frame, decoding)] == [i for i in range(100) for _ in range(2)]
    assert [r.value for r in said(frame, decoding)] == [i for i in range(100) for _ in range(2)]


_names = st.text("abc, =\\éz_0", min_size=1, max_size=6).filter(lambda t: not t.endswith("\\"))
_floats = st.floats(allow_nan=False, allow_infinity=False)
_values = st.one_of(
    _floats, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.text('ab"\\,= \né', max_size=8)
)
_lines = st.tuples(
    _names.filter(lambda t: not t.startswith("#")),
    st.dictionaries(_names, _names, max_size=3),
    st.sampled_from([t for t in TWINS if "\\" not in t]),
    st.dictionaries(st.sampled_from(NAMES), _values, min_size=1, max_size=4),
    st.one_of(st.none(), st.integers(-(2**62), 2**62)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_lines, max_size=8))
def test_what_the_reference_encoder_writes_is_read_back(
    decoding: Catalogue, lines: list[Any]
) -> None:
    written, expected = [], []
    for measurement, tags, twin, fields, time in lines:
        text = measurement.replace("\\", "")
        tags = {k.replace("\\", "") or "k": v.replace("\\", "") or "v" for k, v in tags.items()}
        tags.pop("twin", None)
        written.append(line(text or "m", {**tags, "twin": twin}, fields, time))
        expected += [Said(twin, name, value, time) for name, value in fields.items()]
    frame = decode_lines(b"\n".join(written), decoding)
    assert not frame.faults
    found = said(frame, decoding)
    assert found == expected
    assert [type(reading.value) for reading in found] == [type(r.value) for r in expected]


_scraps = st.sampled_from(
    [
        b"m",
        b",twin=P1",
        b",twin=P2",
        b",a=b",
        b" ",
        b" ",
        b"flow=",
        b"pressure=",
        b"nope=",
        b",",
        b"1",
        b"-2.5",
        b"3i",
        b"t",
        b'"s"',
        b'"',
        b"\\",
        b"=",
        b"\n",
        b"\n",
        b" 1600000000",
        b"#",
        b"e9",
        b"i",
        b".",
        b"\xff",
        b"\x00",
        b"\t",
        PLAIN + b"\n",
        PLAIN + b"\n",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(_scraps, max_size=30).map(b"".join))
def test_lines_read_at_once_say_what_they_say_one_by_one(decoding: Catalogue, body: bytes) -> None:
    if b'"' in body:
        body = body.replace(b'"', b"")
    ended = body.replace(b"\n", b"\r\n") + b"\r"  # a carriage return is never read at once
    at_once, single = decode_lines(body, decoding), decode_lines(ended, decoding)
    assert said(at_once, decoding) == said(single, decoding)
    assert at_once.rows.tolist() == single.rows.tolist()
    assert rows_refused(at_once) == rows_refused(single)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.lists(_scraps, max_size=30).map(b"".join)))
def test_whatever_comes_each_line_is_read_or_refused(decoding: Catalogue, body: bytes) -> None:
    frame = decode_lines(body, decoding)
    read, refused = rows_said(frame), rows_refused(frame)
    assert not read & refused
    assert len(frame.faults) == len(refused)
    if b'"' not in body:
        lines = enumerate(body.split(b"\n"))
        told = {i for i, text in lines if text.strip() and not text.startswith(b"#")}
        assert {i for i in told if body.split(b"\n")[i].strip()} == read | refused
    values = frame.values if isinstance(frame.values, list) else frame.values.tolist()
    assert all(math.isfinite(v) for v in values if isinstance(v, float))


def test_the_official_client_is_understood(decoding: Catalogue) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678900, UTC)
    point = (
        Point("my pump, big")
        .tag("twin", "site=1,x")
        .tag("note", "a b=c,d")
        .field("flow", 1.25)
        .field("starts", 7)
        .field("running", True)
        .field("mode", 'say "on", \\ now')
        .time(at, WritePrecision.MS)
    )
    frame = decode_lines(point.to_line_protocol().encode(), decoding, precision="ms")
    assert not frame.faults
    stamp = 1767323045678 * 10**6
    assert set(said(frame, decoding)) == {
        Said("site=1,x", "flow", 1.25, stamp),
        Said("site=1,x", "starts", 7, stamp),
        Said("site=1,x", "running", True, stamp),
        Said("site=1,x", "mode", 'say "on", \\ now', stamp),
    }


def test_twins_and_names_may_be_put_together_from_tags(decoding: Catalogue) -> None:
    with pytest.raises(BadSettings, match="names every field the same"):
        Naming("twin", "{_measurement}")
    with pytest.raises(BadSettings, match="is no pattern"):
        Naming("{twin")
    naming = Naming("{kind}{number}", "{_measurement}{_field}")
    decoder = LineDecoder(decoding, naming)
    for body in (b"fl,kind=P,number=2 ow=3 5", b"fl,kind=P,number=2 ow=3 5\r"):
        assert said(decoder.decode(body), decoding) == [Said("P2", "flow", 3.0, 5)]
        faults = decoder.decode(body.replace(b"kind", b"sort")).faults
        assert "has no tag `kind`" in faults[0].message


def test_a_series_that_is_new_is_left_to_be_judged(decoding: Catalogue) -> None:
    frame = decode_lines(b"m,twin=P2/motor temperature=50 5\n" + PLAIN, decoding)
    assert frame.unknown == {0: ("P2/motor", "temperature")}


def test_an_unknown_precision_is_the_senders_fault(decoding: Catalogue) -> None:
    with pytest.raises(BadInput, match="is no precision"):
        decode_lines(PLAIN, decoding, precision="fortnight")
