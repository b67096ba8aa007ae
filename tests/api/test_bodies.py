"""Bodies that are too large, break off, or never end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest
from starlette.requests import Request

from twinfall.api.bodies import body_of, parts_of
from twinfall.ontology.errors import TwinError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


def sent(*messages: dict[str, Any]) -> Request:
    """A request whose sender falls silent after these messages."""
    left = list(messages)

    async def receive() -> MutableMapping[str, Any]:
        if left:
            return left.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def part(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def code_of(request: Request) -> str:
    async def read() -> bytes:
        return b"".join([p async for p in parts_of(request, 10, idle=0.05)])

    with pytest.raises(TwinError) as caught:
        asyncio.run(read())
    return caught.value.code


def test_a_body_in_parts_is_read_whole() -> None:
    assert asyncio.run(body_of(sent(part(b"abc"), part(b"de", more=False)), 5)) == b"abcde"


def test_a_body_beyond_its_bound_is_refused_before_it_ends() -> None:
    assert code_of(sent(part(b"x" * 6), part(b"x" * 5))) == "TOO_LARGE"


def test_a_sender_that_falls_silent_is_given_up() -> None:
    assert code_of(sent(part(b"x"))) == "TIMEOUT"


def test_a_sender_that_leaves_is_said_so() -> None:
    assert code_of(sent(part(b"x"), {"type": "http.disconnect"})) == "BAD_REQUEST"
