"""What if: a plant changed in thought, asked, and compared with the plant as it is."""

from twinfall.analytics.whatif.comparing import Compared, compare
from twinfall.analytics.whatif.outcome import Expected, Outcome, what_if
from twinfall.analytics.whatif.scenario import BadScenario, Scenario, read_scenario

__all__ = [
    "BadScenario",
    "Compared",
    "Expected",
    "Outcome",
    "Scenario",
    "compare",
    "read_scenario",
    "what_if",
]
