"""Models of cascades behind one Protocol; docs/models.md says which answers what."""

from twinfall.analytics.models.cascade import CascadeModel, Course
from twinfall.analytics.models.dependency import DependencyCascade
from twinfall.analytics.models.flow import DCFlow, State
from twinfall.analytics.models.grid import Grid, read_grid
from twinfall.analytics.models.load import LocalSharing, MotterLai
from twinfall.analytics.models.percolation import largest_parts, robustness
from twinfall.analytics.models.power import PowerCascade, Trip
from twinfall.analytics.models.reading import from_pandapower, read

__all__ = [
    "CascadeModel",
    "Course",
    "DCFlow",
    "DependencyCascade",
    "Grid",
    "LocalSharing",
    "MotterLai",
    "PowerCascade",
    "State",
    "Trip",
    "from_pandapower",
    "largest_parts",
    "read",
    "read_grid",
    "robustness",
]
