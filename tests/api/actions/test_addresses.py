"""Where webhooks may go, against a corpus of hostile URLs and a server that must stay alone."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.api.actions.receiver import Receiver, delivery, receiver
from twinfall.api.actions.addresses import allowed_text, checked, is_public, target_of
from twinfall.api.actions.courier import PutOff
from twinfall.api.actions.webhook import Webhooks
from twinfall.ontology.errors import BadInput

NAMES = {
    # what a hostile name server could answer
    "local.attacker.example": ["127.0.0.1"],
    "both.attacker.example": ["8.8.8.8", "127.0.0.1"],
    "six.attacker.example": ["::1"],
    "mapped.attacker.example": ["::ffff:127.0.0.1"],
    "compatible.attacker.example": ["::127.0.0.1"],
    "sixtofour.attacker.example": ["2002:7f00:1::"],
    "teredo.attacker.example": ["2001:0:7f00:1::"],
    "nat64.attacker.example": ["64:ff9b::7f00:1"],
    "ula.attacker.example": ["fd00::1"],
    "link.attacker.example": ["fe80::1%lo"],
    "metadata.attacker.example": ["169.254.169.254"],
    "shared.attacker.example": ["100.64.0.1"],
    "broadcast.attacker.example": ["255.255.255.255"],
    "multicast.attacker.example": ["224.0.0.1"],
    "multicast6.attacker.example": ["ff02::1"],
    "nowhere.attacker.example": [],
    "nonsense.attacker.example": ["not an address"],
}
CORPUS = [
    # plain and private
    "http://example.com/",
    "https://127.0.0.1:{port}/",
    "https://localhost:{port}/",
    "https://127.1:{port}/",
    "https://0:{port}/",
    "https://0.0.0.0:{port}/",
    "https://2130706433:{port}/",
    "https://0x7f000001:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://127.0.0.1.:{port}/",
    "https://[::1]:{port}/",
    "https://[::]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[0:0:0:0:0:0:0:1]:{port}/",
    "https://[fe80::1%25lo]:{port}/",
    "https://[fd12:3456:789a::1]:{port}/",
    "https://10.0.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.100.100.200/",
    "https://198.18.0.1/",
    "https://203.0.113.9/",
    "https://240.0.0.1/",
    # other schemes
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_POST",
    "javascript:alert(1)",
    "//127.0.0.1:{port}/",
    "",
    # parts that programs read in different ways
    "https://example.com@127.0.0.1:{port}/",
    "https://user:word@example.com/",
    "https://127.0.0.1:{port}\\@example.com/",
    "https://example.com:{port}:80/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:443 /",
    "https://exa\r\nHost: internal\r\n.com/",
    "https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:{port}/",
    "https:///127.0.0.1:{port}/",
    "https://[::1:{port}/",
    "https://" + "a" * 3000 + ".example/",
    *(f"https://{name}:{{port}}/" for name in NAMES),
]


@pytest.fixture(scope="module")
def alone() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def resolve(host: str, port: int) -> list[str]:
    """Hostile names by the table, numbers as the system reads them, nothing else."""
    if host in NAMES:
        return NAMES[host]
    flags = 0 if host == "localhost" else socket.AI_NUMERICHOST
    return [str(e[4][0]) for e in socket.getaddrinfo(host, port, flags=flags)]


def never(address: tuple[str, int], seconds: float) -> socket.socket:
    raise AssertionError(f"connected to {address}")


def test_the_corpus_has_forty_urls_and_more() -> None:
    assert len(CORPUS) >= 40


@pytest.mark.parametrize("template", CORPUS)
def test_no_hostile_url_is_called(alone: Receiver, template: str) -> None:
    before = alone.connections
    webhooks = Webhooks(resolve=resolve, connect=never)
    with pytest.raises((BadInput, PutOff)):
        webhooks(delivery(template.replace("{port}", str(alone.port))))
    # And not with the system's own means either, where a number or local name is enough.
    if "attacker" not in template and "example" not in template:
        with pytest.raises((BadInput, PutOff)):
            Webhooks(seconds=1.0)(delivery(template.replace("{port}", str(alone.port))))
    assert alone.connections == before


def test_the_server_of_this_test_can_be_called_where_it_is_named(alone: Receiver) -> None:
    """So that the tests above are about the URLs, not about a server that nobody could reach."""
    before = alone.connections
    assert Webhooks([alone.named])(delivery(alone.url())).startswith("HTTP 200")
    assert alone.connections == before + 1


def test_a_name_is_resolved_once_and_that_address_is_called() -> None:
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    asked: list[str] = []
    called: list[tuple[str, int]] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    def connect(address: tuple[str, int], seconds: float) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError("as far as this test goes")

    with pytest.raises(PutOff):
        Webhooks(resolve=rebinding, connect=connect)(delivery("https://rebind.example/"))
    assert asked == ["rebind.example"]
    assert called == [("93.184.215.14", 443)]


def test_the_next_address_is_tried_where_one_refuses() -> None:
    called: list[str] = []

    def connect(address: tuple[str, int], seconds: float) -> socket.socket:
        called.append(address[0])
        raise ConnectionRefusedError("no")

    webhooks = Webhooks(resolve=lambda *_: ["8.8.8.8", "2606:4700::1111"], connect=connect)
    with pytest.raises(PutOff, match="no"):
        webhooks(delivery("https://two.example/"))
    assert called == ["8.8.8.8", "2606:4700::1111"]


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001::1"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)
    assert is_public(f"::ffff:{address}") if "." in address else True


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://hooks.local:8080/x", True),
        ("http://HOOKS.local:8080/x", True),
        ("https://hooks.local:8080/x", True),
        ("http://[fd00::1]:9000/", True),
        ("https://hooks.local:8081/x", False),
        ("https://hooks.local.attacker.example:8080/", False),
        ("https://hooks.local/", False),
    ],
)
def test_only_exactly_the_named_host_and_port_is_exempt(url: str, named: bool) -> None:
    allowed = [allowed_text("hooks.local:8080"), allowed_text("[FD00::1]:9000")]
    assert target_of(url, allowed).named is named


@pytest.mark.parametrize("text", ["hooks.local", "http://a:1", "a:b", "", "u@a:1", "a:1/x"])
def test_a_named_destination_is_a_host_and_a_port(text: str) -> None:
    with pytest.raises(ValueError, match=r"host:port|Port"):
        allowed_text(text)


def test_a_name_without_an_address_is_no_fault_of_the_url() -> None:
    """It may have one later."""
    with pytest.raises(OSError, match="no address"):
        checked(target_of("https://nowhere.example/", ()), lambda *_: [])


def test_what_is_shown_of_a_url_has_no_path() -> None:
    target = target_of("https://hooks.example/services/T0/secret?token=1", ())
    assert target.shown == "https://hooks.example:443"
