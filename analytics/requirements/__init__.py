"""Requirements as code: what a plant must withstand, read from a file and checked."""

from twinfall.analytics.requirements.assuming import Assumed, assuming
from twinfall.analytics.requirements.checking import check
from twinfall.analytics.requirements.reading import BadRequirements, read_requirements
from twinfall.analytics.requirements.report import (
    Finding,
    Path,
    Report,
    Verdict,
    Witness,
    as_json,
    finding_json,
)
from twinfall.analytics.requirements.requirement import Requirement, Requirements
from twinfall.analytics.requirements.throughout import check_throughout
from twinfall.analytics.requirements.twins import GraphTwins, Twins
from twinfall.analytics.requirements.vocabulary import Vocabulary

__all__ = [
    "Assumed",
    "BadRequirements",
    "Finding",
    "GraphTwins",
    "Path",
    "Report",
    "Requirement",
    "Requirements",
    "Twins",
    "Verdict",
    "Vocabulary",
    "Witness",
    "as_json",
    "assuming",
    "check",
    "check_throughout",
    "finding_json",
    "read_requirements",
]
