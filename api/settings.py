"""Settings: read once, from the environment and `twinfall.toml`, frozen from then on.

`Settings` is the one table of settings: name, default, how it is read and what it means. The page
`docs/settings.md` is generated from it. The environment wins over the file, the file over the
default. A secret is also read from the file that `<VARIABLE>_FILE` names.
"""

# ruff: noqa: RUF009  (`_setting` is `dataclasses.field`, which ruff knows by its own name only)

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from twinfall.ontology.errors import BadSettings

PREFIX = "TWINFALL_"
FILE_NAME = "twinfall.toml"
MAX_SECRET_BYTES = 4096
MAX_TYPED_MODELS = 5000
STORE_SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")


class Secret:
    """A text that shows itself only when asked: never in logs, errors or `repr`."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "'***'" if self._text else "''"

    __str__ = __repr__


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("it must be a text")
    return value


def _secret(value: Any) -> Secret:
    return Secret(_text(value))


def _path(value: Any) -> Path:
    if not _text(value):
        raise ValueError("it must be a path")
    return Path(value).expanduser()


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        text = str(value)
        if isinstance(value, bool) or not text.isascii() or not text.isdigit():
            raise ValueError(f"it must be a whole number from {low} to {high}")
        number = int(text) if len(text) < 10 else high + 1
        if not low <= number <= high:
            raise ValueError(f"it must be a whole number from {low} to {high}")
        return number

    return read


def _list(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(p, str) for p in parts):
        raise ValueError("it must be a list of texts (in the environment: separated by commas)")
    return tuple(p.strip() for p in parts if p.strip())


def _pairs(value: Any) -> Mapping[str, str]:
    if isinstance(value, str):
        split = [p.rpartition("=") for p in _list(value)]
        if not all(key and text for key, _, text in split):
            raise ValueError("it must be DTMI=NAME pairs separated by commas")
        value = {key.strip(): text.strip() for key, _, text in split}
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError("it must be a table of DTMI = NAME")
    return MappingProxyType(dict(value))


def _store(value: Any) -> str:
    text = _text(value)
    if text == "sqlite":
        return text
    address = urlsplit(text)
    if address.scheme not in STORE_SCHEMES or not address.hostname:
        raise ValueError("it must be `sqlite` or an address such as neo4j://localhost:7687")
    if address.username or address.password:
        raise ValueError("keep the password out of the address: set TWINFALL_NEO4J_PASSWORD")
    return text


def _broker(value: Any) -> str:
    text = _text(value)
    if not text:
        return text
    address = urlsplit(text)
    if address.scheme not in ("mqtt", "mqtts") or not address.hostname:
        raise ValueError("it must be an address such as mqtt://localhost:1883")
    if address.username or address.password:
        raise ValueError("keep the password out of the address: set TWINFALL_MQTT_PASSWORD")
    return text


def _duration(value: Any) -> str:
    from twinfall.ontology.durations import duration_seconds

    if duration_seconds(_text(value)) is None:
        raise ValueError("it must be an ISO 8601 duration such as PT5M")
    return str(value)


def _duration_or_none(value: Any) -> str:
    return _duration(value) if value else ""


def _history(value: Any) -> str:
    if _text(value) != "duckdb":
        raise ValueError("it must be `duckdb`: others are not there yet")
    return "duckdb"


def _destinations(value: Any) -> tuple[str, ...]:
    from twinfall.api.actions.addresses import allowed_text

    return tuple(allowed_text(one) for one in _list(value))


def _url(value: Any) -> str:
    address = urlsplit(_text(value))
    if value and (address.scheme not in ("http", "https") or not address.hostname):
        raise ValueError("it must be an address such as http://localhost:8000")
    return str(value).rstrip("/")


def _setting(default: Any, read: Callable[[Any], Any], meaning: str) -> Any:
    metadata = {"read": read, "meaning": meaning}
    if isinstance(default, MappingProxyType):
        return field(default_factory=lambda: default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator chose. Field `port` is `TWINFALL_PORT` and `port` in `twinfall.toml`."""

    dir: Path = _setting(
        Path(".twinfall"), _path, "The data folder. With the embedded store it holds the graph too."
    )
    host: str = _setting(
        "127.0.0.1",
        _text,
        "The address to listen on. Beyond this machine an API key is needed, or `--insecure`.",
    )
    port: int = _setting(8000, _whole(0, 65535), "The port to listen on; 0 takes a free one.")
    store: str = _setting(
        "sqlite",
        _store,
        "Where the graph lies: `sqlite` (in the data folder), or the address of a Neo4j server: "
        "`neo4j://`, `neo4j+s://`, `bolt://`, ...",
    )
    neo4j_user: str = _setting("neo4j", _text, "The user at the Neo4j server.")
    neo4j_password: Secret = _setting(Secret(), _secret, "The password at the Neo4j server.")
    neo4j_database: str = _setting("neo4j", _text, "The database at the Neo4j server.")
    mqtt: str = _setting(
        "",
        _broker,
        "The MQTT broker that readings come from: `mqtt://host:1883` or `mqtts://host:8883`. "
        "Empty: none.",
    )
    mqtt_user: str = _setting("", _text, "The user at the MQTT broker.")
    mqtt_password: Secret = _setting(Secret(), _secret, "The password at the MQTT broker.")
    mqtt_ca_file: str = _setting(
        "", _text, "The certificate authority of an `mqtts://` broker, a PEM file; empty: system's."
    )
    mqtt_client_id: str = _setting(
        "",
        _text,
        "The name of our session at the broker; must differ between services on one broker.",
    )
    mqtt_prefix: str = _setting("twinfall", _text, "The first levels of the topics of readings.")
    future_skew: str = _setting(
        "PT5M",
        _duration,
        "How far ahead of our clock the time of a reading may be, as ISO 8601 duration: `PT5M`.",
    )
    history: str = _setting(
        "duckdb", _history, "Where readings are kept: `duckdb`, in the data folder."
    )
    history_keep: str = _setting(
        "",
        _duration_or_none,
        "How long readings are kept, as ISO 8601 duration: `P730D`. Dropped are whole months. "
        "Empty: for ever.",
    )
    policy: str = _setting(
        "",
        _text,
        "The file that says which alarms lead to which actions. Empty: `twinfall.policy.yaml` in "
        "the data folder, where there is one.",
    )
    requirements: str = _setting(
        "",
        _text,
        "The file of requirements that the service keeps checking. Empty: "
        "`twinfall.requirements.yaml` in the data folder, where there is one.",
    )
    webhook_allow: tuple[str, ...] = _setting(
        (),
        _destinations,
        "Webhook destinations that may be private or unencrypted, as `host:port`, such as "
        "`hooks.local:8080`. All others must be public and https.",
    )
    webhook_secret: Secret = _setting(
        Secret(),
        _secret,
        "Signs webhooks as Standard Webhooks does (`webhook-signature`). Empty: not signed.",
    )
    url: str = _setting(
        "",
        _url,
        "The server that commands talk to. Empty: the one that holds the data folder, else the "
        "commands open the store themselves.",
    )
    api_key: Secret = _setting(Secret(), _secret, "The key that commands show to a server.")
    cors_origins: tuple[str, ...] = _setting(
        (), _list, "Web origins whose pages may call this server, such as https://ops.example.com."
    )
    allowed_hosts: tuple[str, ...] = _setting(
        (),
        _list,
        "More host names by which a server without keys may be addressed, beside localhost.",
    )
    typed_models: int = _setting(
        300,
        _whole(0, MAX_TYPED_MODELS),
        "Up to this many models all get their own GraphQL type; beyond it only those with twins.",
    )
    show_models: tuple[str, ...] = _setting(
        (),
        _list,
        "Models, by DTMI or name, that get a type of their own beyond that number too.",
    )
    aliases: Mapping[str, str] = _setting(
        MappingProxyType({}),
        _pairs,
        "Short names for models, DTMI = NAME, taken when a model is first loaded. "
        "In the environment: `dtmi:a:Pump;1=Pump,dtmi:b:Pump;1=OtherPump`.",
    )
    log: str = _setting(
        "", _text, "The log file. Empty: `twinfall.log` in the data folder; `-`: standard error."
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table."""

    name: str
    default: Any
    meaning: str
    read: Callable[[Any], Any]

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.upper()

    @property
    def secret(self) -> bool:
        """Hidden when printed; also read from the file that `<variable>_FILE` names."""
        return isinstance(self.default, Secret)


_CHOSEN: tuple[Setting, ...] = tuple(
    Setting(f.name, getattr(Settings(), f.name), f.metadata["meaning"], f.metadata["read"])
    for f in fields(Settings)
)
CONFIG = Setting(
    "config",
    FILE_NAME,
    "Another file to read settings from. Only in the environment.",
    _text,
)
SETTINGS: tuple[Setting, ...] = (*_CHOSEN, CONFIG)
"""The whole table."""


def read_settings(environ: Mapping[str, str], folder: Path) -> Settings:
    """Settings from this environment and the `twinfall.toml` in `folder`.

    Raises BadSettings that names the variable or key and, for an unknown one, the nearest.
    """
    chosen = _from_file(environ, folder)
    chosen.update(_from_environment(environ))
    return Settings(**chosen)


def printed(settings: Settings) -> dict[str, Any]:
    """All settings as plain values, secrets hidden."""
    return {s.name: _plain(getattr(settings, s.name)) for s in _CHOSEN}


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return "***" if value else ""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    by_variable = {s.variable: s for s in _CHOSEN}
    secret_files = {f"{s.variable}_FILE": s for s in _CHOSEN if s.secret}
    known = [*by_variable, *secret_files, CONFIG.variable]
    chosen: dict[str, Any] = {}
    for variable in sorted(v for v in environ if v.startswith(PREFIX)):
        if variable in by_variable:
            setting, value = by_variable[variable], environ[variable]
        elif variable in secret_files:
            setting = secret_files[variable]
            if setting.variable in environ:
                raise BadSettings(
                    "both are set", path=f"{setting.variable}, {variable}", cure="keep one of them"
                )
            value = _secret_file(variable, Path(environ[variable]))
        elif variable == CONFIG.variable:
            continue
        else:
            raise _unknown(variable, known, "environment")
        chosen[setting.name] = _read(setting, value, variable)
    return chosen


def _from_file(environ: Mapping[str, str], folder: Path) -> dict[str, Any]:
    named = environ.get(CONFIG.variable)
    path = Path(named) if named else folder / FILE_NAME
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            raise BadSettings("there is no such file", path=f"{CONFIG.variable}={named}") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"cannot be read: {error}", path=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"is not TOML: {error}", path=str(path)) from error
    by_key = {s.name: s for s in _CHOSEN}
    chosen: dict[str, Any] = {}
    for key, value in table.items():
        if key not in by_key:
            raise _unknown(key, list(by_key), str(path))
        chosen[key] = _read(by_key[key], value, f"{path}: {key}")
    return chosen


def _read(setting: Setting, value: Any, place: str) -> Any:
    try:
        return setting.read(value)
    except ValueError as error:
        shown = "" if setting.secret else f" (it is {value!r})"
        raise BadSettings(f"{error}{shown}", path=place) from None


def _secret_file(variable: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
        if len(content) > MAX_SECRET_BYTES:
            raise BadSettings(f"is longer than {MAX_SECRET_BYTES} bytes", path=f"{variable}={path}")
        return content.decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"cannot be read: {error}", path=f"{variable}={path}") from error


def _unknown(name: str, known: list[str], place: str) -> BadSettings:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    cure = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
    return BadSettings(f"no setting is called {name}", path=place, cure=cure)
