"""Instances as texts: a JSON text judged as a value of a schema."""

from __future__ import annotations

import re
from typing import Any

from twinfall.ontology.dtdl.text import read_json
from twinfall.ontology.model import Primitive
from twinfall.ontology.values import MinusZero

_PRIMITIVE = re.compile(r"dtmi:dtdl:instance:Schema:([A-Za-z]+);[2-4]")


def read_instance(text: str) -> Any:
    """The value of a JSON text, `-0` told from `0`. Raises NotStrict."""
    return read_json(text, parse_int=_integer)


def _integer(text: str) -> int:
    return MinusZero() if text == "-0" else int(text)


def standard_schema(dtmi: str) -> Primitive | None:
    """The primitive schema of this identifier."""
    match = _PRIMITIVE.fullmatch(dtmi)
    return Primitive(match[1]) if match else None
