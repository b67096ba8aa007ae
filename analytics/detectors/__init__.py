"""Whether an asset behaves as it did when all was well: detectors learned per model type."""

from twinfall.analytics.detectors.detector import Column, Detector, Driver, Flock
from twinfall.analytics.detectors.files import load, save
from twinfall.analytics.detectors.fitting import Recipe, fit
from twinfall.analytics.detectors.normal import Normal
from twinfall.analytics.detectors.table import Table

__all__ = [
    "Column",
    "Detector",
    "Driver",
    "Flock",
    "Normal",
    "Recipe",
    "Table",
    "fit",
    "load",
    "save",
]
