"""Twinfall: a digital-twin graph service that computes what fails next.

The rooms are `twinfall.ontology`, `twinfall.graph`, `twinfall.ingestion`, `twinfall.analytics`
and `twinfall.api`; each is a folder at the top of the repository.
"""

__version__ = "0.1.0"
