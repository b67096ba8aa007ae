"""What is remembered of topics and layouts stays bounded, whatever clients send."""

from __future__ import annotations

import pytest

from tests.ingestion.pumps import said
from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.decoding import columns
from twinfall.ingestion.decoding.columns import Layouts
from twinfall.ingestion.decoding.line_protocol import LineDecoder
from twinfall.ingestion.decoding.mqtt_frames import MessageDecoder
from twinfall.ingestion.decoding.topics import Topics

ROOM = 4_000
"""Bytes, a few layouts."""


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MAX_LAYOUT_BYTES", ROOM)


@pytest.mark.usefixtures("little_room")
def test_lines_of_ever_new_tags_are_read_and_not_all_remembered(decoding: Catalogue) -> None:
    decoder = LineDecoder(decoding)
    for body in range(3):
        lines = [b"m,twin=P1,request=%d-%d flow=1 7" % (body, n) for n in range(200)]
        frame = decoder.decode(b"\n".join(lines))
        assert len(said(frame, decoding)) == 200
        assert decoder._layouts._found.size <= ROOM


@pytest.mark.usefixtures("little_room")
def test_topics_that_mean_nothing_are_not_all_remembered(decoding: Catalogue) -> None:
    decoder = MessageDecoder(decoding, Topics(decoding))
    frame = decoder.decode([(f"other/{n}/{'x' * 500}", b"1") for n in range(200)])
    assert len(frame.faults) == 200
    assert decoder.topics._seen._found.size <= ROOM


@pytest.mark.usefixtures("little_room")
def test_what_comes_after_too_much_is_remembered_again(decoding: Catalogue) -> None:
    layouts = Layouts(decoding)
    layouts.now().keep("old", 1, ROOM)
    layouts.now().keep("new", 2, 100)
    assert dict(layouts.now()) == {"new": 2}
