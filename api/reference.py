"""Reference pages made from code: `python -m twinfall.api.reference` writes them into docs/."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from twinfall.api.problems import RETRY_AFTER, STATUS
from twinfall.api.settings import CONFIG, FILE_NAME, SETTINGS, Secret

ERRORS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "BAD_FILE": ("A file cannot be read, written or understood.", "The message names it."),
        "BAD_LINE": ("A line is no line protocol.", "The message shows the place; correct it."),
        "BAD_TIME": ("A time cannot be read.", "RFC 3339 with a zone, or epoch milliseconds."),
        "BAD_TOPIC": ("An MQTT topic names no reading.", "`twinfall/{twin}/{name}`."),
        "BAD_UNIT": ("A unit is unknown or another quantity's.", "Send the declared one."),
        "DECOMMISSIONED": (
            "The model takes no new twins any more.",
            "Write the twin as the newer model that is named, or `twinfall model decommission "
            "MODEL --undo`.",
        ),
        "DISK_FULL": ("Readings cannot be kept.", "Free some space; it goes on by itself."),
        "FUTURE": (
            "A reading is from the future.",
            "Set its source's clock, or `TWINFALL_FUTURE_SKEW`.",
        ),
        "MQTT_UNAVAILABLE": ("The MQTT broker is away.", "It is tried again for ever."),
        "NEWER_FORMAT": ("A file was written by a newer Twinfall.", "Update Twinfall."),
        "POISON": ("A message could not be read at all.", "See the dead letter; report it."),
        "STOPPING": ("The service is stopping.", "Send it again in a few seconds."),
        "BAD_ID": ("An id has other characters than ids may have, or too many.", "Change the id."),
        "BAD_INPUT": ("What was sent cannot be used.", "The message says what and why."),
        "BAD_JSON": ("A line or value is not JSON.", "Correct it; NDJSON has one value a line."),
        "BAD_MODEL": (
            "Models or dependency declarations break their rules, or refer to models that were "
            "not given. `problems` or `undefined` lists them all.",
            "`twinfall model check` shows each with its line.",
        ),
        "BAD_NAME": ("A key cannot be called that.", "Letters, digits, `.`, `_` and `-`."),
        "BAD_QUERY": ("A query is not GraphQL, or asks for what the schema has not.", "Change it."),
        "BAD_READING": ("A reading does not fit the ontology.", "Correct it at its source."),
        "BAD_REQUEST": ("The HTTP request is malformed.", "The message says where."),
        "BAD_ROW": ("A row lacks something or has it in the wrong place.", "Correct the row."),
        "BAD_ROWS": (
            "A batch was refused whole; `rows` has a reason for every failed one.",
            "Correct or leave out the rows and send the batch again.",
        ),
        "BAD_SECTION": (
            "A line of an import stands in no section, or in an unknown one.",
            'A section begins with `{"Section": "Twins"}` or the like.',
        ),
        "BAD_SETTINGS": (
            "A setting, a file or a right stands in the way of starting.",
            "The message names it; `twinfall doctor` looks at all of them.",
        ),
        "BAD_URL": (
            "A webhook's URL is not https, or leads to no public address.",
            "Name another, or list its host:port in TWINFALL_WEBHOOK_ALLOW.",
        ),
        "BAD_VALUE": ("A value does not fit its property's schema.", "`path` says which value."),
        "DUPLICATE": ("One batch has the same id twice.", "Keep one of the rows."),
        "BAD_REQUIREMENTS": (
            "A file of requirements says what cannot be judged; every problem is listed.",
            "Correct the lines named; docs/requirements.md has every member.",
        ),
        "BAD_SCENARIO": (
            "A scenario cannot be read, or does not fit the plant; `problems` has what is wrong.",
            "Correct the places named; docs/whatif.md has every member.",
        ),
        "BREAKS_REQUIREMENT": (
            "An import with `--assert` would break a requirement that holds now.",
            "Look at the witnesses; change the file, or the requirement.",
        ),
        "EXISTS": (
            "It is there already, with other content.",
            "Give the changed model a new version number; choose another name or folder.",
        ),
        "FORBIDDEN": ("The role of this key, or of this page, does not allow it.", "Another key."),
        "GRAPH_IN_USE": (
            "Another process owns this graph; the message says which.",
            "Use that one at its URL, or stop it.",
        ),
        "IN_USE": (
            "Twins or other models still need this model; the message names them.",
            "Delete or migrate those first.",
        ),
        "INTERNAL": (
            "A bug in Twinfall.",
            "The log has its traceback under the request's id. Please report it.",
        ),
        "IS_COMPONENT": (
            "A component was written as if it were a twin.",
            "Write it inside the twin that owns it.",
        ),
        "NOT_ALLOWED": (
            "The ontology does not allow this relationship, property or target.",
            "`twinfall model show` says what it allows.",
        ),
        "NOT_FOUND": ("There is nothing at this path.", "`/graphql`, `/export`, `/import`."),
        "NO_REPLY": (
            "An asset has not answered a command in time; it may have acted all the same.",
            "Look at the asset before you send the command again.",
        ),
        "NO_GRAPH": ("The data folder holds no graph yet.", "`twinfall demo` or `import`."),
        "OVERLOADED": ("As many requests as allowed are being answered.", "Send it again soon."),
        "PORT_IN_USE": ("Another process listens on the port.", "`--port 0` takes a free one."),
        "RATE_LIMITED": ("Too many wrong keys came from one address.", "Wait a minute."),
        "SERVER_UNAVAILABLE": (
            "No Twinfall server answers at the address.",
            "Is it running? TWINFALL_URL names it.",
        ),
        "STALE_VERSION": (
            "Somebody wrote the twin since you read it.",
            "Read it again, and write with its present `_version`.",
        ),
        "STORE_UNAVAILABLE": (
            "The store does not answer for now.",
            "Wait and send it again; the server recovers by itself.",
        ),
        "TIMEOUT": ("It took longer than the server allows.", "Ask for less, page by page."),
        "TOO_COSTLY": (
            "The query is too deep, too long or asks for too much at once.",
            "Ask for fewer levels, a smaller `first`, fewer fields.",
        ),
        "TOO_LARGE": ("It is larger than the server takes.", "Send it in parts, or `/import`."),
        "UNAUTHENTICATED": (
            "The server asks for an API key, or does not know the one shown.",
            "Send `Authorization: Bearer KEY`; `twinfall key create` makes one.",
        ),
        "UNKNOWN_NAME": (
            "No model, property or key has this name.",
            "The message suggests the nearest.",
        ),
        "UNKNOWN_RELATIONSHIP": ("No relationship has this id.", "Its source and id together."),
        "UNKNOWN_TWIN": ("No twin has this id.", "Ids are exact, small and capital letters too."),
        "UNSUPPORTED": (
            "The content type is not one that this path takes.",
            "`application/json`, or `application/x-ndjson` for `/import`.",
        ),
    }
)
"""Cause and cure of every error code."""


def settings_page() -> str:
    """docs/settings.md."""
    rows = [f"| `{s.variable}` | {_shown(s.default)} | {s.meaning} |" for s in SETTINGS]
    secrets = " and ".join(f"`{s.variable}_FILE`" for s in SETTINGS if s.secret)
    return "\n".join(
        [
            "# Settings",
            "",
            "<!-- Made by `python -m twinfall.api.reference`; a test holds it to the code. -->",
            "",
            f"Read once at the start, from the environment and from `{FILE_NAME}` in the working",
            f"folder (`{CONFIG.variable}` names another file), where `TWINFALL_PORT` is `port`.",
            "The environment wins over the file, options of a command win over both. A setting",
            "nobody knows is an error that suggests the nearest. Secrets are also read from the",
            f"files that {secrets} name, and are never printed.",
            "",
            "| Setting | Default | Meaning |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def errors_page() -> str:
    """docs/errors.md."""
    rows = [
        f"| `{code}` | {STATUS.get(code, 400)} | {'yes' if code in RETRY_AFTER else 'no'} |"
        f" {cause} | {cure} |"
        for code, (cause, cure) in sorted(ERRORS.items())
    ]
    return "\n".join(
        [
            "# Errors",
            "",
            "<!-- Made by `python -m twinfall.api.reference`; a test holds it to the code. -->",
            "",
            "An error names its cause, its place (`path`) and its cure. Over HTTP it is",
            '`{"errors": [{"message", "extensions": {"code", "path", "cure", "requestId",',
            '"retryable", ...}}]}`; errors inside a GraphQL answer come with HTTP 200.',
            "Commands print it on standard error, with `--json` also as JSON on standard output,",
            "and end with status 1 (input or requirement bad), 2 (wrong usage) or 3 (a service or",
            "store is unavailable).",
            "",
            "| Code | HTTP | Send again? | Cause | Cure |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _shown(default: Any) -> str:
    if isinstance(default, Secret) or default in ("", ()) or default == {}:
        return "none"
    return f"`{default}`"


def write_pages(docs: Path) -> None:
    """Write both pages."""
    (docs / "settings.md").write_text(settings_page(), encoding="utf-8")
    (docs / "errors.md").write_text(errors_page(), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path("docs"))
