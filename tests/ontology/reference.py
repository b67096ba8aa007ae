"""Reference data beside the repository: real ontologies and the public conformance corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from twinfall.ontology import Ontology, parse

FOLDER = Path(__file__).resolve().parents[3] / "shared"
needs_reference_data = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the reference data folder {FOLDER} does not exist"
)


def texts(name: str) -> list[str]:
    """The JSON texts of one of the real ontologies."""
    found = sorted((FOLDER / "ontologies" / name).rglob("*.json"))
    return [path.read_text("utf-8-sig") for path in found]


def interface(name: str = "Pump", **members: Any) -> dict[str, Any]:
    """A DTDL v3 interface in the namespace `example`."""
    return {
        "@context": "dtmi:dtdl:context;3",
        "@id": f"dtmi:example:{name};1",
        "@type": "Interface",
        **members,
    }


def one(**members: Any) -> Ontology:
    """An ontology of one interface, `dtmi:example:Pump;1`."""
    return parse([interface(**members)])
