"""Dead letters decoded again, by the source they came from."""

from __future__ import annotations

from collections.abc import Callable

from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.decoding.json_rows import RowDecoder
from twinfall.ingestion.decoding.line_protocol import SOURCE, LineDecoder
from twinfall.ingestion.decoding.mqtt_frames import MessageDecoder, message_of
from twinfall.ingestion.decoding.naming import Naming
from twinfall.ingestion.decoding.topics import Topics
from twinfall.ingestion.frame import Frame
from twinfall.ontology.errors import BadInput


def decoder(
    catalogue: Catalogue, *, topics: Topics | None = None, naming: Naming | None = None
) -> Callable[[str, bytes], Frame]:
    """(source, raw bytes) -> frame, for `Telemetry.replay`; with the settings of today."""
    messages = MessageDecoder(catalogue, topics or Topics(catalogue))
    lines, rows = LineDecoder(catalogue, naming), RowDecoder(catalogue)

    def decode(source: str, raw: bytes) -> Frame:
        if raw.startswith(b'{"twin":'):  # one of a row's many readings, kept alone
            return rows.decode(raw, source=source)
        kind, _, precision = source.partition(" ")
        if kind == "mqtt":
            return messages.decode([message_of(raw)])
        if kind == SOURCE:
            return lines.decode(raw, precision=precision or "ns")
        if kind in ("http", "replay"):
            return rows.decode(raw, source=kind)
        raise BadInput(f"nothing is known of the source {source[:40]!r}", code="BAD_REQUEST")

    return decode
