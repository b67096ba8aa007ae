"""The query page is complete, and asks no other host for anything."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
STATIC = REPOSITORY / "api" / "static"
SOURCE = REPOSITORY / "api" / "graphiql"
REFERENCE = re.compile(r'(?:src|href)="([^"]+)"')
IMPORTED = re.compile(r"""(?:import\(|from|import|new URL\()\s*["'`]([./\w-]+\.js)["'`]""")
LOADED_BY_CSS = re.compile(r"""(?:url\(\s*|@import\s+)["']?([^"')\s]+)""")


def test_the_page_names_only_files_beside_it() -> None:
    page = (STATIC / "index.html").read_text()
    references = [r for r in REFERENCE.findall(page) if r != "graphql" and r[:5] != "data:"]
    assert references
    for reference in references:
        assert reference.startswith("./static/"), reference
        assert (STATIC / reference.removeprefix("./static/")).is_file(), reference


def test_the_page_has_no_script_or_style_of_its_own() -> None:
    """So that the content security policy can forbid both."""
    page = (STATIC / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert "<style" not in page
    assert " style=" not in page


def test_the_first_script_loads_others() -> None:
    """Else the next test would find nothing and hold for nothing."""
    page = (STATIC / "index.html").read_text()
    (first,) = re.findall(r'<script[^>]*src="./static/([^"]+)"', page)
    assert len(IMPORTED.findall((STATIC / first).read_text())) >= 5


@pytest.mark.parametrize("script", sorted(STATIC.rglob("*.js")), ids=lambda p: p.name)
def test_scripts_load_only_files_beside_them(script: Path) -> None:
    for name in IMPORTED.findall(script.read_text()):
        assert (script.parent / name).is_file(), name


@pytest.mark.parametrize("sheet", sorted(STATIC.rglob("*.css")), ids=lambda p: p.name)
def test_style_sheets_load_only_files_beside_them(sheet: Path) -> None:
    for name in LOADED_BY_CSS.findall(sheet.read_text()):
        if not name.startswith(("data:", "#")):
            assert (sheet.parent / name).is_file(), name


def test_the_page_brings_no_fonts_but_its_icons() -> None:
    sheets = "".join(sheet.read_text() for sheet in STATIC.rglob("*.css"))
    assert {"codicon"} == set(re.findall(r"@font-face\s*\{[^}]*font-family:\s*[\"']?(\w+)", sheets))


def test_every_package_in_the_page_has_its_licence() -> None:
    licences = (STATIC / "LICENSES.txt").read_text()
    wanted = json.loads((SOURCE / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        assert f"{name} {version} (" in licences
    assert "monaco-editor " in licences


def test_versions_are_exact_and_the_lock_names_no_host() -> None:
    package = json.loads((SOURCE / "package.json").read_text())
    for group in ("dependencies", "devDependencies"):
        assert all(re.fullmatch(r"[\d.]+", version) for version in package[group].values())
    lock = json.loads((SOURCE / "package-lock.json").read_text())
    assert len(lock["packages"]) > 50
    for entry in lock["packages"].values():
        assert "resolved" not in entry
        assert entry.get("integrity", "").startswith("sha512-") or entry.get("name")
