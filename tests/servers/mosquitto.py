"""A real mosquitto on a port of its own, with its persistence in a folder thrown away after.

Debian has it: `apt install mosquitto`. `python -m tests.servers.mosquitto` runs one in the
foreground on the usual port.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

READY_SECONDS = 10
STOP_SECONDS = 15
_CONF = """\
listener {port} 127.0.0.1
allow_anonymous {anonymous}
persistence true
persistence_location {home}/
autosave_interval 1
max_queued_messages 0
log_dest file {home}/mosquitto.log
log_type all
"""


def program() -> str | None:
    """Where mosquitto is; Debian puts it into a folder that not everybody searches."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def unavailable_reason() -> str:
    """Why there is no broker to test against; empty when there is one."""
    return "" if program() else "needs mosquitto (apt install mosquitto)"


@dataclass
class Mosquitto:
    """A broker that can be stopped and started again on its port and its persistence."""

    port: int
    home: Path
    options: Mapping[str, object] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns when it accepts connections."""
        found = program()
        assert found is not None, unavailable_reason()
        conf = _CONF.format(port=self.port, home=self.home, anonymous=str(not self.users).lower())
        for name, value in self.options.items():
            conf += f"{name} {value}\n"
        if self.users:
            passwords = self.home / "passwords"
            passwords.write_text("".join(f"{u}:{p}\n" for u, p in self.users.items()))
            passwords.chmod(0o600)
            subprocess.run(["mosquitto_passwd", "-U", passwords], check=True)
            conf += f"password_file {passwords}\n"
        if os.geteuid() == 0:
            conf += "user root\n"  # else it gives up root, and its folder with it
        path = self.home / "mosquitto.conf"
        path.write_text(conf)
        self.process = subprocess.Popen(
            [found, "-c", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + READY_SECONDS
        while not self._answers():
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"mosquitto did not start:\n{self.log()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """SIGTERM, on which it writes its sessions to disk; returns when it is gone."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
        self.process = None

    def log(self) -> str:
        """The end of what it wrote."""
        path = self.home / "mosquitto.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else "no log"

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


@contextmanager
def mosquitto(users: Mapping[str, str] | None = None, **options: object) -> Iterator[Mosquitto]:
    """A broker until the block ends. `options` are lines of its configuration; with `users`, name
    and password, nobody else may connect.
    """
    with tempfile.TemporaryDirectory(prefix="twinfall-mosquitto-") as name:
        broker = Mosquitto(free_port(), Path(name), options, users or {})
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    """Run a broker in the foreground, until Ctrl-C."""
    if reason := unavailable_reason():
        sys.exit(reason)
    with tempfile.TemporaryDirectory(prefix="twinfall-mosquitto-") as name:
        broker = Mosquitto(1883, Path(name))
        broker.start()
        print("mosquitto listens on mqtt://127.0.0.1:1883; Ctrl-C stops it", flush=True)
        assert broker.process is not None
        try:
            broker.process.wait()
        except KeyboardInterrupt:
            broker.stop()


if __name__ == "__main__":
    main()
