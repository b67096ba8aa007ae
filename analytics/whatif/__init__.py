"""What if: a plant changed in thought, asked, and compared with the plant as it is."""

from twinfall.analytics.whatif.comparing import Compared, compare
from twinfall.analytics.whatif.outcome import Expected, Outcome, what_if
from twinfall.analytics.whatif.scenario import BadScenario, Scenario, read_scenario
from twinfall.analytics.whatif.unfolding import Event, Outage, Point, Unfolding, Unserved

__all__ = [
    "BadScenario",
    "Compared",
    "Event",
    "Expected",
    "Outage",
    "Outcome",
    "Point",
    "Scenario",
    "Unfolding",
    "Unserved",
    "compare",
    "read_scenario",
    "what_if",
]
