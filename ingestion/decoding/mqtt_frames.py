"""MQTT messages as readings.

A payload is a JSON scalar, `{"_value": v, "_time": t, "_unit": u, "_seq": n}`, or, on a topic that
names no reading, several of a twin: `{"_time": t, name: value, ...}` or an array of such.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.decoding import flat
from twinfall.ingestion.decoding.columns import Columns, Layouts
from twinfall.ingestion.decoding.json_rows import unit_or_seq_fault
from twinfall.ingestion.decoding.times import MS, MS_LIMIT, BadTime, time_of
from twinfall.ingestion.decoding.topics import PREFIX, Topics
from twinfall.ingestion.frame import NO_TIME, Frame

MAX_PAYLOAD = 1_000_000
SOURCE = "mqtt"
_MEMBERS = {"_value", "_time", "_unit", "_seq"}
Message = tuple[str, bytes]


def raw_of(message: Message) -> bytes:
    """A message as the bytes of its dead letter: the topic, a line feed, the payload. A line feed
    in the topic is percent-encoded.
    """
    topic = message[0].replace("\n", "%0A").encode(errors="replace")
    return b"%b\n%b" % (topic, message[1])


def message_of(raw: bytes) -> Message:
    """The inverse of `raw_of`."""
    topic, _, payload = raw.partition(b"\n")
    return topic.decode(errors="replace"), payload


def decode_messages(
    messages: Sequence[Message], catalogue: Catalogue, *, prefix: str = PREFIX
) -> Frame:
    """See MessageDecoder.decode, which remembers topics and layouts from call to call."""
    return MessageDecoder(catalogue, Topics(catalogue, prefix)).decode(messages)


class MessageDecoder:
    """Decodes messages; for one thread at a time."""

    def __init__(self, catalogue: Catalogue, topics: Topics) -> None:
        self.topics = topics
        self._catalogue = catalogue
        self._layouts = Layouts(catalogue)

    def decode(self, messages: Sequence[Message]) -> Frame:
        """A frame of all messages, each a row; of an array each entry is one.

        Raises Unavailable where a topic needs the ontology and the store is away.
        """
        work = _Work(Columns(self._catalogue), self._layouts.now())
        for message in messages:
            read = self.topics.read(message[0])
            if isinstance(read, str):
                work.refuse(message, "BAD_TOPIC", read)
            elif len(message[1]) > MAX_PAYLOAD:
                work.refuse(message, "TOO_LARGE", f"more than {MAX_PAYLOAD} bytes")
            else:
                work.take(message, read)
        return work.columns.frame(SOURCE, work.raw)


class _Work:
    def __init__(self, columns: Columns, layouts: flat.Known) -> None:
        self.columns, self._layouts = columns, layouts
        self._rows: list[tuple[Message, int]] = []
        """The message of each row, and which entry of its array; -1 where it is none."""
        self._again: tuple[Message | None, Any] = None, None

    def raw(self, row: int) -> bytes:
        """The message of a row; of an array with this entry alone."""
        message, entry = self._rows[row]
        if entry < 0:
            return raw_of(message)
        if self._again[0] is not message:
            self._again = message, orjson.loads(message[1])
        return raw_of((message[0], orjson.dumps(self._again[1][entry])))

    def _row(self, message: Message, entry: int = -1) -> int:
        self._rows.append((message, entry))
        return len(self._rows) - 1

    def refuse(self, message: Message, code: str, reason: str) -> None:
        """A whole message."""
        self.columns.refuse(self._row(message), code, reason, raw_of(message))

    def take(self, message: Message, read: tuple[str, str]) -> None:
        """Its readings."""
        try:
            value = orjson.loads(message[1])
        except orjson.JSONDecodeError as error:
            self.refuse(message, "BAD_JSON", f"the payload is not JSON: {error.msg}")
            return
        twin, name = read
        if name:
            self._single(message, twin, name, value)
        elif type(value) is list:
            if not value:
                self.refuse(message, "BAD_ROW", "holds no reading")
            for at, entry in enumerate(value):
                self._several(self._row(message, at), twin, entry)
        else:
            self._several(self._row(message), twin, value)

    def _several(self, row: int, twin: str, entry: Any) -> None:
        if type(entry) is dict:
            flat.take(self.columns, self._layouts, row, twin, entry, self.raw)
        else:
            self.columns.refuse(row, "BAD_ROW", "must be readings by name", self.raw(row))

    def _single(self, message: Message, twin: str, name: str, value: Any) -> None:
        if type(value) is not dict or "_value" not in value:
            self.columns.add(self._row(message), twin, name, value, NO_TIME)
            return
        time = value.get("_time")
        if type(time) is int and -MS_LIMIT < time < MS_LIMIT:
            instant = time * MS
        else:
            try:
                instant = NO_TIME if time is None else time_of(time)
            except BadTime as error:
                self.refuse(message, "BAD_TIME", str(error))
                return
        if len(value) == 1 + ("_time" in value):
            self.columns.add(self._row(message), twin, name, value["_value"], instant)
            return
        code, fault = unit_or_seq_fault(value.get("_unit"), value.get("_seq"))
        if extra := value.keys() - _MEMBERS:
            code, fault = "BAD_ROW", f"{min(extra)[:60]!r} is no member of a reading"
        if fault:
            self.refuse(message, code, fault)
            return
        at = self.columns.add(self._row(message), twin, name, value["_value"], instant)
        if value.get("_unit") is not None:
            self.columns.units[at] = value["_unit"]
        if value.get("_seq") is not None:
            self.columns.seqs[at] = value["_seq"]
