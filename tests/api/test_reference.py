"""The generated pages are current, and say everything."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from twinfall.api.problems import RETRY_AFTER, STATUS
from twinfall.api.reference import ERRORS, errors_page, settings_page

ROOT = Path(__file__).resolve().parents[2]
_CODE = re.compile(r"[A-Z0-9]+(_[A-Z0-9]+)+")
_NOT_CODES = re.compile(
    r"TWINFALL_.*|NUMBA_.*|TEST_.*|.*_FILE|TCP_CORK|FILE_NAME|DOWN_BEFORE|MMD_AT_PLUS_A"
)


def test_the_page_of_settings_is_current() -> None:
    assert (ROOT / "docs/settings.md").read_text() == settings_page()


def test_the_page_of_errors_is_current() -> None:
    assert (ROOT / "docs/errors.md").read_text() == errors_page()


def test_every_error_code_in_the_code_is_explained() -> None:
    assert sorted(_codes() - set(ERRORS)) == []


def test_every_error_explained_occurs_in_the_code() -> None:
    known = {text for tree in _trees() for text in _texts(tree)}

    assert sorted(set(ERRORS) - known) == []


def test_every_status_belongs_to_an_explained_error() -> None:
    assert sorted((set(STATUS) | set(RETRY_AFTER)) - set(ERRORS)) == []


def _trees() -> Iterator[ast.AST]:
    for room in ("ontology", "graph", "analytics", "ingestion", "api"):
        for file in sorted((ROOT / room).rglob("*.py")):
            if file.name != "reference.py" and not {"node_modules", "demo"} & {*file.parts}:
                yield ast.parse(file.read_text(encoding="utf-8"))


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _codes() -> set[str]:
    """Texts given as `code`, and every text that looks like a code."""
    found: set[str] = set()
    for tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "code":
                found |= {t for t in _texts(node.value) if t.isupper()}
        found |= {t for t in _texts(tree) if _CODE.fullmatch(t) and not _NOT_CODES.fullmatch(t)}
    return found
