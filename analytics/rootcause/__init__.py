"""Root cause: given the assets in alarm, the failures that explain them best."""

from twinfall.analytics.rootcause.diagnosing import Diagnosis, diagnose, explain
from twinfall.analytics.rootcause.explanation import Check, Explanation
from twinfall.analytics.rootcause.listening import monitored
from twinfall.analytics.rootcause.seen import Odds, Seen

__all__ = ["Check", "Diagnosis", "Explanation", "Odds", "Seen", "diagnose", "explain", "monitored"]
