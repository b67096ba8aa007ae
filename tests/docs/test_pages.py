"""What the pages say must hold: links lead somewhere, commands and settings exist, code runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, blocks, links, pages

_SETTING = re.compile(r"\bTWINFALL_[A-Z0-9_]+\b")


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    local = [link.split("#")[0] for link in links(page) if "://" not in link]
    missing = [link for link in local if link and not (page.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_every_python_example_runs(block: Block, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    exec(compile(block.text, str(block), "exec"), {"__name__": "__example__"})


def _commands(block: Block) -> list[list[str]]:
    found = []
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        while words and ("=" in words[0] and words[0].split("=")[0].isupper()):
            words = words[1:]
        if words and words[0] == "twinfall":
            found.append(words[1:])
    return found


@pytest.mark.parametrize("block", [b for b in blocks("sh") if _commands(b)], ids=str)
def test_every_twinfall_command_shown_exists_with_its_options(block: Block) -> None:
    import typer.main

    from twinfall.api.cli import app

    root = typer.main.get_command(app)
    for words in _commands(block):
        command, rest = root, words
        while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
            assert rest[0] in command.commands, f"{block}: no command {' '.join(words)}"
            command, rest = command.commands[rest[0]], rest[1:]
        known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
        shown = {w.split("=")[0] for w in rest if w.startswith("--")}
        assert shown <= known, f"{block}: {' '.join(words)}"


def test_every_setting_shown_exists() -> None:
    from twinfall.api.settings import SETTINGS

    known = {setting.variable for setting in SETTINGS}
    known |= {f"{setting.variable}_FILE" for setting in SETTINGS if setting.secret}
    shown = {m for page in pages() for m in _SETTING.findall(page.read_text(encoding="utf-8"))}

    assert {s for s in shown if not s.endswith("_")} <= known
