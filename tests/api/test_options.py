"""Options of commands: what is wrong with one is wrong usage, and told with what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.running import twinfall


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (("impact", "P1", "--horizon", "5h"), ("--horizon", "'5h'", "PT90S")),
        (("impact", "P1", "--horizon=-PT5H"), ("--horizon", "'-PT5H' is negative")),
        (("rootcause", "P1", "--skew", "P1Y"), ("--skew", "'P1Y' counts years")),
        (("criticality", "--by", "bogus"), ("--by", "'bogus'", "'customers'")),
        (("impact", "P1", "--list", "waves"), ("--list", "--csv", "waves")),
        (("whatif", "dark.yaml", "--list", "outages"), ("--list", "--geojson", "outages")),
    ],
)
def test_an_option_with_a_wrong_value_is_named_with_it_and_what_is_right(
    tmp_path: Path, ask: tuple[str, ...], says: tuple[str, ...]
) -> None:
    done = twinfall(tmp_path, *ask)

    told = " ".join(done.err.replace("│", " ").split())
    assert done.status == 2
    assert [one for one in says if one not in told] == []
