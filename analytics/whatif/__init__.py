"""What if: a plant changed in thought, asked, and compared with the plant as it is."""

from twinfall.analytics.whatif.outcome import Expected, Outcome, what_if
from twinfall.analytics.whatif.scenario import BadScenario, Scenario, read_scenario

__all__ = ["BadScenario", "Expected", "Outcome", "Scenario", "read_scenario", "what_if"]
