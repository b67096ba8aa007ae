"""`twinfall deadletters`: what was refused and why, tried again or thrown away."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.output import (
    BAD,
    USAGE,
    AsJson,
    console,
    errors,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from twinfall.api.cli.service import Service

app = typer.Typer(help="Dead letters: readings that were refused, with reason and bytes.")
MAX_PAGE = 500
FACTS = "id at source code message twin name"
ASK = "query($code: String, $first: Int, $after: String)"
LETTERS = "deadLetters(code: $code, first: $first, after: $after)"
LIST = f"""{ASK} {{ deadLetterCounts {{ code count }}
  {LETTERS} {{ totalCount nodes {{ {FACTS} raw }} pageInfo {{ hasNextPage endCursor }} }} }}"""
SHOW = f"{ASK} {{ {LETTERS} {{ nodes {{ {FACTS} raw rawBase64 }} }} }}"
IDS = f"{ASK} {{ {LETTERS} {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"
REPLAY = "mutation($ids: [ID!]!) { replayDeadLetters(ids: $ids) { stored refused } }"
DISCARD = "mutation($ids: [ID!]!) { discardDeadLetters(ids: $ids) { discarded } }"
Ids = Annotated[list[str] | None, typer.Argument(help="Their ids.")]
Code = Annotated[str, typer.Option(help="All of this reason, such as UNKNOWN_TWIN.")]
Every = Annotated[bool, typer.Option("--all", help="All there are.")]


@app.command("list")
def list_(
    code: Annotated[str, typer.Option(help="Of this reason only.")] = "",
    first: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="At most so many.")] = 25,
    after: Annotated[str, typer.Option(help="Beyond this id.")] = "",
    as_json: AsJson = False,
) -> None:
    """List what was refused, the oldest first, and how many there are of each reason."""
    given = {"code": code or None, "first": first, "after": after or None}
    with _service() as graph:
        found = graph.ask(LIST, given)["data"]
    page, counts = found["deadLetters"], found["deadLetterCounts"]
    if as_json:
        nodes = page["nodes"]
        counted = {one["code"]: one["count"] for one in counts}
        print_json({"counts": counted, "total": page["totalCount"], "letters": nodes})
        return
    for one in counts:
        console().print(f"{one['count']} {one['code']}")
    columns = ["id", "at", "source", "code", "twin", "name", "message"]
    rows = [[str(node[column] or "") for column in columns] for node in page["nodes"]]
    if rows:
        print_table("", columns, rows)
    if page["pageInfo"]["hasNextPage"]:
        errors().print(f"more: --after {page['pageInfo']['endCursor']}")


@app.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    raw: Annotated[
        bool, typer.Option("--raw", help="Only the bytes as they came, to standard output.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one with its bytes as they came."""
    with _service() as graph:
        found = _one(graph, id_)
    if raw:
        sys.stdout.buffer.write(base64.b64decode(found["rawBase64"]))
        sys.stdout.buffer.flush()
    elif as_json:
        print_json(found)
    else:
        for name in ("id", "at", "source", "code", "message", "twin", "name", "raw"):
            if found[name]:
                console().print(f"{name:8} {found[name]}")


@app.command()
def replay(ids: Ids = None, code: Code = "", every: Every = False, as_json: AsJson = False) -> None:
    """Judge them again, as if they had just come. What is refused once more is a dead letter
    again, with a new id.
    """
    stored = refused = 0
    with _service() as graph:
        for some in _chosen(graph, ids, code, every):
            told = graph.ask(REPLAY, {"ids": some})["data"]["replayDeadLetters"]
            stored, refused = stored + told["stored"], refused + told["refused"]
    if as_json:
        print_json({"stored": stored, "refused": refused})
    else:
        console().print(f"{stored} readings stored, {refused} refused again")
    if refused:
        raise typer.Exit(BAD)


@app.command()
def discard(
    ids: Ids = None, code: Code = "", every: Every = False, as_json: AsJson = False
) -> None:
    """Throw them away."""
    gone = 0
    with _service() as graph:
        for some in _chosen(graph, ids, code, every):
            gone += graph.ask(DISCARD, {"ids": some})["data"]["discardDeadLetters"]["discarded"]
    if as_json:
        print_json({"discarded": gone})
    else:
        console().print(f"{gone} dead letters discarded")


def _chosen(graph: Service, ids: list[str] | None, code: str, every: bool) -> Iterator[list[str]]:
    """The ids asked for, some at a time; those that are there now, not what comes meanwhile."""
    if sum(map(bool, (ids, code, every))) != 1:
        errors().print("say which: ids, --code CODE or --all")
        raise typer.Exit(USAGE)
    found = list(ids) if ids else _ids(graph, code)
    for start in range(0, len(found), MAX_PAGE):
        yield found[start : start + MAX_PAGE]


def _ids(graph: Service, code: str) -> list[str]:
    found: list[str] = []
    given: dict[str, Any] = {"code": code or None, "first": MAX_PAGE, "after": None}
    while True:
        page = graph.ask(IDS, given)["data"]["deadLetters"]
        found += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        given["after"] = page["pageInfo"]["endCursor"]


def _one(graph: Service, id_: str) -> dict[str, Any]:
    from twinfall.ontology.errors import BadInput

    if id_.isascii() and id_.isdigit() and int(id_) > 0:
        given = {"first": 1, "after": str(int(id_) - 1)}
        nodes: list[dict[str, Any]] = graph.ask(SHOW, given)["data"]["deadLetters"]["nodes"]
        if nodes and nodes[0]["id"] == str(int(id_)):
            return nodes[0]
    raise BadInput(
        f"there is no dead letter {id_}",
        code="NOT_FOUND",
        cure="`twinfall deadletters list` has all",
    )


def _service() -> Any:
    from twinfall.api.cli.service import service

    return service(here.settings(), "twinfall deadletters")
