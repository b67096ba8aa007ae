"""Inputs to begin with: what the standard's corpus, public ontologies and our examples hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.conformance import FOLDER as CORPUS
from benchmarks.conformance import cases
from tests.fuzz.mutating import PART
from tests.ingestion.pumps import DOCUMENTS
from tests.ontology.reference import FOLDER as REFERENCE

ROOT = Path(__file__).resolve().parents[2]
EVERY_CASE = 12
"""Of the corpus one in so many begins."""
LARGEST = 8_000
"""Bytes of a document to begin with."""


def models() -> list[bytes]:
    """Sets of documents, each document a part."""
    found = [[json.dumps(document) for document in DOCUMENTS]]
    found += [[(ROOT / name).read_text("utf-8")] for name in _EXAMPLES]
    if (CORPUS / "cases.jsonl.gz").is_file():
        found += [
            [json.dumps(model) for model in case["models"]]
            for number, case in enumerate(cases(CORPUS))
            if number % EVERY_CASE == 0
        ]
    texts = [p.read_text("utf-8-sig") for p in sorted(REFERENCE.glob("ontologies/**/*.json"))[::40]]
    found += [[text] for text in texts]
    sets = [PART.join(text.encode() for text in texts) for texts in found]
    return [one for one in sets if len(one) <= LARGEST]


_EXAMPLES = ("examples/station/station.json", "examples/city/city.json")


def files(*patterns: str) -> list[bytes]:
    """Files of ours, and what they say as JSON."""
    import yaml

    found = []
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            text = path.read_bytes()
            found.append(text)
            found.append(json.dumps(yaml.safe_load(text), default=str).encode())
    return found


def fences(page: str, language: str) -> list[bytes]:
    """The examples of a page of the documentation."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    parts = text.split(f"```{language}\n")[1:]
    return [part.split("```")[0].encode() for part in parts]


def written(*values: Any) -> list[bytes]:
    """Each as a JSON text."""
    return [json.dumps(value).encode() for value in values]
