"""Times as sources write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinfall.ingestion.decoding.times import BadTime, time_of


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01 00:00:00.5Z", 500_000_000),
        ("1970-01-01T00:00:00.123456789Z", 123_456_789),
        ("1970-01-01T00:00:00.1234567899Z", 123_456_789),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2026-11-23T12:00:00-05:30", 1795455000 * 10**9),
    ],
)
def test_rfc_3339_is_exact_to_the_nanosecond(text: str, ns: int) -> None:
    assert time_of(text) == ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "20260101T000000Z",
        "2026-W01-1T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:01Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00Z",
        "2026-01-01T00:00:00+25:00",
        "9999-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "2026-01-01T00:00:00Z\n",
        " 2026-01-01T00:00:00Z",
        "٢٠٢٦-01-01T00:00:00Z",
        "now\x00",
    ],
)
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(BadTime):
        time_of(text)


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(datetime(1700, 1, 1), datetime(2260, 1, 1)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_a_zone_moves_no_instant(moment: datetime, minutes: int) -> None:
    at = moment.replace(tzinfo=UTC)
    there = at.astimezone(timezone(timedelta(minutes=minutes)))
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    assert time_of(there.isoformat()) == since // timedelta(microseconds=1) * 1000


@settings(max_examples=200, deadline=None)
@given(st.integers(-(2**80), 2**80))
def test_whole_milliseconds_are_times_within_what_nanoseconds_can_say(ms: int) -> None:
    if -(2**63) < ms * 10**6 < 2**63 and abs(ms) < 2**63 // 10**6:
        assert time_of(ms) == ms * 10**6
    else:
        with pytest.raises(BadTime, match="between 1677 and 2262"):
            time_of(ms)
