"""JSON rows: both forms, arrays and NDJSON, and that every row is stored or refused."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingestion.pumps import NAMES, TWINS, Said, history, rows_refused, rows_said, said
from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.decoding.json_rows import MAX_ROWS, RowDecoder, decode_rows
from twinfall.ingestion.frame import Frame
from twinfall.ingestion.telemetry import Telemetry
from twinfall.ontology.errors import BadInput

MS = 1_760_000_000_000


def _decoded(catalogue: Catalogue, *rows: Any, array: bool = False) -> Frame:
    if array:
        return decode_rows(orjson.dumps(rows), catalogue)
    body = b"\n".join(map(orjson.dumps, rows))
    return decode_rows(body, catalogue, content_type="application/x-ndjson")


def _frame_or_code(body: bytes, catalogue: Catalogue) -> Frame | str:
    """The frame, or the code of the refusal."""
    try:
        return decode_rows(body, catalogue)
    except BadInput as error:
        return error.code


def _single(**more: Any) -> dict[str, Any]:
    return {"twin": "P1", "name": "flow", "value": 1.5, **more}


@pytest.mark.parametrize("array", [True, False])
def test_rows_and_flat_rows_may_be_mixed(decoding: Catalogue, array: bool) -> None:
    rows = (
        _single(time=MS),
        {"_twin": "P2", "_time": MS, "flow": 2, "mode": "auto", "running": True},
        {"twin": "P1/motor", "name": "temperature", "value": None},
    )
    frame = _decoded(decoding, *rows, array=array)
    assert said(frame, decoding) == [
        Said("P1", "flow", 1.5, MS * 10**6),
        Said("P2", "flow", 2, MS * 10**6),
        Said("P2", "mode", "auto", MS * 10**6),
        Said("P2", "running", True, MS * 10**6),
        Said("P1/motor", "temperature", None, None),
    ]
    assert frame.rows.tolist() == [0, 1, 1, 1, 2]
    assert not frame.last_wins
    assert [orjson.loads(frame.raw(i)) for i in range(3)] == list(rows)


def test_units_and_sequence_numbers_go_with_their_reading(decoding: Catalogue) -> None:
    frame = _decoded(decoding, _single(), _single(unit="bar", seq=7), _single(unit=None, seq=None))
    assert (frame.units, frame.seqs) == ({1: "bar"}, {1: 7})


@pytest.mark.parametrize(
    "body",
    [
        b'[{"twin":"P1","name":"flow","value":1}]',
        b'  \n[\n{"twin":"P1","name":"flow","value":1}\n]\n',
        b'{"twin":"P1","name":"flow","value":1}',
        b'{"twin":"P1","name":"flow","value":1}\r\n\r\n',
        b'{\n  "twin": "P1",\n  "name": "flow",\n  "value": 1\n}',
        b'{"twin" :"P1", "name"\t: "flow",  "value"\r:1}',
    ],
)
def test_a_body_is_an_array_or_a_row_a_line_or_one_row(decoding: Catalogue, body: bytes) -> None:
    frame = decode_rows(body, decoding, content_type="application/json")
    assert said(frame, decoding) == [Said("P1", "flow", 1, None)]
    assert not frame.faults


@pytest.mark.parametrize("body", [b"", b" ", b"[]", b"\n\n"])
def test_a_body_without_rows_is_an_empty_frame_or_no_json(decoding: Catalogue, body: bytes) -> None:
    frame = _frame_or_code(body, decoding)
    if isinstance(frame, str):
        assert frame == "BAD_JSON"
        assert not body.strip()
    else:
        assert len(frame.values) == len(frame.faults) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"[",
        b"[1,]",
        b"nonsense",
        b"\xff\xfe",
        b'[{"twin":"P1","name":"flow","value":NaN}]',
        b'[{"twin":"P1","name":"flow","value":Infinity}]',
        b'[{"twin":"\\ud800","name":"flow","value":1}]',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 2000 + b"]" * 2000,
        b"\0",
    ],
)
def test_a_body_that_is_no_json_is_refused_whole(decoding: Catalogue, body: bytes) -> None:
    with pytest.raises(BadInput, match="not JSON") as refused:
        decode_rows(body, decoding)
    assert refused.value.code == "BAD_JSON"


@pytest.mark.parametrize(
    ("row", "code", "reason"),
    [
        (7, "BAD_ROW", "must be an object"),
        (None, "BAD_ROW", "must be an object"),
        ([_single()], "BAD_ROW", "must be an object"),
        ({}, "BAD_ROW", "`value` is missing"),
        ({"twin": "P1", "name": "flow"}, "BAD_ROW", "`value` is missing"),
        ({"name": "flow", "value": 1}, "BAD_ROW", "`twin`"),
        (_single(twin=["P1"]), "BAD_ROW", "`twin`"),
        (_single(twin="a/b/c"), "BAD_ROW", "no address"),
        (_single(twin="P\x001"), "BAD_ROW", "no address"),
        (_single(twin="P1\n"), "BAD_ROW", "no address"),
        (_single(twin="x" * 129), "BAD_ROW", "no address"),
        (_single(name="flow\n"), "BAD_ROW", "no reading's name"),
        (_single(name="_state"), "BAD_ROW", "no reading's name"),
        (_single(name=7), "BAD_ROW", "no reading's name"),
        (_single(quality=1), "BAD_ROW", "'quality' is no member"),
        (_single(time="2026-01-01T00:00:00"), "BAD_TIME", "with a zone"),
        (_single(time="yesterday"), "BAD_TIME", "RFC 3339"),
        (_single(time=True), "BAD_TIME", "RFC 3339 or epoch"),
        (_single(time=1.5), "BAD_TIME", "whole number"),
        (_single(time=10**15), "BAD_TIME", "between 1677 and 2262"),
        (_single(time=1e300), "BAD_TIME", "between 1677 and 2262"),
        (_single(unit=7), "BAD_UNIT", "a text"),
        (_single(unit="x" * 101), "BAD_UNIT", "a text"),
        (_single(seq=-1), "BAD_ROW", "sequence number"),
        (_single(seq=1.0), "BAD_ROW", "sequence number"),
        (_single(seq=True), "BAD_ROW", "sequence number"),
        (_single(seq=2**62), "BAD_ROW", "sequence number"),
        ({"_twin": "P1"}, "BAD_ROW", "holds no reading"),
        ({"_twin": "P1", "_time": MS}, "BAD_ROW", "holds no reading"),
        ({"_twin": None, "flow": 1}, "BAD_ROW", "`_twin`"),
        ({"_twin": "/", "flow": 1}, "BAD_ROW", "no address"),
        ({"_twin": "P1", "_time": "?", "flow": 1}, "BAD_TIME", "RFC 3339"),
        ({"_twin": "P1", "_unit": "bar"}, "UNKNOWN_NAME", "'_unit'"),
    ],
)
@pytest.mark.parametrize("array", [True, False])
def test_a_bad_row_is_refused_by_itself(
    decoding: Catalogue, row: Any, code: str, reason: str, array: bool
) -> None:
    frame = _decoded(decoding, _single(), row, _single(), array=array)
    assert rows_said(frame) == {0, 2}
    (fault,) = frame.faults
    assert (fault.row, fault.code) == (1, code)
    assert reason in fault.message
    if code != "UNKNOWN_NAME":
        assert orjson.loads(fault.raw) == row


def test_a_bad_name_in_a_flat_row_is_refused_alone(decoding: Catalogue) -> None:
    frame = _decoded(decoding, {"_twin": "P1", "_time": MS, "flow": 1, "fl ow": 2, "pressure": 3})
    assert [reading.name for reading in said(frame, decoding)] == ["flow", "pressure"]
    (fault,) = frame.faults
    again = decode_rows(fault.raw, decoding)
    assert orjson.loads(fault.raw)["name"] == "fl ow"
    assert len(again.faults) == 1


def test_a_line_that_is_no_json_is_refused_by_itself(decoding: Catalogue) -> None:
    good = orjson.dumps(_single())
    frame = decode_rows(b"\n".join([good, b'{"twin":', good, b"1,2"]), decoding)
    assert rows_said(frame) == {0, 2}
    assert [(f.row, f.code, f.raw) for f in frame.faults] == [
        (1, "BAD_JSON", b'{"twin":'),
        (3, "BAD_JSON", b"1,2"),
    ]


def test_lines_that_are_json_only_together_are_refused(decoding: Catalogue) -> None:
    lines = [b'{"_twin":"P1","flow":[{}', b"{}]}", b'{"_twin":"P1","flow":1},{"_twin":"P1","a":1}']
    with pytest.raises(BadInput):
        decode_rows(b"\n".join(lines), decoding)


@pytest.mark.parametrize(
    "row",
    [
        b'{"_twin":"P1","flow":1,"flow":2}',
        b'{"_twin":"P1","flow":1,"fl\\u006fw":2}',
        b'{"_twin":"P1","_twin":"P2","flow":2}',
        b'{"twin":"P1","name":"mode","value":"a:b","value":"c"}',
        b'{"_twin" : "P1", "flow" :1, "flow"\t:2}',
        b'{"_twin":"P1","mode":{"a":1,"a":2}}',
    ],
)
@pytest.mark.parametrize("array", [True, False])
def test_a_row_with_a_member_twice_is_refused_not_halved(
    decoding: Catalogue, row: bytes, array: bool
) -> None:
    body = b"%b\n%b\n%b" % ((orjson.dumps(_single(time="2026-01-01T00:00:00Z")),) * 2 + (row,))
    if array:
        body = b"[" + body.replace(b"\n", b",") + b"]"
    frame = decode_rows(body, decoding)
    assert rows_said(frame) == {0, 1}
    assert [(f.row, f.message) for f in frame.faults] == [(2, "has a member twice")]


def test_objects_and_colons_in_values_are_no_doubles(decoding: Catalogue) -> None:
    value = {"a": {"b": ": :"}, "c": [1, {"b": 2}]}
    frame = _decoded(decoding, {"_twin": "P1", "mode": value}, _single(value='":":":'))
    assert [reading.value for reading in said(frame, decoding)] == [value, '":":":']


def test_nesting_that_only_just_parses_is_no_crash(decoding: Catalogue) -> None:
    deep = b"[" * 900 + b"]" * 900
    body = b'{"_twin":"P1","mode":"::","flow":' + deep + b"}"
    frame = _frame_or_code(body, decoding)
    assert frame == "BAD_JSON" or (
        isinstance(frame, Frame) and rows_said(frame) | rows_refused(frame) == {0}
    )


def test_more_rows_than_a_request_may_have_are_too_large(decoding: Catalogue) -> None:
    with pytest.raises(BadInput, match="more than") as refused:
        decode_rows(b"1\n" * (MAX_ROWS + 1), decoding)
    assert refused.value.code == "TOO_LARGE"


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 400, "1" * 5000, "0.1e-9999"])
def test_huge_numbers_are_kept_or_refused_never_a_crash(telemetry: Telemetry, number: str) -> None:
    body = f'{{"_twin":"P1","_time":{MS},"flow":{number},"pressure":1}}'.encode()
    frame = _frame_or_code(body, telemetry.catalogue)
    if isinstance(frame, str):
        assert frame == "BAD_JSON"
        return
    receipt = telemetry.submit(frame).result(30)
    assert receipt.stored + len(receipt.refused) == 2


def test_what_one_reading_of_a_row_lacks_the_others_have(telemetry: Telemetry) -> None:
    decoder = RowDecoder(telemetry.catalogue)
    body = orjson.dumps([{"_twin": "P1", "_time": MS, "flow": "x", "pressure": 2, "nope": 3}])
    for _ in range(2):  # the second time by the layout that was learnt
        receipt = telemetry.submit(decoder.decode(body)).result(30)
        assert receipt.stored == 1
        assert sorted(fault.code for fault in receipt.refused) == ["BAD_VALUE", "UNKNOWN_NAME"]
        kept = orjson.loads(receipt.refused[0].raw)
        assert kept.keys() == {"twin", "name", "value", "time"}  # and not the whole row again
    assert history(telemetry, "P1", "pressure") == [(MS * 10**6, 2.0)]


def test_a_layout_is_forgotten_when_the_graph_changes(telemetry: Telemetry) -> None:
    decoder = RowDecoder(telemetry.catalogue)
    body = orjson.dumps({"_twin": "P1", "_time": MS, "flow": 1})
    assert telemetry.submit(decoder.decode(body)).result(30).stored == 1
    assert not decoder.decode(body).unknown
    telemetry.graph.delete_twins(["P1"])
    telemetry.follow()
    receipt = telemetry.submit(decoder.decode(body)).result(30)
    assert [fault.code for fault in receipt.refused] == ["UNKNOWN_TWIN"]


_json = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(width=32), st.text()
    )
    | st.sampled_from([*TWINS, *NAMES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
_rows = st.one_of(
    _json,
    st.fixed_dictionaries(
        {"twin": st.sampled_from(TWINS), "name": st.sampled_from(NAMES), "value": _json},
        optional={"time": _json, "unit": _json, "seq": _json},
    ),
    st.fixed_dictionaries(
        {"_twin": st.sampled_from(TWINS), "flow": _json}, optional={"_time": _json, "mode": _json}
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_rows, max_size=6), st.booleans())
def test_every_row_is_read_or_refused_never_both(
    decoding: Catalogue, rows: list[Any], array: bool
) -> None:
    if not (rows or array):
        return
    frame = _decoded(decoding, *rows, array=array)
    assert not rows_said(frame) & rows_refused(frame)
    assert rows_said(frame) | rows_refused(frame) == set(range(len(rows)))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=100), st.text('[]{}",:0e.-\\ \n_twinaflov', max_size=60)))
def test_whatever_comes_is_a_frame_or_bad_input(decoding: Catalogue, body: bytes | str) -> None:
    raw = body.encode() if isinstance(body, str) else body
    frame = _frame_or_code(raw, decoding)
    assert frame == "BAD_JSON" or (
        isinstance(frame, Frame) and not rows_said(frame) & rows_refused(frame)
    )
