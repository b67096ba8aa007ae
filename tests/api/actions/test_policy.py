"""The policy's file: what it may say, and that every mistake is told with its place."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinfall.api.actions.policy import (
    CallWebhook,
    Facts,
    OpenWorkOrder,
    SendCommand,
    SetDesired,
    When,
    filled,
    read_policy,
)
from twinfall.api.actions.policyfile import PolicyFile
from twinfall.api.demo.loading import POLICY
from twinfall.api.doctor import Sign, examine
from twinfall.api.settings import Settings
from twinfall.ontology.errors import BadSettings

FACTS = Facts(
    "raised",
    "warning",
    "watch:dtmi:a:Pump;1",
    "degraded",
    frozenset({"dtmi:a:Pump;1", "Pump", "dtmi:a:Asset;1", "Asset"}),
    3,
    200.0,
    {"twin": "P1", "model": "dtmi:a:Pump;1"},
)


def read(text: str, allowed: tuple[str, ...] = ()) -> Any:
    return read_policy(text.encode(), "policy.yaml", allowed)


def refusal(text: str) -> str:
    with pytest.raises(BadSettings) as told:
        read(text)
    assert told.value.path.startswith("policy.yaml")
    return told.value.message


def test_a_policy_is_read_whole() -> None:
    policy = read(
        """
        version: 1
        rules:
          - name: all of it
            once: alarm
            when: {event: cleared, model: Pump, severity: critical, source: watch, state: failed,
                   minAffected: 2, minCustomers: 1.5}
            do:
              - workOrder: {title: "{model} {twin}", priority: high}
              - webhook: https://hooks.example.com/a?b=c
              - command: {name: stop, twin: P2, payload: {a: [1]}, within: PT30S}
              - desired: {name: speed, value: null}
        """
    )
    [rule] = policy.rules
    assert rule.when == When("cleared", "Pump", "critical", "watch", "failed", 2, 1.5)
    assert rule.once == "alarm"
    assert rule.actions == (
        OpenWorkOrder("{model} {twin}", "high"),
        CallWebhook("https://hooks.example.com/a?b=c"),
        SendCommand("stop", "P2", {"a": [1]}, 30.0),
        SetDesired("speed", None),
    )


def test_what_is_left_out_asks_for_nothing() -> None:
    [rule] = read("{version: 1, rules: [{name: a, do: [{workOrder: {}}]}]}").rules
    assert rule.when == When()
    assert rule.when.holds(FACTS)
    assert rule.once == "incident"
    assert rule.actions == (OpenWorkOrder("{source}: {twin}", "normal"),)


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (When(model="Pump"), True),
        (When(model="dtmi:a:Asset;1"), True),
        (When(model="Tank"), False),
        (When(severity="info"), True),
        (When(severity="warning"), True),
        (When(severity="critical"), False),
        (When(source="watch"), True),
        (When(source="watch:dtmi:a:Pump;1"), True),
        (When(source="limits"), False),
        (When(state="degraded"), True),
        (When(state="failed"), False),
        (When(min_affected=3), True),
        (When(min_affected=4), False),
        (When(min_customers=200.0), True),
        (When(min_customers=200.5), False),
        (When(event="cleared"), False),
        (When(model="Pump", severity="critical"), False),
    ],
)
def test_a_rule_holds_where_all_of_it_holds(when: When, holds: bool) -> None:
    assert when.holds(FACTS) is holds
    assert when.holds(replace(FACTS, event="cleared")) is (when == When(event="cleared"))


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "/", "must have members"),
        ("rules: []", "/version", "must be 1"),
        ("{version: true, rules: [{name: a, do: [{workOrder: {}}]}]}", "/version", "must be 1"),
        ("{version: 2, rules: []}", "/rules", "list of 1 to"),
        ("{version: 1, ruls: []}", "/ruls", 'did you mean "rules"?'),
        ("{version: 1, rules: [{do: [{workOrder: {}}]}]}", "/rules/0/name", "a text"),
        ("{version: 1, rules: [{name: a}]}", "/rules/0/do", "list of 1 to"),
        ("{version: 1, rules: [{name: a, do: [{}]}]}", "/rules/0/do/0", "one of workOrder"),
        ("{version: 1, rules: [{name: a, do: [{mail: x}]}]}", "/rules/0/do/0/mail", "unknown"),
        (
            "{version: 1, rules: [{name: a, do: [{workOrder: {}, desired: {}}]}]}",
            "/rules/0/do/0",
            "one of",
        ),
        (
            "{version: 1, rules: [{name: a, when: {severity: bad}, do: [{workOrder: {}}]}]}",
            "/rules/0/when/severity",
            "info, warning, critical",
        ),
        (
            "{version: 1, rules: [{name: a, when: {minAffected: -1}, do: [{workOrder: {}}]}]}",
            "/rules/0/when/minAffected",
            "from 0",
        ),
        (
            "{version: 1, rules: [{name: a, when: {minAffected: yes}, do: [{workOrder: {}}]}]}",
            "/rules/0/when/minAffected",
            "from 0",
        ),
        (
            "{version: 1, rules: [{name: a, do: [{workOrder: {title: '{twinn}'}}]}]}",
            "/rules/0/do/0/workOrder/title",
            'did you mean "twin"?',
        ),
        (
            "{version: 1, rules: [{name: a, do: [{webhook: 'http://hooks.example.com'}]}]}",
            "/rules/0/do/0/webhook",
            "TWINFALL_WEBHOOK_ALLOW",
        ),
        (
            "{version: 1, rules: [{name: a, do: [{webhook: {url: x}}]}]}",
            "/rules/0/do/0/webhook",
            "must be a URL",
        ),
        (
            "{version: 1, rules: [{name: a, do: [{command: {name: b, within: soon}}]}]}",
            "/rules/0/do/0/command/within",
            "duration",
        ),
        (
            "{version: 1, rules: [{name: a, do: [{command: {twin: P1}}]}]}",
            "/rules/0/do/0/command/name",
            "a text",
        ),
        (
            "{version: 1, rules: [{name: a, do: [{desired: {name: b}}]}]}",
            "/rules/0/do/0/desired",
            "`value` is missing",
        ),
        (
            "{version: 1, rules: [{name: a, do: [{workOrder: {}}]}, {name: a, do: [{workOrder: "
            "{}}]}]}",
            "/rules/1/name",
            "already",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_cure(text: str, place: str, message: str) -> None:
    told = refusal(text)
    assert place in told
    assert message in told


def test_all_mistakes_are_told_at_once_with_their_lines() -> None:
    told = refusal("version: 1\nrules:\n  - nam: a\n    do:\n      - webhook: file:///x\n")
    assert "/rules/0/nam (line 3)" in told
    assert "/rules/0/do/0/webhook (line 5)" in told


@pytest.mark.parametrize("text", ["a: [", "a: &x 1\nb: *x", "!!python/object:os.system {}", "\0"])
def test_what_is_no_plain_yaml_is_refused(text: str) -> None:
    with pytest.raises(BadSettings):
        read(text)


def test_a_huge_file_is_refused() -> None:
    assert "larger" in refusal("#" * 1_000_001)


def test_a_named_destination_may_be_plain_and_private() -> None:
    text = "{version: 1, rules: [{name: a, do: [{webhook: 'http://127.0.0.1:9/x'}]}]}"
    assert read(text, ("127.0.0.1:9",)).rules
    assert "not encrypted" in refusal(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "version": st.just(1) | _JSON,
        "rules": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "name": _JSON,
                    "once": _JSON,
                    "when": st.dictionaries(
                        st.sampled_from(["model", "severity", "minAffected", "event"]), _JSON
                    ),
                    "do": st.lists(
                        st.dictionaries(
                            st.sampled_from(["workOrder", "webhook", "command", "desired"]),
                            _JSON
                            | st.dictionaries(
                                st.sampled_from(["name", "twin", "title", "value", "within"]),
                                _JSON,
                            ),
                        )
                    ),
                },
            )
        )
        | _JSON,
    },
)


@settings(max_examples=150, deadline=None)
@given(_JSON | _SHAPED)
def test_whatever_stands_in_the_file_is_a_policy_or_a_bad_setting(content: Any) -> None:
    try:
        policy = read(json.dumps(content))
    except BadSettings:
        return
    policy.matching(FACTS)


def test_braces_are_filled_with_values_and_never_with_more() -> None:
    values = {"twin": "{model}", "model": "M"}
    assert filled("{twin} {model} {other} {", values) == "{model} M {other} {"


def test_a_file_that_is_not_there_is_an_empty_policy_unless_it_was_named(tmp_path: Path) -> None:
    path = tmp_path / "twinfall.policy.yaml"
    assert PolicyFile(path).current().rules == ()
    with pytest.raises(BadSettings, match="no such file"):
        PolicyFile(path, named=True)


def test_a_policy_that_appears_later_is_read(tmp_path: Path) -> None:
    path = tmp_path / "twinfall.policy.yaml"
    file = PolicyFile(path)
    path.write_text("{version: 1, rules: [{name: a, do: [{workOrder: {}}]}]}")
    assert len(file.current().rules) == 1
    path.unlink()
    assert file.current().rules == ()


def test_a_bad_file_at_the_start_stops_it(tmp_path: Path) -> None:
    path = tmp_path / "twinfall.policy.yaml"
    path.write_text("version: 7")
    with pytest.raises(BadSettings, match="must be 1"):
        PolicyFile(path)


def test_the_demos_policy_is_one() -> None:
    text = files("twinfall.api.demo").joinpath(POLICY).read_bytes()
    assert len(read_policy(text, POLICY).rules) == 2


def test_the_policy_on_the_page_is_one() -> None:
    page = Path(__file__).parents[3] / "docs" / "actions.md"
    [text] = re.findall(r"```yaml\n(version: 1\n.*?)```", page.read_text(), re.DOTALL)
    assert [len(rule.actions) for rule in read(text).rules] == [2, 1, 1]


def test_doctor_looks_at_the_policy(tmp_path: Path) -> None:
    def policy() -> Sign:
        settings = Settings(dir=tmp_path / "data", policy=str(tmp_path / "policy.yaml"))
        signs = {sign.what: sign for sign in examine(settings, datetime.now(UTC))}
        return signs["policy"]

    assert (policy().state, policy().found.endswith("there is no such file")) == ("fail", True)
    (tmp_path / "policy.yaml").write_text("{version: 1, rules: [{name: a, do: [{workOrder: {}}]}]}")
    assert (policy().state, policy().found[:7]) == ("ok", "1 rules")
