"""One webhook: what is sent, what counts as delivered, and what bounds it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.actions.receiver import Receiver, delivery, receiver, silent_port
from tests.servers.certificates import certificate
from twinfall.api.actions.courier import GiveUp, PutOff
from twinfall.api.actions.webhook import MAX_ANSWER, Webhooks


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def webhooks(server: Receiver, **more: object) -> Webhooks:
    return Webhooks([server.named], **more)  # type: ignore[arg-type]


def test_a_webhook_is_a_json_post_with_its_key(server: Receiver) -> None:
    answer = webhooks(server)(delivery(server.url("/hook?a=1"), {"n": 1}, "key-9"))
    got = server.received[-1]
    assert got.path == "/hook?a=1"
    assert got.json == {"n": 1}
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["Idempotency-Key"] == got.headers["webhook-id"] == "key-9"
    assert got.headers["Host"] == server.named
    assert "webhook-signature" not in got.headers
    assert answer == "HTTP 200 hello there"


@pytest.mark.parametrize(
    ("secret", "key"),
    [("plain words", b"plain words"), ("whsec_" + base64.b64encode(b"k" * 24).decode(), b"k" * 24)],
)
def test_a_secret_signs_as_standard_webhooks_does(
    server: Receiver, secret: str, key: bytes
) -> None:
    webhooks(server, secret=secret, clock=lambda: 1_700_000_000.9)(
        delivery(server.url(), {"n": 1}, "key-9")
    )
    got = server.received[-1]
    assert got.headers["webhook-timestamp"] == "1700000000"
    wanted = hmac.new(key, b"key-9.1700000000." + got.body, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == "v1," + base64.b64encode(wanted).decode()


@pytest.mark.parametrize("status", [500, 502, 503, 408, 425, 429])
def test_a_receiver_in_trouble_is_tried_later_as_it_asks(server: Receiver, status: int) -> None:
    with pytest.raises(PutOff, match=f"HTTP {status}") as told:
        webhooks(server)(delivery(server.url(f"/{status}")))
    assert told.value.after == 120.0


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
def test_a_refusal_is_final(server: Receiver, status: int) -> None:
    with pytest.raises(GiveUp, match=f"HTTP {status}"):
        webhooks(server)(delivery(server.url(f"/{status}")))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: Receiver, status: int) -> None:
    before = len(server.received)
    with pytest.raises(GiveUp, match="redirects are not followed"):
        webhooks(server)(delivery(server.url(f"/{status}")))
    assert len(server.received) == before + 1
    assert server.received[-1].path == f"/{status}"


def test_an_answer_that_drips_is_cut_off(server: Receiver) -> None:
    """Each byte comes long before any time-out between two bytes."""
    with pytest.raises(PutOff, match=r"no answer within 0\.5 s"):
        webhooks(server, seconds=0.5)(delivery(server.url("/drip")))


@pytest.mark.parametrize("path", ["/driphead", "/dripbody"])
def test_after_the_status_came_the_rest_is_not_waited_for_to_its_end(
    server: Receiver, path: str
) -> None:
    assert webhooks(server, seconds=0.5)(delivery(server.url(path))).startswith("HTTP 200")


def test_an_answer_that_never_comes_is_not_waited_for(server: Receiver) -> None:
    with pytest.raises(PutOff, match=r"no answer within 0\.3 s"):
        webhooks(server, seconds=0.3)(delivery(server.url("/silence")))


def test_a_handshake_that_never_ends_is_not_waited_for() -> None:
    with silent_port() as port:
        patient = Webhooks([f"127.0.0.1:{port}"], seconds=0.3)
        with pytest.raises(PutOff, match=r"no answer within 0\.3 s"):
            patient(delivery(f"https://127.0.0.1:{port}/"))


def test_a_name_that_is_never_resolved_is_not_waited_for(server: Receiver) -> None:
    def slow(host: str, port: int) -> list[str]:
        server.over.wait(1.0)
        return ["8.8.8.8"]

    with pytest.raises(PutOff, match=r"no answer within 0\.2 s"):
        Webhooks(resolve=slow, seconds=0.2)(delivery("https://slow.example/"))


def test_of_an_endless_answer_only_the_beginning_is_read(server: Receiver) -> None:
    answer = webhooks(server)(delivery(server.url("/big")))
    assert answer.startswith("HTTP 200 xxx")
    assert len(answer) < 300
    assert MAX_ANSWER == 65_536


def test_an_endless_head_is_not_read_to_its_end(server: Receiver) -> None:
    """Its status came first; nothing else of it matters."""
    assert webhooks(server)(delivery(server.url("/heads"))) == "HTTP 200"


def test_what_is_not_http_is_tried_later(server: Receiver) -> None:
    with pytest.raises(PutOff):
        webhooks(server)(delivery(server.url("/nonsense")))


def test_nobody_there_is_tried_later() -> None:
    with silent_port() as port:
        pass
    with pytest.raises(PutOff, match="refused"):
        Webhooks([f"127.0.0.1:{port}"])(delivery(f"http://127.0.0.1:{port}/"))


def test_https_checks_the_certificate(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    with receiver(files) as server:
        url = server.url(scheme="https")
        with pytest.raises(PutOff, match="certificate is not trusted"):
            webhooks(server)(delivery(url))
        assert server.received == []
        trust = ssl.create_default_context(cafile=files[0])
        assert webhooks(server, trust=trust)(delivery(url)).startswith("HTTP 200")


def test_https_checks_whose_certificate_it_is(tmp_path: Path) -> None:
    """The address is right, the name is not: whoever sits there is not who was named."""
    files = certificate(tmp_path)
    with receiver(files) as server:
        trust = ssl.create_default_context(cafile=files[0])
        known = Webhooks(
            [f"hooks.example:{server.port}"], resolve=lambda *_: ["127.0.0.1"], trust=trust
        )
        with pytest.raises(PutOff, match="certificate is not trusted"):
            known(delivery(f"https://hooks.example:{server.port}/"))
        assert server.received == []
