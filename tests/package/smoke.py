"""Start `twinfall demo` as a user does, ask, stop, and start again. Needs nothing but the package.

python smoke.py        with the python of the environment that Twinfall is installed in
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).parent / "twinfall"
FIRST_START, SECOND_START, STOP = 300.0, 30.0, 20.0
"""Seconds allowed; generous, because machines differ."""


def main() -> None:
    """Raises AssertionError where something is not as promised."""
    import twinfall
    from twinfall.api.demo import city_queries

    folder = Path(twinfall.__file__).parent
    assert not [room for room in folder.iterdir() if room.is_symlink()], "links in the package"
    queries = [query for _, query in city_queries()]
    with tempfile.TemporaryDirectory() as place:
        with server(place, FIRST_START) as url:
            answers = [ask(url, query) for query in queries]
            check(answers)
            check_page(url)
            told = cli(place, url, "impact", "P_B1000", "--json")
            assert told["totals"]["assets"] == answers[2]["impact"]["totals"]["assets"]
        with server(place, SECOND_START) as url:
            assert [ask(url, query) for query in queries] == answers, "lost over a restart"
    print(f"smoke: twinfall {twinfall.__version__} on Python {sys.version.split()[0]}: well")


def check(answers: list[dict[str, Any]]) -> None:
    """The three answers say what the city's files say."""
    pumps, loads, impact = answers
    assert pumps["Pump"]["totalCount"] == 8
    assert loads["Load"]["totalCount"] == 9
    waves = [(wave["at"], wave["count"]) for wave in impact["impact"]["waves"]]
    print("impact of P_B1000:", waves)
    assert [at for at, _ in waves] == ["PT0S", "PT0S", "PT5H36M"]


def check_page(url: str) -> None:
    """The page comes, and so does every file that it names."""
    page = get(f"{url}/").decode()
    assert "<title>Twinfall</title>" in page
    named = re.findall(r'(?:src|href)="\./([^"]+)"', page)
    assert len(named) >= 3, page
    for name in named:
        assert get(f"{url}/{name}"), name


@contextmanager
def server(place: str, patience: float) -> Iterator[str]:
    """A demo over the data folder `place`, ended by Ctrl-C; the exit must be clean."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {"TWINFALL_DIR": f"{place}/data"}
    began = time.monotonic()
    process = subprocess.Popen(
        [COMMAND, "demo", "--port", str(port)],
        env=environment,
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        wait(process, url, patience)
        print(f"ready in {time.monotonic() - began:.1f} s")
        yield url
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=STOP)
        assert process.returncode == 0, printed.decode()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def wait(process: subprocess.Popen[bytes], url: str, patience: float) -> None:
    """Return when the server says it is ready."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if process.poll() is not None:
            assert process.stdout is not None
            raise AssertionError(f"it ended: {process.stdout.read().decode()}")
        try:
            get(f"{url}/readyz")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"not ready within {patience} s")


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:
        content: bytes = answer.read()
    return content


def ask(url: str, query: str) -> dict[str, Any]:
    """The data of a query; an answer with errors fails."""
    body = json.dumps({"query": query}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{url}/graphql", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{error}: {error.read().decode()}") from error
    assert "errors" not in told, told
    data: dict[str, Any] = told["data"]
    return data


def cli(place: str, url: str, *arguments: str) -> Any:
    """What a command prints as JSON, asked of the running server."""
    environment = os.environ | {"TWINFALL_DIR": f"{place}/data", "TWINFALL_URL": url}
    command = [str(COMMAND), *arguments]
    run = subprocess.run(command, env=environment, cwd=place, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    return json.loads(run.stdout)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
