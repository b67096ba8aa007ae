"""Targets: what is said to a running service: rows of an import, readings, GraphQL."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson

from tests.api.graphql.plant import MODELS, Plant
from tests.fuzz import seeds
from tests.fuzz.law import Target
from tests.fuzz.mutating import PART
from tests.ingestion.pumps import NAMES, TWINS, pumps
from twinfall.analytics import warm
from twinfall.api.access import Access
from twinfall.graph.ndjson import export_rows, import_rows
from twinfall.ingestion.decoding.json_rows import RowDecoder
from twinfall.ingestion.decoding.line_protocol import UNITS, LineDecoder
from twinfall.ingestion.decoding.mqtt_frames import MessageDecoder, message_of
from twinfall.ingestion.decoding.topics import Topics
from twinfall.ingestion.frame import Frame
from twinfall.ingestion.judging import judge
from twinfall.ingestion.telemetry import Telemetry

NOW = 1_800_000_000 * 10**9
HOUR = 3600 * 10**9


class Filled:
    """A filled plant, a new one after every input that changed it."""

    def __init__(self) -> None:
        self._new()

    def _new(self) -> None:
        self.plant = Plant()
        self.plant.fill()
        self.cursor = self.plant.graph.cursor()

    def restore(self) -> None:
        """Back to how it was."""
        if self.plant.graph.cursor() != self.cursor:
            self.plant.close()
            self._new()


def rows() -> Target:
    """Rows of an import into the plant."""
    filled = Filled()

    def take(data: bytes) -> None:
        try:
            import_rows(filled.plant.graph, data.splitlines(keepends=True))
            for _ in export_rows(filled.plant.graph):
                pass
        finally:
            filled.restore()

    def begin() -> list[bytes]:
        exported = b"".join(export_rows(filled.plant.graph))
        models = [b'{"Section": "Models"}', *seeds.written(*MODELS)]
        station = (seeds.ROOT / "examples/station/station.ndjson").read_bytes()
        return [exported, b"\n".join(models), station]

    words = (
        "Section", "Header", "Models", "Twins", "Relationships", "Dependencies", "$dtId", "$etag",
        "$metadata", "$model", "$relationshipId", "$sourceId", "$targetId", "$relationshipName",
        "P1", "P1/motor", "dtmi:plant:Pump;1", "feeds", "fileVersion",
    )  # fmt: skip
    return Target("ndjson", take, begin, words, lambda: filled.plant.close())


# -- readings --------------------------------------------------------------------------------------


class _Pumps:
    """A catalogue of pumps for as long as the process lives."""

    def __init__(self) -> None:
        self.held = ExitStack()
        folder = Path(self.held.enter_context(tempfile.TemporaryDirectory()))
        self.telemetry: Telemetry = self.held.enter_context(pumps(folder))
        self.catalogue = self.telemetry.catalogue
        self.catalogue.learn([(twin, name) for twin in TWINS for name in NAMES])

    def judge(self, frame: Frame) -> None:
        """What was decoded, to the ontology."""
        block, faults = judge(frame, self.catalogue, self.telemetry.graph, NOW, HOUR)
        assert len(block) + len(faults) >= len(frame.values) - sum(not f.name for f in faults)


def _readings(name: str, reader: Callable[[_Pumps], Callable[[bytes], Frame]]) -> Target:
    held = _Pumps()
    read = reader(held)
    begin = {"line": _LINES, "json": _ROWS, "mqtt": _MESSAGES}[name]

    def take(data: bytes) -> None:
        held.judge(read(data))

    return Target(name, take, lambda: list(begin), _READING_WORDS, held.held.close)


def lines() -> Target:
    """Influx line protocol; the first byte chooses the precision."""

    def reader(held: _Pumps) -> Callable[[bytes], Frame]:
        decoder = LineDecoder(held.catalogue)
        units = sorted(UNITS)
        return lambda data: decoder.decode(
            data[1:], precision=units[(data[0] if data else 0) % len(units)]
        )

    return _readings("line", reader)


def json_rows() -> Target:
    """Rows as JSON or NDJSON."""
    return _readings("json", lambda held: RowDecoder(held.catalogue).decode)


def messages() -> Target:
    """MQTT messages: a topic, a line feed and a payload in each part."""

    def reader(held: _Pumps) -> Callable[[bytes], Frame]:
        decoder = MessageDecoder(held.catalogue, Topics(held.catalogue))
        return lambda data: decoder.decode([message_of(part) for part in data.split(PART)])

    return _readings("mqtt", reader)


_LINES = (
    b"0pump,twin=P1 flow=1.5,pressure=2 1465839830100400200\nm,twin=P2 flow=2i,running=t,starts=1u",
    b'1m,twin=P1,a=b mode="a\\"b\\\\",flow=1e3 7\n# a comment\n\nm\\ n,twin=A%b+c#1 flow=1 1',
    b'2m,twin=site\\=1\\,x mode="two\nlines",flow=-1e-3,running=FALSE 1600000\r\n',
    b"3m,twin=P1 flow=1\n" * 40,
)
_ROWS = (
    *seeds.written(
        [
            {"twin": "P1", "name": "flow", "value": 1.5, "time": "2026-11-23T06:30:00Z"},
            {"twin": "P1/motor", "name": "temperature", "value": 20, "unit": "kelvin", "seq": 7},
            {"_twin": "P2", "_time": 1_700_000_000_000, "flow": 1, "running": True, "mode": "a"},
        ]
    ),
    b'{"_twin": "P1", "flow": 1}\n{"twin": "P2", "name": "starts", "value": 9223372036854775807}\n',
    b'[{"_twin": "P1", "_time": 1.5, "flow": [1], "nothing": {}}, 3, null]',
)
_MESSAGES = (
    b'twinfall/P1/flow\n{"_value": 1, "_time": "2026-11-23T06:30:00+01:00", "_seq": 1}'
    + PART
    + b"twinfall/P1/motor/temperature\n21.5",
    b'twinfall/A%25b%2Bc%231\n[{"_time": 1, "flow": 1}, {"mode": "x"}]' + PART + b"twinfall/P2\n{}",
    b"twinfall/P1/_command/start\n{}" + PART + b"\n" + PART + b"twinfall//flow\n1",
)
_READING_WORDS = (
    "twin", "name", "value", "time", "unit", "seq", "_twin", "_time", "_value", "_unit", "_seq",
    "P1", "P2", "P1/motor", "flow", "pressure", "starts", "running", "mode", "motor", "\\ ", "\\,",
    "\\=", '\\"', "\\\\", ",", " ", "=", '"', "\n", "\r\n", "i", "u", "1e999", "-0", "t", "FALSE",
    "9223372036854775807", "18446744073709551616i", "2026-11-23T06:30:00.123456789Z", "twinfall/",
    "%2F", "%", "%ff", "/", "+", "#", "#c\n", "NaN", "inf", ",twin=P1", " 1465839830100400200",
)  # fmt: skip


# -- questions -------------------------------------------------------------------------------------


def questions() -> Target:
    """GraphQL documents over the plant; a second part holds the variables."""
    warm()
    filled = Filled()
    loop = asyncio.new_event_loop()
    access = Access("fuzz", "admin")

    def take(data: bytes) -> None:
        query, _, given = data.partition(PART)
        try:
            variables = orjson.loads(given) if given else {}
        except orjson.JSONDecodeError:
            variables = {}
        if not isinstance(variables, dict):
            variables = {}
        text = query.decode(errors="replace")
        asked = filled.plant.service.execute(text, variables, None, access, "request")
        try:
            answer = loop.run_until_complete(asked)
            _check_no_bug(answer.status, orjson.loads(answer.body))
        finally:
            filled.restore()

    def close() -> None:
        loop.close()
        filled.plant.close()

    words = _query_words(filled)
    return Target("graphql", take, lambda: [*_QUERIES, *_asked_in_docs()], words, close)


def _check_no_bug(status: int, body: Any) -> None:
    assert status != 500, body
    for error in body.get("errors", ()):
        assert error["extensions"]["code"] != "INTERNAL", error


def _asked_in_docs() -> list[bytes]:
    pages = sorted((seeds.ROOT / "docs").glob("*.md"))
    return [text for page in pages for text in seeds.fences(page.name, "graphql")]


def _query_words(filled: Filled) -> tuple[str, ...]:
    core = filled.plant.service._current().schema.core
    names = {name for name in core.type_map if not name.startswith("__")}
    for kind in core.type_map.values():
        names |= set(getattr(kind, "fields", ()))
    return (*sorted(names), "__typename", "__schema", "...", "@skip(if: true)", "@include(if: $a)",
            "fragment F on Twin { id }", "...F", "...on Pump{id}", "{", "}", "(", ")", "$a", '"""',
            "{eq: 1}", "{in: []}", "first: 0", "first: 1001", 'after: "x"', "null")  # fmt: skip


_QUERIES = (
    b'{ twin(id: "P1") { id model _version _values ... on Pump { ratedFlow motor { power } } } }',
    b'{ Pump(where: {ratedFlow: {gt: 1}, _or: [{name: {eq: "x"}}]}, sort: [{ratedFlow: DESC}],'
    b" first: 2) { totalCount nodes { id name feeds { edges { id properties { share } node { id }"
    b" } } } pageInfo { endCursor hasNextPage } } }",
    b"query Q($a: [ID!]!) { impact(failed: $a) { totals { assets customers } waves { wave at count"
    b" } affected(first: 3) { nodes { twin { id } wave at to group votes cause { id } failureDomain"
    b" path { id } } } notEvaluated { id reason } } }" + PART + b'{"a": ["B1", "P1/motor"]}',
    b"mutation M($t: [TwinInput!]!) { writeTwins(twins: $t) { written errors { index code path"
    b" message cure } } }" + PART + b'{"t": [{"id": "P9", "model": "Pump", "values": {"serial": 1'
    b', "motor": {}, "tags": ["a"]}}]}',
    b'mutation { patchTwins(patches: [{id: "P1", merge: "{}"}]) { written } deleteTwins(ids: ["T1"'
    b']) { written } deleteRelationships(relationships: [{source: "P1", id: "e1"}]) { written'
    b" } }",
    b"mutation L($d: [JSON!]!) { loadModels(documents: $d) { loaded unchanged names } }"
    + PART
    + b'{"d": [{"@context": "dtmi:dtdl:context;3", "@id": "dtmi:new:Thing;1", "@type": "Interface"'
    b"}]}",
    b'{ models { id name contents { name kind schema } } service { version } twins(model: "Asset",'
    b" where: {_state: {eq: failed}}) { nodes { id _relationships { nodes { id } } } } }",
    b'{ __schema { types { name fields { name } } } __type(name: "Pump") { name } }',
    b"query W($s: JSON!) { whatIf(scenario: $s) { __typename } }" + PART + b'{"s": {"fail": ["P1"],'
    b' "set": {"P2": {"ratedFlow": 1}}, "horizon": "PT1H"}}',
)
