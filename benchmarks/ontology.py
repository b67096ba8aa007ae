"""Reading ontologies: public ones, and a set of 3,700 interfaces made of one of them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import machine
from examples.building import brick_file
from twinfall.ontology import parse
from twinfall.ontology.lint import lint
from twinfall.ontology.packing import pack, unpack
from twinfall.ontology.rdf import Source, read_triples, triples
from twinfall.ontology.rdf.writing import files

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "ontologies"
SETS = {"building-rec33": "RealEstateCore 3.3", "isa95": "ISA-95", "smartcities": "smart cities"}
NAMESPACE = "dtmi:digitaltwins:rec_3_3:"
COPIES = 5
LARGE = 3_700
AIM = 20
"""So many times reading and `json.loads` of the same files."""


def main() -> None:
    print(f"{machine()}\n\n| | CPU | |\n|---|---|---|")
    for folder, name in SETS.items():
        _from_files(name, folder)
    documents = large(texts("building-rec33"))
    _one("RealEstateCore under five namespaces", documents)
    ontology = parse(documents)
    packed = pack(ontology)
    opened = _best(lambda: unpack(packed, ontology.documents))
    _row("the same, opened as it was kept", f"{opened * 1e3:.0f} ms", f"{len(packed):,} bytes")
    linted = _best(lambda: lint(ontology))
    _row("the same, linted", f"{linted:.2f} s")
    _rdf()


def texts(folder: str) -> list[str]:
    """The documents of one of the ontologies."""
    return _read(sorted((FOLDER / folder).rglob("*.json")))


def _read(files: list[Path]) -> list[str]:
    return [path.read_text(encoding="utf-8-sig") for path in files]


def large(documents: list[str], count: int = LARGE) -> list[str]:
    """The documents under several namespaces, without some that nobody refers to."""
    made = [
        text.replace(NAMESPACE, f"dtmi:digitaltwins{copy}:rec_3_3:")
        for copy in range(COPIES)
        for text in documents
    ]
    ids = [json.loads(text)["@id"] for text in made]
    used = {
        dtmi
        for text, own in zip(made, ids, strict=True)
        for dtmi in re.findall(r'"(dtmi:digitaltwins\d:rec[^"]*)"', text)
        if dtmi != own
    }
    spare = [i for i, own in enumerate(ids) if own not in used]
    left_out = set(spare[count - len(made) :])
    return [text for i, text in enumerate(made) if i not in left_out]


def _from_files(name: str, folder: str) -> None:
    """From files on disk to an ontology, beside reading and `json.loads` of the same files."""
    files = sorted((FOLDER / folder).rglob("*.json"))
    plain = _best(lambda: [json.loads(text) for text in _read(files)])
    took = _best(lambda: parse(_read(files)))
    ratio = took / plain
    _row(
        f"{name}, {len(files):,} files",
        f"{took:.2f} s",
        f"{ratio:.1f} × reading and json.loads, {plain:.3f} s; the aim is {AIM} at most",
    )


def _rdf() -> None:
    """Brick 1.4: the triples, the DTDL of them, and both exports."""
    brick = brick_file()
    if brick is None:
        print("| Brick.ttl | not measured: `pip install brickschema` | |")
        return
    source = Source.of_file(str(brick), brick.read_bytes())
    took = _best(lambda: triples([source]))
    graph = triples([source])
    _row("Brick 1.4, Turtle to triples", f"{took:.2f} s", f"{len(graph):,} triples")
    took = _best(lambda: read_triples(graph))
    read = read_triples(graph)
    _row("the same, triples to DTDL", f"{took:.2f} s", f"{len(read.documents):,} interfaces")
    ontology = parse(read.documents)
    for form in ("owl", "shacl"):
        took = _best(lambda form=form: list(files(ontology, form)))  # type: ignore[misc]
        _row(f"the same, as {form}", f"{took:.2f} s")


def _one(name: str, documents: list[str]) -> None:
    plain = _best(lambda: [json.loads(text) for text in documents])
    took = _best(lambda: parse(documents))
    _row(
        f"{name}, {len(documents):,} interfaces",
        f"{took:.2f} s",
        f"{took / plain:.1f} × json.loads alone, {plain:.3f} s",
    )


def _best(work: Callable[[], Any], times: int = 3) -> float:
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def _row(what: str, measured: str, note: str = "") -> None:
    print(f"| {what} | {measured} | {note} |", flush=True)


if __name__ == "__main__":
    main()
