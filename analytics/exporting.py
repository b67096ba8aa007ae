"""Every list that the cascade answers with, as a table for other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

from twinfall.analytics.tables import Row, Table
from twinfall.ontology.errors import Refused

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork
    from twinfall.analytics.criticality import Critical, Criticality, Ints, Order
    from twinfall.analytics.cutsets import CutSets
    from twinfall.analytics.explaining import AssetImpact
    from twinfall.analytics.rootcause import Diagnosis
    from twinfall.analytics.whatif import Outcome

ImpactList = Literal[
    "affected", "waves", "services", "nearMisses", "notEvaluated", "baselineDown"
]  # fmt: skip
IMPACT_LISTS: tuple[ImpactList, ...] = get_args(ImpactList)
AFFECTED = (
    *("id", "from", "to", "level", "wave", "at", "group", "votes", "cause", "path"),
    *("minimalCauses", "spof"),
)
CRITICAL = (
    *("rank", "id", "assets", "customers", "value", "expected", "failureRate"),
    "repairTime",
)
EXPLANATION = (
    *("rank", "roots", "probability", "score", "gain", "began"),
    *("explained", "silent", "unexplained"),
)
LOWER = "ask for a lower order"
FARTHER = "choose a shorter horizon, or fewer assets"


def impact_table(impact: AssetImpact, name: ImpactList = "affected") -> Table:
    """One list of an impact. Times are in seconds after the failure."""
    return _IMPACT[name](impact)


def _affected(impact: AssetImpact) -> Table:
    """The failed ones as wave 0, then all affected in order."""

    def rows() -> Iterator[Row]:
        ids = impact.assets.ids
        for position in impact.impact.failed.tolist():
            id_ = ids[position]
            before = impact.assets.state(id_)
            blank = (None,) * (len(AFFECTED) - 6)  # what failed by itself needs no reason
            yield Row((id_, before, "failed", None, 0, 0.0, *blank), (id_,))
        for start in range(0, impact.count, _BATCH):
            for row in impact.affected(start, start + _BATCH):
                told = (row.id, row.before, row.to, row.level, row.wave, row.at, row.group)
                why = (row.votes, row.cause, " > ".join(row.path), row.minimal_causes, row.spof)
                yield Row((*told, *why), (row.id,))

    count = len(impact.impact.failed) + impact.count
    return _of_impact(impact, "affected", AFFECTED, count, rows)


def _waves(impact: AssetImpact) -> Table:
    def rows() -> Iterator[Row]:
        return (Row((one.wave, one.at, one.count)) for one in impact.waves)

    columns = ("wave", "at", "count")
    return Table("waves", impact.snapshot, columns, len(impact.waves), rows, cure=FARTHER)


def _services(impact: AssetImpact) -> Table:
    services = impact.totals.services

    def rows() -> Iterator[Row]:
        return (Row((one.name, one.count)) for one in services)

    return Table("services", impact.snapshot, ("name", "count"), len(services), rows)


def _near_misses(impact: AssetImpact) -> Table:
    def rows() -> Iterator[Row]:
        return (
            Row((m.id, m.group, m.margin, m.would_fail_if, m.until), (m.id,)) for m in impact.near
        )

    columns = ("id", "group", "margin", "wouldFailIf", "until")
    return _of_impact(impact, "nearMisses", columns, len(impact.near), rows)


def _not_evaluated(impact: AssetImpact) -> Table:
    def rows() -> Iterator[Row]:
        return (Row((one.id, one.reason), (one.id,)) for one in impact.not_evaluated)

    count = len(impact.not_evaluated)
    return _of_impact(impact, "notEvaluated", ("id", "reason"), count, rows)


def _of_impact(
    impact: AssetImpact,
    name: ImpactList,
    columns: tuple[str, ...],
    count: int,
    rows: Callable[[], Iterator[Row]],
) -> Table:
    return Table(name, impact.snapshot, columns, count, rows, impact.assets, cure=FARTHER)


_BATCH = 1_000
_IMPACT: Mapping[ImpactList, Callable[[AssetImpact], Table]] = {
    "affected": _affected,
    "waves": _waves,
    "services": _services,
    "nearMisses": _near_misses,
    "notEvaluated": _not_evaluated,
    "baselineDown": lambda impact: ids_table(impact.assets, "baselineDown", impact.baseline_down),
}


def ids_table(assets: AssetNetwork, name: str, ids: Sequence[str]) -> Table:
    """A list that is nothing but ids."""

    def rows() -> Iterator[Row]:
        return (Row((id_,), (id_,)) for id_ in ids)

    return Table(name, assets.snapshot, ("id",), len(ids), rows, assets)


def ranking_table(
    assets: AssetNetwork, ranking: Criticality, by: Order = "assets", among: Ints | None = None
) -> Table:
    """The whole ranking; repair times in seconds."""
    _, count = ranking.page(by, 0, 0, among)

    def rows() -> Iterator[Row]:
        found, _ = ranking.page(by, 0, count, among)
        return (Row(_critical(one), (one.id,)) for one in found)

    cure = "rank one model at a time"
    return Table("criticality", ranking.snapshot, CRITICAL, count, rows, assets, cure=cure)


def _critical(one: Critical) -> tuple[object, ...]:
    return (
        *(one.rank, one.id, one.assets, one.customers, one.value, one.expected),
        *(one.failure_rate, one.repair_time),
    )


def cut_sets_table(assets: AssetNetwork, found: CutSets) -> Table:
    """All sets, each with the way it takes. Raises Refused (TOO_COSTLY) if not all were found."""
    if not found.complete:
        raise Refused(
            f"the search ended after {found.tried:,} sets had been tried: the list is not whole",
            code="TOO_COSTLY",
            path="spof",
            cure=LOWER,
        )

    def rows() -> Iterator[Row]:
        for cut in found.every():
            members = tuple(assets.ids[m] for m in cut.members)
            path = tuple(assets.ids[p] for p in cut.path)
            yield Row((len(members), members, " > ".join(path)), members, path)

    columns = ("order", "members", "path")
    return Table(
        "spof", assets.snapshot, columns, found.total, rows, assets, single=False, cure=LOWER
    )


def likeliest_table(outcome: Outcome) -> Table:
    """Of a hazard: the assets that are likeliest down, with the standard error."""
    likeliest = outcome.expected.likeliest if outcome.expected else ()

    def rows() -> Iterator[Row]:
        return (Row((one.id, one.probability, one.error), (one.id,)) for one in likeliest)

    columns = ("id", "probability", "error")
    return Table("likeliest", outcome.snapshot, columns, len(likeliest), rows, outcome.assets)


def outages_table(outcome: Outcome) -> Table:
    """Of a scenario's timeline: from when until when assets are down, in seconds after it."""
    found = outcome.timeline.outages

    def rows() -> Iterator[Row]:
        told = ((one.id, one.begin, one.until, one.customers, one.value) for one in found)
        return (Row(cells, (cells[0],)) for cells in told)

    columns = ("id", "begin", "until", "customers", "value")
    return Table("outages", outcome.snapshot, columns, len(found), rows, outcome.assets)


def explanations_table(assets: AssetNetwork, found: Diagnosis) -> Table:
    """Explanations of alarms, the likeliest first; `began` in seconds since 1970."""

    def rows() -> Iterator[Row]:
        for one in found.explanations:
            told = (one.rank, one.roots, one.probability, one.score, one.gain, one.began)
            seen = (one.explained, one.silent, one.unexplained)
            yield Row((*told, *seen), one.roots)

    return Table(
        "rootCause", found.snapshot, EXPLANATION, len(found.explanations), rows, assets,
        single=False, cure="ask for fewer ranks",
    )  # fmt: skip


def records_table(
    name: str, snapshot: str, columns: tuple[str, ...], records: Sequence[Mapping[str, object]]
) -> Table:
    """Records by column, which have no place."""

    def rows() -> Iterator[Row]:
        return (Row(tuple(one[column] for column in columns)) for one in records)

    return Table(name, snapshot, columns, len(records), rows)
