"""The graph as arrays, kept up with the graph and with the live state."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from twinfall.analytics import AssetNetwork, Standing, topology_request
from twinfall.analytics.assets import models_hash
from twinfall.analytics.limits import NEVER, Limits, compile_limits
from twinfall.analytics.past import Past, remembers
from twinfall.graph.following import Changes, NotFollowed, followed, is_same
from twinfall.graph.graph import Graph
from twinfall.graph.models import Models
from twinfall.graph.store import Counts, Topology, TopologyRequest
from twinfall.ontology.errors import TwinError

if TYPE_CHECKING:
    from twinfall.api.keeping import KeptArrays
    from twinfall.api.keeping_past import KeptPast


class Networks(Protocol):
    """Where the arrays come from."""

    def current(self) -> AssetNetwork:
        """The arrays of a moment not before this call."""
        ...


class OneMoment:
    """The same arrays for all that one request asks, taken when the first of it asks. A request
    that writes lets go of them, so that what follows sees what it wrote. Safe for threads.
    """

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._lock = threading.Lock()
        self._taken: AssetNetwork | None = None

    def current(self) -> AssetNetwork:
        """The arrays of the request's moment, which is not before the request."""
        with self._lock:
            if self._taken is None:
                self._taken = self._networks.current()
            return self._taken

    def let_go(self) -> None:
        """Take newer ones the next time."""
        with self._lock:
            self._taken = None


class States(Protocol):
    """Where own states come from; told what is to be watched."""

    def follow(self, limits: Limits) -> None:
        """Watch these from now on."""
        ...

    def end(self, cursor: int) -> frozenset[str]:
        """End what is known of twins that were deleted since the last call; their ids."""
        ...

    def standing(self) -> Standing:
        """All own states, of a moment not before this call."""
        ...

    def now(self) -> int:
        """The time in ns."""
        ...


FRESH = 1_000_000_000
"""How old (ns) a moment may be from which the times of an answer count."""
MAX_FOLLOWED = 10_000
"""Changes that are followed; after more the graph is read again..."""
FOLLOWED_SHARE = 8
"""... unless they are less than this part of the graph's twins."""
PAGE = 1_000
CHECK_SECONDS = 5.0
"""After a start, which has more urgent things to do, until kept arrays are checked."""
CHECKS = 5
"""Attempts to count a graph in a moment in which nobody writes."""
log = logging.getLogger("twinfall.networks")


@dataclass(frozen=True, slots=True)
class Made:
    """Arrays, and the revision of the models and the request by which the graph was read."""

    network: AssetNetwork
    revision: int
    request: TopologyRequest

    def is_new_enough(self, cursor: int, revision: int) -> bool:
        """Whether these are of a moment not before that."""
        return self.network.cursor >= cursor and self.revision == revision


@dataclass(frozen=True, slots=True)
class Seen:
    """Arrays under the states of a moment, and until when (ns) time alone moves nothing."""

    network: AssetNetwork
    standing: Standing
    until: int

    def is_still(self, plain: AssetNetwork, standing: Standing, now: int) -> bool:
        """Whether nothing has changed since."""
        same = self.standing is standing and self.network.compiled_from(plain)
        return same and now < self.until

    def is_fresh(self, now: int) -> bool:
        """Whether its times, which count from its moment, are those of now: where buffers run or
        recharge, moments differ.
        """
        moves = self.network.as_is is not None or self.until < NEVER
        return not moves or now - self.network.now < FRESH


class LiveNetwork:
    """The arrays of one graph, which follow its changes and are compiled anew when one of them
    matters, under the states that its assets are in.

    Callers that arrive while somebody compiles wait for that and share it if it is new enough.
    """

    def __init__(
        self,
        graph: Graph,
        states: States | None = None,
        kept: KeptArrays | None = None,
        kept_past: KeptPast | None = None,
    ) -> None:
        self._graph = graph
        self._states = states
        self._kept = kept
        self._lock = threading.Lock()
        self._made: Made | None = None
        self._gone: frozenset[str] = frozenset()
        """Twins that were deleted, which the states and the past are still to be told of."""
        self._seen: Seen | None = None
        self._kept_past = kept_past
        self._past = Past(None if kept_past is None else kept_past.load())
        self._turns = 0
        """Of the past, when it was last kept."""
        self._checking: threading.Thread | None = None
        self._closing = threading.Event()

    def current(self) -> AssetNetwork:
        """The arrays of a moment not before this call."""
        return self._current(fresh=True)

    def _current(self, *, fresh: bool) -> AssetNetwork:
        plain = self.compiled()
        if self._states is None:
            return plain
        seen, now = self._seen, self._states.now()
        still = seen is not None and seen.is_still(plain, self._states.standing(), now)
        if seen is None or not still or (fresh and not seen.is_fresh(now)):
            with self._lock:
                seen = self._seen = self._see(plain, self._states, fresh=fresh)
        if seen.network.cursor < plain.cursor:
            seen = self._seen = replace(seen, network=seen.network.at(plain.cursor))
        return seen.network

    def look(self) -> None:
        """Follow the graph and the states though nobody asks, so that what the plant goes through
        is remembered.
        """
        plain = self.compiled()
        if self._states is not None and remembers(plain.network):
            self._current(fresh=False)

    def keep(self) -> None:
        """Keep what the plant has been through for the next start, if it is time to."""
        kept = self._kept_past
        if kept is None or not kept.is_due:
            return
        if kept.owes or self._turns != self._past.turns:
            with self._lock:
                self._turns, told = self._past.turns, self._past.told()
            kept.offer(told)

    def compiled(self) -> AssetNetwork:
        """The arrays as if all were well; with the graph's changes, the limits are followed."""
        cursor, revision = self._graph.cursor(), self._graph.revision
        made = self._made
        if made is not None and made.is_new_enough(cursor, revision):
            return made.network
        with self._lock:
            made = self._made
            if made is None or not made.is_new_enough(cursor, revision):
                made = self._made = self._make(made, cursor, revision)
            return made.network

    def begin(self) -> None:
        """Take the arrays that were kept, where there are some, while other things start."""
        if self._kept is not None:
            models = self._graph.models
            self._kept.begin(models_hash(models.ontology, models.dependencies))

    def close(self) -> None:
        """Keep the arrays and the past for the next start; the graph must still be open."""
        self._closing.set()
        if self._checking is not None:
            self._checking.join()
        if self._kept_past is not None:
            with self._lock:
                self._kept_past.close(self._past.told())
        if self._kept is not None:
            self._kept.close(self._made.network if self._made else None)

    def _see(self, plain: AssetNetwork, states: States, *, fresh: bool) -> Seen:
        """With the lock held, the plant as it is now: its past must be told of no older moment
        than the last one, however callers come here.
        """
        latest = self._made.network if self._made is not None else plain
        standing, now, seen = states.standing(), states.now(), self._seen
        still = seen is not None and seen.is_still(latest, standing, now)
        if seen is not None and still and (not fresh or seen.is_fresh(now)):
            return seen
        under = self._past.under(latest, standing, now)
        return Seen(under, standing, min(under.until, self._past.until))

    def _make(self, before: Made | None, cursor: int, revision: int) -> Made:
        """`revision` was read first: too old a number only means looking once more."""
        began, models = time.monotonic(), self._graph.models
        if self._states is not None:
            self._gone |= self._states.end(cursor)
        request = topology_request(models.ontology, models.dependencies)
        old = self._older(before, request, models)
        follow = None if old is None else self._followed(old, request, models, cursor)
        topology = follow[0] if follow else None
        same = old is not None and old.models == models_hash(models.ontology, models.dependencies)
        if old is not None and topology is not None and same and is_same(old.topology, topology):
            network = old.at(topology.cursor)
        else:
            network = self._compiled(old, follow, request, models)
            log.info("arrays of change %d in %.1f s", network.cursor, time.monotonic() - began)
            if self._kept is not None:
                self._kept.offer(network, time.monotonic() - began)
        known = before and same and _has_twins_of(before, network) and not self._gone
        if self._states is not None and not known:
            self._past.forget(self._gone)
            self._gone = frozenset()
            limits = compile_limits(network.topology, models.ontology, models.dependencies)
            self._states.follow(limits)
        return Made(network, revision, request)

    def _compiled(
        self,
        old: AssetNetwork | None,
        follow: tuple[Topology, Changes] | None,
        request: TopologyRequest,
        models: Models,
    ) -> AssetNetwork:
        if old is not None and follow is not None:
            return old.after(follow[0], models.ontology, models.dependencies, follow[1])
        topology = self._graph.topology(request)
        return AssetNetwork.compile(topology, models.ontology, models.dependencies, old)

    def _older(
        self, before: Made | None, request: TopologyRequest, models: Models
    ) -> AssetNetwork | None:
        """The arrays to go on from: those of before, at first those that were kept."""
        if before is not None:
            return before.network if before.request == request else None
        if self._kept is None:
            return None
        kept = self._kept.load(models_hash(models.ontology, models.dependencies))
        if kept is not None:
            self._checking = threading.Thread(target=self._check, name="check-arrays", daemon=True)
            self._checking.start()
        return kept

    def _check(self) -> None:
        """Whether kept arrays have as many twins and relationships as the graph: somebody may have
        written past the service, which no change feed tells.
        """
        if self._closing.wait(CHECK_SECONDS):
            return
        try:
            for _ in range(CHECKS):
                network = self.compiled()
                counts = self._graph.counts()
                if self._graph.cursor() == network.cursor:
                    break
            else:
                return  # it is written all the time; to wait would hold up whoever closes
        except TwinError as error:
            log.info("the kept arrays could not be checked: %s", error)
            return
        if _are_all(network.topology, counts):
            log.info("the graph has as many twins and relationships as the kept arrays")
        else:
            log.warning("the graph was written past the service: it is read again")
            if self._kept is not None:
                self._kept.forget()
            with self._lock:
                self._made = None

    def _followed(
        self, network: AssetNetwork, request: TopologyRequest, models: Models, cursor: int
    ) -> tuple[Topology, Changes] | None:
        """The topology at the cursor or after it, by the changes in the feed; None where it has
        to be read: after many changes that is faster.
        """
        most = max(MAX_FOLLOWED, network.twins // FOLLOWED_SHARE)
        if not 0 <= cursor - network.cursor <= most:
            return None
        changes = Changes(network.cursor)
        try:
            while changes.cursor < cursor:
                page = self._graph.changes(changes.cursor, PAGE)
                if not page:
                    return None
                changes.take(page)
            return followed(network.topology, request, models.ontology, changes), changes
        except NotFollowed as error:
            log.info("the graph is read again: %s", error)
            return None


def _are_all(topology: Topology, counts: Counts) -> bool:
    """Whether a graph has as many twins and relationships as the arrays."""
    twins = sum(counts.twins.values()) + sum(counts.components.values())
    edges = topology.edges.items()
    return twins == len(topology.ids) and all(
        counts.relationships.get(name, 0) == len(columns.source) for name, columns in edges
    )


def _has_twins_of(before: Made, network: AssetNetwork) -> bool:
    """Whether twins, their models and their values are the same objects."""
    old, new = before.network.topology, network.topology
    return old.ids is new.ids and old.model is new.model and old.values is new.values
