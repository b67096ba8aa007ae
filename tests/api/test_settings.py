from __future__ import annotations

from pathlib import Path

import pytest

from twinfall.api.settings import SETTINGS, Settings, printed, read_settings
from twinfall.ontology.errors import BadSettings


def test_without_anything_all_settings_have_their_defaults(tmp_path: Path) -> None:
    assert read_settings({}, tmp_path) == Settings()


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "twinfall.toml").write_text('port = 9000\nhost = "::1"\n')

    found = read_settings({"TWINFALL_PORT": "9001"}, tmp_path)

    assert (found.port, found.host, found.store) == (9001, "::1", "sqlite")


def test_another_file_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("port = 1\n")

    found = read_settings({"TWINFALL_CONFIG": str(tmp_path / "other.toml")}, tmp_path)

    assert found.port == 1


def test_lists_and_tables_read_alike_from_environment_and_file(tmp_path: Path) -> None:
    (tmp_path / "twinfall.toml").write_text(
        'cors_origins = ["https://a.example", "https://b.example"]\n'
        '[aliases]\n"dtmi:a:Pump;1" = "Pump"\n'
    )
    variables = {
        "TWINFALL_CORS_ORIGINS": "https://a.example, https://b.example",
        "TWINFALL_ALIASES": "dtmi:a:Pump;1=Pump",
    }
    from_file = read_settings({}, tmp_path)

    assert read_settings(variables, tmp_path / "nowhere") == from_file
    assert from_file.aliases == {"dtmi:a:Pump;1": "Pump"}


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [("TWINFALL_PROT", "TWINFALL_PORT"), ("TWINFALL_NEO4J_PASWORD", "TWINFALL_NEO4J_PASSWORD")],
)
def test_an_unknown_variable_is_an_error_that_names_the_nearest(
    variable: str, nearest: str, tmp_path: Path
) -> None:
    with pytest.raises(BadSettings, match=f"did you mean {nearest}"):
        read_settings({variable: "1"}, tmp_path)


def test_an_unknown_key_of_the_file_is_an_error_that_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "twinfall.toml").write_text("hots = 1\n")

    with pytest.raises(BadSettings, match=r"twinfall\.toml.*hots.*did you mean host"):
        read_settings({}, tmp_path)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TWINFALL_PORT", "65536"),
        ("TWINFALL_PORT", "-1"),
        ("TWINFALL_PORT", "eighty"),
        ("TWINFALL_PORT", "9" * 5000),
        ("TWINFALL_STORE", "mysql://x"),
        ("TWINFALL_STORE", "neo4j://"),
        ("TWINFALL_STORE", "neo4j://me:pass@host"),
        ("TWINFALL_URL", "localhost:8000"),
        ("TWINFALL_ALIASES", "Pump"),
        ("TWINFALL_DIR", ""),
    ],
)
def test_a_value_that_makes_no_sense_is_an_error_that_names_its_variable(
    variable: str, value: str, tmp_path: Path
) -> None:
    with pytest.raises(BadSettings, match=variable):
        read_settings({variable: value}, tmp_path)


def test_broken_toml_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "twinfall.toml").write_text("port = \n")

    with pytest.raises(BadSettings, match="line 1"):
        read_settings({}, tmp_path)


def test_a_secret_is_read_from_a_file_without_its_last_newline(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("open sesame\n")

    found = read_settings({"TWINFALL_NEO4J_PASSWORD_FILE": str(tmp_path / "pw")}, tmp_path)

    assert found.neo4j_password.reveal() == "open sesame"


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    given = {"TWINFALL_API_KEY": "a", "TWINFALL_API_KEY_FILE": str(tmp_path / "b")}

    with pytest.raises(BadSettings, match="both are set"):
        read_settings(given, tmp_path)


def test_only_secrets_have_a_file_form(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="TWINFALL_PORT"):
        read_settings({"TWINFALL_PORT_FILE": "x"}, tmp_path)


def test_secrets_never_show(tmp_path: Path) -> None:
    found = read_settings({"TWINFALL_NEO4J_PASSWORD": "open sesame"}, tmp_path)

    shown = f"{found} {found!r} {printed(found)} {found.neo4j_password}"

    assert "sesame" not in shown
    assert printed(found)["neo4j_password"] == "***"


def test_every_setting_says_what_it_means() -> None:
    assert [s.name for s in SETTINGS if not s.meaning.endswith(".")] == []
    assert len({s.variable for s in SETTINGS}) == len(SETTINGS)
