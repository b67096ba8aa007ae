"""Laws of scenarios, on plants drawn at random."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.whatif.test_what_if import Plant

IDS = ("A", "B", "C", "D", "E")
LINKS = st.lists(
    st.tuples(st.sampled_from(IDS), st.just("needs"), st.sampled_from(IDS)).filter(
        lambda link: link[0] != link[2]
    ),
    max_size=8,
    unique=True,
)
SOME = st.lists(st.sampled_from(IDS), max_size=3, unique=True)
PLANTS = settings(max_examples=25, deadline=None)


def _plant(links: list[tuple[str, str, str]]) -> Plant:
    return Plant({id_: {} for id_ in IDS}, links)


@PLANTS
@given(LINKS)
def test_an_empty_scenario_changes_nothing(links: list[tuple[str, str, str]]) -> None:
    found = _plant(links).what_if({})

    assert (found.newly_down, found.recovered, len(found.impact.affected())) == ((), (), 0)


@PLANTS
@given(LINKS, SOME, SOME)
def test_failing_more_never_recovers_anything(
    links: list[tuple[str, str, str]], some: list[str], more: list[str]
) -> None:
    plant = _plant(links)

    few, many = plant.what_if({"fail": some}), plant.what_if({"fail": [*some, *more]})

    assert set(few.newly_down) <= set(many.newly_down)
    assert few.recovered == many.recovered == ()


@PLANTS
@given(LINKS, SOME, st.integers(0, 7))
def test_what_is_added_and_removed_is_the_plant_that_was(
    links: list[tuple[str, str, str]], failed: list[str], pick: int
) -> None:
    """A plant without one relationship, to which a scenario adds it, answers as the whole one."""
    if not links:
        return
    source, name, target = one = links[pick % len(links)]
    link = {"source": source, "name": name, "target": target}
    whole, less = _plant(links), _plant([other for other in links if other != one])

    built = less.what_if({"fail": failed, "add": [link]})
    taken = whole.what_if({"fail": failed, "remove": [link]})

    assert built.impact.affected() == whole.assets.impact(failed).affected()
    assert taken.impact.affected() == less.assets.impact(failed).affected()
    assert built.assets.baseline_down == whole.assets.baseline_down
