"""Request bodies as they come: no larger than allowed, and never waited for without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from twinfall.ontology.errors import BadInput, Refused, Unavailable

IDLE_SECONDS = 30.0
"""A sender that is silent for longer is given up: what it holds is wanted by others."""


async def parts_of(
    request: Request, limit: int, *, idle: float = IDLE_SECONDS
) -> AsyncIterator[bytes]:
    """The body, part by part. Raises Refused TOO_LARGE as soon as more than `limit` bytes have
    come, Unavailable TIMEOUT after `idle` seconds without any, BadInput where the sender left.
    """
    stream = request.stream()
    size = 0
    try:
        while True:
            async with asyncio.timeout(idle):
                part = await anext(stream, None)
            if part is None:
                return
            size += len(part)
            if size > limit:
                raise Refused(f"the body is larger than {limit} bytes", code="TOO_LARGE")
            yield part
    except ClientDisconnect:
        raise BadInput("the body broke off, nothing was done", code="BAD_REQUEST") from None
    except TimeoutError:
        raise Unavailable(
            f"nothing more of the body came within {idle:g} s; nothing was done",
            code="TIMEOUT",
            cure="send it again, without pauses",
        ) from None


async def body_of(request: Request, limit: int) -> bytes:
    """The whole body; raises as `parts_of` does."""
    return b"".join([part async for part in parts_of(request, limit)])
