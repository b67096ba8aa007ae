"""Rules over many elements."""

from __future__ import annotations

from twinfall.ontology.dtdl.elements import Reading


def check_rules(reading: Reading) -> None:
    """Judge what needs the whole set."""
