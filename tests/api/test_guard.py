from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from twinfall.api.access import LOCAL, Access
from twinfall.api.guard import FAILURES_PER_MINUTE, MAX_ADDRESSES, Guard, Rules, host_name, is_local
from twinfall.api.keys import Keys
from twinfall.ontology.errors import Refused

NOW = datetime(2026, 1, 2, tzinfo=UTC)
HERE = {"host": "localhost:8000"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def guard(folder: Path, rules: Rules, clock: Clock | None = None) -> Guard:
    return Guard(Keys(folder), rules, clock or Clock())


def refusal(guarded: Guard, headers: dict[str, str], address: str = "10.0.0.1") -> str:
    with pytest.raises(Refused) as refused:
        guarded.admit(headers, address)
    return refused.value.code


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "LocalHost.:80"])
def test_without_keys_this_machine_is_admin(tmp_path: Path, host: str) -> None:
    assert guard(tmp_path, Rules("127.0.0.1")).admit({"host": host}, "127.0.0.1") == LOCAL


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[", "a@b:1"]
)
def test_a_name_rebound_to_this_machine_is_refused(tmp_path: Path, host: str) -> None:
    assert refusal(guard(tmp_path, Rules("127.0.0.1")), {"host": host}) == "FORBIDDEN"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "http://localhost:3000", "file://localhost:8000"]
)
def test_a_foreign_page_is_refused(tmp_path: Path, origin: str) -> None:
    headers = HERE | {"origin": origin}

    assert refusal(guard(tmp_path, Rules("127.0.0.1")), headers) == "FORBIDDEN"


def test_our_own_page_and_listed_origins_may_ask(tmp_path: Path) -> None:
    rules = Rules("127.0.0.1", origins=frozenset({"http://localhost:3000"}))

    for origin in ("http://localhost:8000", "http://localhost:3000"):
        assert guard(tmp_path, rules).admit(HERE | {"origin": origin}, "127.0.0.1") == LOCAL


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_a_proxy_does_not_make_strangers_local(tmp_path: Path, header: str) -> None:
    headers = HERE | {header: "203.0.113.5"}

    assert refusal(guard(tmp_path, Rules("127.0.0.1")), headers) == "FORBIDDEN"


def test_with_a_key_nobody_comes_in_without_one(tmp_path: Path) -> None:
    key = Keys(tmp_path).create("a", "viewer", NOW)
    guarded = guard(tmp_path, Rules("127.0.0.1"))

    assert refusal(guarded, HERE) == "UNAUTHENTICATED"
    for headers in (
        {"authorization": f"Bearer {key}"},
        {"authorization": f"bearer {key}"},
        {"authorization": f"Token {key}"},
        {"x-api-key": key},
    ):
        assert guarded.admit(headers, "10.0.0.1") == Access("a", "viewer")


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Bearer tw_\u00e9", "x" * 100_000]
)
def test_a_bad_key_is_unauthenticated(tmp_path: Path, shown: str) -> None:
    Keys(tmp_path).create("a", "viewer", NOW)

    headers = {"authorization": shown}
    assert refusal(guard(tmp_path, Rules("0.0.0.0")), headers) == "UNAUTHENTICATED"


def test_even_insecure_servers_ask_for_keys_once_there_are_some(tmp_path: Path) -> None:
    guarded = guard(tmp_path, Rules("0.0.0.0", insecure=True))
    assert guarded.admit({"host": "any"}, "10.0.0.1") == LOCAL

    Keys(tmp_path).create("a", "viewer", NOW)

    assert refusal(guarded, {"host": "any"}) == "UNAUTHENTICATED"


def test_revoking_the_last_key_does_not_open_a_server_to_the_network(tmp_path: Path) -> None:
    Keys(tmp_path).create("a", "admin", NOW)
    guarded = guard(tmp_path, Rules("0.0.0.0"))

    Keys(tmp_path).revoke("a")

    assert refusal(guarded, HERE) == "UNAUTHENTICATED"


def test_too_many_wrong_keys_are_told_to_wait_and_right_ones_still_pass(tmp_path: Path) -> None:
    clock = Clock()
    key = Keys(tmp_path).create("a", "viewer", NOW)
    guarded = guard(tmp_path, Rules("0.0.0.0"), clock)
    wrong = {"x-api-key": "tw_wrong"}

    codes = [refusal(guarded, wrong) for _ in range(FAILURES_PER_MINUTE + 1)]

    assert set(codes[:-1]) == {"UNAUTHENTICATED"}
    assert codes[-1] == "RATE_LIMITED"
    assert guarded.admit({"x-api-key": key}, "10.0.0.1").name == "a"
    assert refusal(guarded, wrong, "10.0.0.2") == "UNAUTHENTICATED"
    clock.now = 61.0
    assert refusal(guarded, wrong) == "UNAUTHENTICATED"


def test_what_is_remembered_of_failures_is_bounded(tmp_path: Path) -> None:
    Keys(tmp_path).create("a", "viewer", NOW)
    guarded = guard(tmp_path, Rules("0.0.0.0"))

    for number in range(MAX_ADDRESSES + 50):
        refusal(guarded, {"x-api-key": "no"}, f"address {number}")

    assert len(guarded._failures) == MAX_ADDRESSES


def test_which_addresses_are_this_machine() -> None:
    assert [is_local(h) for h in ("localhost", "127.0.0.1", "127.9.9.9", "::1")] == [True] * 4
    assert [is_local(h) for h in ("0.0.0.0", "::", "10.0.0.1", "example.org", "")] == [False] * 5
    assert host_name("[::1]:80") == "::1"
