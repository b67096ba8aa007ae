"""compose.yaml and the Dockerfile say only what Compose and Twinfall understand.

The images are not started here: that needs Docker.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinfall.api.settings import PREFIX, Settings

REPOSITORY = Path(__file__).parents[2]
COMPOSE = REPOSITORY / "compose.yaml"
DOCKERFILE = REPOSITORY / "Dockerfile"
SETTINGS = {PREFIX + field.name.upper() for field in fields(Settings)}
SCHEMA = ["--builtin-schema", "vendor.compose-spec"]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return document["services"]  # type: ignore[no-any-return]


def _check(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "-o", "json", *SCHEMA, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_file_keeps_to_the_compose_specification() -> None:
    run = _check(COMPOSE)
    assert json.loads(run.stdout)["status"] == "ok"


def test_the_specification_refuses_a_misspelt_word(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text().replace("depends_on:", "dependson:"))
    assert json.loads(_check(wrong).stdout)["status"] == "fail"


def test_every_setting_named_exists(services: dict[str, Any]) -> None:
    named = set(services["twinfall"]["environment"])
    named |= set(re.findall(rf"\b{PREFIX}\w+", DOCKERFILE.read_text()))
    assert len(named) >= 5
    assert named <= SETTINGS


def test_every_port_listens_on_this_machine_only(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert len(ports) == 4
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)


def test_there_is_no_default_password(services: dict[str, Any]) -> None:
    text = COMPOSE.read_text()
    assert text.count("${NEO4J_PASSWORD") == text.count("${NEO4J_PASSWORD:?choose a password first")
    passwords = [services["neo4j"]["environment"]["NEO4J_AUTH"]]
    passwords.append(services["twinfall"]["environment"]["TWINFALL_NEO4J_PASSWORD"])
    assert all("${NEO4J_PASSWORD:?" in password for password in passwords)


def test_the_store_address_is_the_service_beside_it(services: dict[str, Any]) -> None:
    assert services["twinfall"]["environment"]["TWINFALL_STORE"] == "neo4j://neo4j:7687"
    assert services["neo4j"]["image"] == "neo4j:5.26-community"
    assert services["twinfall"]["depends_on"]["neo4j"]["condition"] == "service_healthy"
    assert "healthcheck" in services["neo4j"]
    assert "HEALTHCHECK" in DOCKERFILE.read_text()


def test_every_command_named_exists() -> None:
    said = re.findall(
        r"docker compose run --rm twinfall ([a-z ]+?)(?: me)? --role", COMPOSE.read_text()
    )
    said += json.loads(re.findall(r"^CMD (\[.*\])$", DOCKERFILE.read_text(), re.M)[-1])
    assert said == ["key create", "serve"]
    for command in said:
        line = [sys.executable, "-m", "twinfall.api.cli", *command.split(), "--help"]
        run = subprocess.run(line, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr


@pytest.fixture
def broker_config(tmp_path: Path) -> tuple[Path, int]:
    """The broker's configuration as it stands, but its port and folder for this machine."""
    document = yaml.safe_load(COMPOSE.read_text())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    text = document["configs"]["mosquitto"]["content"]
    assert "listener 1883\n" in text
    assert "/mosquitto/data/" in text
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1")
    config = tmp_path / "mosquitto.conf"
    config.write_text(text.replace("/mosquitto/data/", f"{tmp_path}/") + "user root\n")
    return config, port


def test_the_broker_takes_its_configuration_and_is_found_healthy(
    services: dict[str, Any], broker_config: tuple[Path, int]
) -> None:
    config, port = broker_config
    places = os.environ["PATH"] + ":/usr/sbin"
    program, client = (shutil.which(p, path=places) for p in ("mosquitto", "mosquitto_sub"))
    if program is None or client is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mosquitto and mosquitto-clients are not installed")
        pytest.skip("needs mosquitto and mosquitto-clients")
    command = services["mosquitto"]["command"]
    assert command == ["mosquitto", "-c", "/mosquitto.conf"]
    kind, check = services["mosquitto"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    check = check.replace("$$", "$").replace("mosquitto_sub", f"mosquitto_sub -p {port}")
    with subprocess.Popen([program, "-c", str(config)], stderr=subprocess.PIPE) as process:
        try:
            for _ in range(20):
                run = subprocess.run(["sh", "-c", check], capture_output=True, check=False)
                if run.returncode == 0:
                    break
                time.sleep(0.25)
        finally:
            process.terminate()
        assert process.stderr is not None
        assert run.returncode == 0, (run.stderr, process.stderr.read())
