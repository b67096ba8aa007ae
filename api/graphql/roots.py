"""The root fields of queries: each is answered by one store call.

Everything here blocks and runs in a worker thread. An impact needs no store call but for the
twins it names; `_impact` on fetched twins adds one call for those of all rows together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import time_ns
from typing import Any, get_args

from graphql import DocumentNode

from twinfall.analytics import AssetNetwork, Reason, State
from twinfall.api.access import Access
from twinfall.api.actions.actions import Actions
from twinfall.api.graphql import (
    actions,
    catalogue,
    connections,
    criticality,
    impacts,
    letters,
    linting,
    mutations,
    outcomes,
    requirements,
    rootcauses,
    scenarios,
    states,
    watches,
)
from twinfall.api.graphql.compiler import Compiler
from twinfall.api.graphql.conditions import Conditions
from twinfall.api.graphql.execution import Projected
from twinfall.api.graphql.fixed import TWIN
from twinfall.api.graphql.periods import MAX_AGGREGATED, Readings, Source
from twinfall.api.graphql.planning import PagePlan, Shaping, TwinPlan
from twinfall.api.graphql.schema import GraphSchema
from twinfall.api.graphql.selection import Mention, Selections
from twinfall.api.lookout import Lookout
from twinfall.api.networks import OneMoment
from twinfall.api.requirements.keeper import Keeper
from twinfall.api.states import States
from twinfall.graph.graph import Graph
from twinfall.graph.models import Models
from twinfall.graph.plan import Condition, Fetch, Ids, Not, Page, Row, RowPage
from twinfall.ontology.errors import Refused, Unavailable, UnknownTwin

MAX_IN_STATE = 50_000
"""Ids that a filter on state may stand for."""
MAX_NAMED_TWINS = 10_000
"""Twins that the impacts of one root field may name."""
MAX_TRIES = 3
"""Attempts at a question whose twins were deleted while it was answered."""
_STATES: tuple[State, ...] = get_args(State)
_RECORDED = {
    **actions.QUERIES,
    **states.QUERIES,
    **letters.QUERIES,
    **requirements.QUERIES,
    **rootcauses.QUERIES,
    **criticality.QUERIES,
    **scenarios.QUERIES,
    **linting.QUERIES,
}


@dataclass(slots=True)
class Asking:
    """One request: what it asks, who asks, and whom."""

    document: DocumentNode
    access: Access
    request_id: str
    graph: Graph
    models: Models
    schema: GraphSchema
    networks: OneMoment
    lookout: Lookout | None = None
    actions: Actions | None = None
    states: States | None = None
    telemetry: Source | None = None
    keeper: Keeper | None = None


class Moved(Exception):
    """A twin that an impact names is gone: the graph was written meanwhile."""


def answer(info: Any) -> Projected:
    """Answer one root field."""
    asking: Asking = info.context
    tries = 1
    while True:
        try:
            return Projected(_Root(asking, info).answer())
        except Moved:
            if tries == MAX_TRIES:
                raise Unavailable(
                    "the graph is changing too fast for this question", cure="ask again"
                ) from None
            asking.networks.let_go()
            tries += 1


class _Root:
    def __init__(self, asking: Asking, info: Any) -> None:
        self._asking = asking
        self._type = asking.schema.shapes.types[info.parent_type.name]
        self._field = self._type.fields[info.field_name]
        nodes = info.field_nodes
        self._mention = Mention(
            str(info.path.key),
            info.field_name,
            nodes[0],
            tuple(n.selection_set for n in nodes if n.selection_set is not None),
        )
        self._network: AssetNetwork | None = None
        self.impact = impacts.ImpactMaker(self._current)
        selections = Selections(info.fragments, info.variable_values)
        models = asking.models
        self._readings = Readings(asking.telemetry, time_ns)
        conditions = Conditions(
            asking.schema.shapes, models, self._in_state, self._readings.passing
        )
        self.compiler = Compiler(
            asking.schema, models.ontology, selections, conditions, self.impact
        )
        self.arguments = self.compiler.arguments(self._type, self._field, self._mention)

    def answer(self) -> Any:
        """The finished answer of the field."""
        name = self._field.name
        if self._type.name == "Mutation":
            self._asking.networks.let_go()  # of before the writes that came first
            plain = mutations.write(self._asking, name, self.arguments)
            return catalogue.plain(self.compiler, self._field.type_name, self._mention.below)(plain)
        recorded = _RECORDED.get(name)
        if recorded is not None:
            return self._recorded(*recorded)
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self)
        return self._typed()

    # -- kinds of root fields -------------------------------------------------------------

    def twin(self) -> Any:
        """One twin or component by id; None where there is none."""
        plan = TwinPlan()
        shape = self.compiler.twin(TWIN, self._mention.below, plan)
        page = Page(first=1, where=Ids((self.arguments["id"],)))
        rows = self._asking.graph.fetch(Fetch(page, plan.select(), components=True)).rows
        if not rows:
            return None
        shaping = self._shaping()
        found = shape(rows[0], shaping)
        self._fill(shaping)
        return found

    def twins(self) -> Any:
        """Twins of every model, or of one family."""
        model = self.arguments.get("model")
        family = None if model is None else self.compiler.conditions.family(model)
        return self._connection(family, bool(self.arguments.get("components")))

    def _typed(self) -> Any:
        """Twins of one family; components too, for people ask for pumps wherever they sit."""
        dtmi = self._asking.schema.shapes.roots[self._field.name]
        return self._connection(self.compiler.conditions.family(dtmi), True)

    def _connection(self, family: Condition | None, components: bool) -> Any:
        page, plan, shape = connections.twins(
            self.compiler, self._field, self.arguments, self._mention
        )
        page.where = connections.both(family, page.where)
        rows = self._asking.graph.fetch(Fetch(page.page(), plan.select(), components))
        self._readings.found = partial(self._found, page, rows, components)
        shaping = self._shaping()
        found = shape(rows, shaping)
        self._fill(shaping)
        return found

    def _found(self, page: PagePlan, rows: RowPage, components: bool) -> Sequence[str]:
        """All twins that the page is a page of: those on it, or those of one more store call."""
        if page.rows and page.after is None and not rows.more:
            return [row.id for row in rows.rows]
        every = Page(MAX_AGGREGATED, where=page.where)
        found = self._asking.graph.fetch(Fetch(every, TwinPlan().select(), components))
        if found.more:
            raise Refused(
                f"there are more than {MAX_AGGREGATED} such twins, too many for one line",
                code="TOO_COSTLY",
                cure="narrow the query with `where`",
            )
        return [row.id for row in found.rows]

    def impact_of(self) -> Any:
        """What else fails when these fail."""
        below = impacts.compile_impact(self.compiler, self._mention.below)
        shaping = self._shaping()
        impact = self.impact.of(self.arguments["failed"], self.arguments.get("horizon"))
        found = below(impact, shaping)
        self._fill(shaping)
        return found

    def what_if(self) -> Any:
        """What a scenario comes to."""
        below = outcomes.compile_what_if(self.compiler, self._mention.below)
        shaping = self._shaping()
        told = outcomes.answer(self._asking)(scenarios.asked_for(self._asking, self.arguments))
        self._network = told.assets  # states are those of the scenario
        found = below(told, shaping)
        self._fill(shaping)
        return found

    def models(self) -> Any:
        """Every loaded interface."""
        shape = catalogue.plain(self.compiler, "Model", self._mention.below)
        return [shape(one) for one in catalogue.models(self._asking)]

    def detectors(self) -> Any:
        """What the learned watch knows."""
        shape = catalogue.plain(self.compiler, "Detector", self._mention.below)
        return [shape(one) for one in watches.detectors(self._asking.lookout)]

    def service(self) -> Any:
        """What this service is and holds."""
        shape = catalogue.plain(self.compiler, "Service", self._mention.below)
        return shape(catalogue.service(self._asking))

    def _recorded(self, type_name: str, ask: Callable[[Asking, Any], Any]) -> Any:
        """Alarms, work orders, deliveries, the audit, what was said of states."""
        shape = catalogue.plain(self.compiler, type_name, self._mention.below)
        found = ask(self._asking, self.arguments)
        return [shape(one) for one in found] if isinstance(found, list) else shape(found)

    # -- shaping --------------------------------------------------------------------------

    def _shaping(self) -> Shaping:
        health = watches.health(self._asking.lookout)
        return Shaping(self._state, self._reason, health, self._readings)

    def _state(self, id_: str) -> str:
        """One moment's state for the whole answer; `unknown` for what was written after it."""
        try:
            return self._current().state(id_)
        except UnknownTwin:
            return "unknown"

    def _reason(self, id_: str) -> Mapping[str, Any] | None:
        try:
            found = self._current().reason(id_)
        except UnknownTwin:
            message = "it was written while the question was answered"
            return states.reason(Reason("notEvaluated", message))
        own = self._asking.states
        return states.reason(found if found is not None or own is None else own.live.reason(id_))

    def _current(self) -> AssetNetwork:
        if self._network is None:
            self._network = self._asking.networks.current()
        return self._network

    def _fill(self, shaping: Shaping) -> None:
        """Fetch the twins that impacts named, if any, in one call; then read all histories."""
        self._fill_twins(shaping)
        self._readings.fill()

    def _fill_twins(self, shaping: Shaping) -> None:
        plan = self.compiler.impact_twins
        if not shaping.waiting or plan is None:
            return
        ids = tuple(dict.fromkeys(id_ for id_, _ in shaping.waiting))
        if len(ids) > MAX_NAMED_TWINS:
            raise Refused(
                f"the answer names {len(ids)} twins, at most {MAX_NAMED_TWINS} go into one",
                code="TOO_COSTLY",
                cure="take smaller pages of `affected`, or leave out `path`",
            )
        page = Page(first=len(ids), where=Ids(ids))
        rows = self._asking.graph.fetch(Fetch(page, plan.select(), components=True)).rows
        by_id: dict[str, Row] = {row.id: row for row in rows}
        if len(by_id) < len(ids):
            raise Moved
        shaping.fill(by_id)

    def _in_state(self, asked: Sequence[State]) -> Condition:
        """The twins in these states, or all but those in the others, whichever is shorter."""
        network = self._current()
        wanted = {state: network.ids_in_state(state) for state in asked}
        if sum(map(len, wanted.values())) <= MAX_IN_STATE:
            return Ids(tuple(id_ for ids in wanted.values() for id_ in ids))
        others = [network.ids_in_state(state) for state in _STATES if state not in wanted]
        if sum(map(len, others)) <= MAX_IN_STATE:
            return Not(Ids(tuple(id_ for ids in others for id_ in ids)))
        raise Refused(
            f"more than {MAX_IN_STATE} twins are in these states and as many in the others",
            code="TOO_COSTLY",
            cure="ask for `_state` as a field, page by page",
        )


_SPECIAL: dict[str, Callable[[_Root], Any]] = {
    "twin": _Root.twin,
    "twins": _Root.twins,
    "impact": _Root.impact_of,
    "whatIf": _Root.what_if,
    "models": _Root.models,
    "detectors": _Root.detectors,
    "service": _Root.service,
}
