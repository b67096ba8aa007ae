"""Strict JSON: no duplicate members, no NaN, no lone surrogates, no NUL, bounded size and depth."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from twinfall.ontology.errors import Problem

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
"""One document: all of RealEstateCore 4 in one array is 6 MB."""
MAX_DEPTH = 96
"""Nesting of objects and arrays: twelve inline parents with schemas at their deepest need 70."""

_LONGEST = 20
"""Digits and sign of an integer of 64 bits."""
_SUSPECT = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class NotStrict(ValueError):
    """Why a text is not strict JSON; `line` is one-based."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line


def _no_constant(name: str) -> NoReturn:
    raise NotStrict("notJson", f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise NotStrict("notJson", f"{text} is too large for a number")
    return value


def whole(text: str) -> int:
    """An integer that whoever reads it later can hold, in 64 bits."""
    value = int(text) if len(text) <= _LONGEST else 2**64
    if not -(2**63) <= value < 2**64:
        raise NotStrict("notJson", f"{text[:_LONGEST]} is too large for an integer")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise NotStrict("duplicateMember", f'the member "{name}" is given twice')
            seen.add(name)
    return found


@functools.cache
def _decoder(parse_int: Callable[[str], int] | None = None) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_members,
        parse_constant=_no_constant,
        parse_float=_finite,
        parse_int=parse_int,
    )


def _too_deep(text: str) -> bool:
    """Whether brackets nest deeper than allowed; only called when there are enough of them."""
    depth = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text):
        mark = token.group()
        if mark in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif mark in "]}":
            depth -= 1
    return False


def _check_strings(value: Any) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise NotStrict("notJson", "a text holds half of a surrogate pair")
        if "\0" in value:
            raise NotStrict("notJson", "a text holds the NUL character")
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_strings(name)
            _check_strings(item)
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)


def read_json(text: str, *, parse_int: Callable[[str], int] | None = None) -> Any:
    """The value of a JSON text. Raises NotStrict."""
    decoder = _decoder(parse_int)
    if len(text) > MAX_DOCUMENT_BYTES:
        raise NotStrict("tooLarge", f"the text is larger than {MAX_DOCUMENT_BYTES >> 20} MiB")
    if text.count("{") + text.count("[") > MAX_DEPTH and _too_deep(text):
        raise NotStrict("tooDeep", f"nested deeper than {MAX_DEPTH} levels")
    if not text.strip("\ufeff \t\r\n"):
        raise NotStrict("notJson", "not JSON: the text is empty")
    try:
        value = decoder.decode(text.removeprefix("\ufeff"))
    except NotStrict:
        raise
    except json.JSONDecodeError as err:
        raise NotStrict("notJson", f"not JSON: {err.msg}", err.lineno) from None
    except (ValueError, RecursionError) as err:
        raise NotStrict("notJson", f"not JSON: {err}") from None
    if _SUSPECT.search(text) or _SURROGATE.search(text):
        _check_strings(value)
    return value


def canonical(value: Any) -> str:
    """One text for one value: members sorted, no white space. Raises NotStrict."""
    try:
        return json.dumps(
            value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        )
    except (TypeError, ValueError, RecursionError) as err:
        raise NotStrict("notJson", f"not a JSON value: {err}") from None


def read_documents(documents: Sequence[Any]) -> tuple[list[Any], list[Problem]]:
    """The JSON values of texts or already parsed values; refused ones are problems (and None)."""
    values: list[Any] = []
    problems: list[Problem] = []
    for number, document in enumerate(documents):
        try:
            text = document if isinstance(document, str) else _text_of(document)
            values.append(read_json(text, parse_int=whole))
        except NotStrict as err:
            values.append(None)
            problems.append(Problem(err.code, err.message, document=number, line=err.line))
    return values, problems


def _text_of(document: Any) -> str:
    if isinstance(document, bytes):
        try:
            return document.decode()
        except UnicodeDecodeError:
            raise NotStrict("notJson", "not UTF-8") from None
    return canonical(document)
