"""The wiring: which store, which graph, which GraphQL service stand behind the doors."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from twinfall.api.coming import GraphToCome
from twinfall.api.settings import Settings
from twinfall.ontology.durations import duration_seconds
from twinfall.ontology.errors import Conflict, TwinError, Unavailable

if TYPE_CHECKING:
    from twinfall.api.actions.actions import Actions
    from twinfall.api.graphql import GraphQLService
    from twinfall.api.lookout import Lookout
    from twinfall.api.networks import Networks
    from twinfall.api.requirements.keeper import Keeper
    from twinfall.api.states import States
    from twinfall.graph.graph import Graph
    from twinfall.graph.store import TwinStore
    from twinfall.ingestion.sources.mqtt import MqttSource
    from twinfall.ingestion.telemetry import Telemetry

RETRY_SECONDS = 1.0
"""Between attempts to open a store that is away."""
REFUSED_SECONDS = 30.0
"""After one that refused us: Neo4j shuts a user out, everywhere, who keeps trying a password."""
JOURNAL = "journal.sqlite"
"""In the data folder once there were readings."""
DETECTORS = "detectors"
"""Folder in the data folder: what the learned watch knows."""
log = logging.getLogger("twinfall.services")


def open_graph(settings: Settings, folder: Path, holder: str) -> Graph:
    """The graph these settings name. `holder` tells others who has it.

    Raises Unavailable, Conflict GRAPH_IN_USE, BadSettings (a wrong password, a damaged file).
    """
    from twinfall.graph.graph import Graph
    from twinfall.graph.kept_models import KeptModels

    store = _open_store(settings, folder, holder)
    try:
        return Graph(store, aliases=settings.aliases, kept=KeptModels(folder / "compiled"))
    except BaseException:
        store.close()
        raise


def graphql_over(
    graph: Graph,
    settings: Settings,
    networks: Networks | None = None,
    lookout: Lookout | None = None,
    actions: Actions | None = None,
    states: States | None = None,
    telemetry: Callable[[], Telemetry] | None = None,
    keeper: Keeper | None = None,
) -> GraphQLService:
    """The GraphQL service of a graph, of its arrays, the watch over it, actions and states."""
    from twinfall.api.graphql import GraphQLService

    return GraphQLService(
        graph,
        networks,
        show=settings.show_models,
        max_models=settings.typed_models,
        lookout=lookout,
        actions=actions,
        states=states,
        telemetry=telemetry,
        keeper=keeper,
    )


def _open_store(settings: Settings, folder: Path, holder: str) -> TwinStore:
    if settings.store == "sqlite":
        from twinfall.graph.sqlite import SQLiteStore

        return SQLiteStore(folder / "graph.sqlite", holder=holder)
    from twinfall.graph.neo4j import Neo4jStore

    return Neo4jStore(
        settings.store,
        settings.neo4j_user,
        settings.neo4j_password.reveal(),
        settings.neo4j_database,
        feed=folder / "feed.sqlite",
        holder=holder,
    )


def _source(settings: Settings, telemetry: Telemetry) -> MqttSource | None:
    """The broker that the settings name, connecting in the background."""
    if not settings.mqtt:
        return None
    from twinfall.ingestion.sources.broker import MqttOptions
    from twinfall.ingestion.sources.mqtt import MqttSource

    options = MqttOptions(
        prefix=settings.mqtt_prefix,
        client_id=settings.mqtt_client_id,
        ca_file=settings.mqtt_ca_file or None,
        user=settings.mqtt_user,
        password=settings.mqtt_password.reveal(),
    )
    source = MqttSource(settings.mqtt, telemetry.pipeline, telemetry.catalogue, options)
    source.start()
    return source


def telemetry_of(
    settings: Settings, folder: Path, graph: Graph, *, background: bool = True
) -> Telemetry:
    """The readings in a data folder, as the settings want them."""
    from twinfall.ingestion.telemetry import Telemetry

    return Telemetry(
        folder,
        graph,
        skew=duration_seconds(settings.future_skew) or 0.0,
        keep=duration_seconds(settings.history_keep) if settings.history_keep else None,
        prefix=settings.mqtt_prefix,
        background=background,
    )


def _lookout(graph: Graph, folder: Path, telemetry: Telemetry) -> Lookout:
    """The learned watch over a graph, which sees all readings from now on."""
    from twinfall.analytics.watching import Watch
    from twinfall.api.lookout import Lookout

    lookout = Lookout(Watch(folder / DETECTORS), graph, telemetry)
    lookout.start()
    return lookout


class Services:
    """The graph and the GraphQL service over it, opened as soon as the store can be reached.

    What `prepare` does with graph and data folder comes before anything is answered from it.
    A store that is away at the start is tried again every second until `close`; meanwhile every
    use raises the error of the last attempt, but readings of series that were known before are
    taken.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        holder: str,
        prepare: Callable[[Graph, Path], None] = lambda *_: None,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self._holder = holder
        self._prepare = prepare
        self._graph: Graph | None = None
        self._graphql: GraphQLService | None = None
        self._telemetry: Telemetry | None = None
        self._lookout: Lookout | None = None
        self._source: MqttSource | None = None
        self._networks: Networks | None = None
        self._states: States | None = None
        self._actions: Actions | None = None
        self._keeper: Keeper | None = None
        self._coming = GraphToCome()
        self._away: TwinError = Unavailable("the store is not open yet")
        self._closing = threading.Event()
        self._opening: threading.Thread | None = None

    def open(self) -> bool:
        """Open the graph; False where the store is away and is being tried again."""
        try:
            self._open()
        except Unavailable as error:
            self._away = error
            self._receive_meanwhile()
            self._opening = threading.Thread(target=self._keep_trying, name="open-store")
            self._opening.start()
            return False
        return True

    @property
    def graph(self) -> Graph:
        """The graph; raises Unavailable while the store has not been reached yet."""
        if self._graph is None:
            raise self._still_away()
        return self._graph

    @property
    def graphql(self) -> GraphQLService:
        """The GraphQL service; raises Unavailable as `graph` does."""
        graph = self.graph
        if self._graphql is None:
            raise Unavailable("the graph is being opened")
        assert graph is not None
        return self._graphql

    @property
    def telemetry(self) -> Telemetry:
        """The readings, also while the store is away if there were any before; else raises
        Unavailable as `graph` does.
        """
        if self._telemetry is None:
            raise self._still_away()
        return self._telemetry

    @property
    def lookout(self) -> Lookout:
        """The learned watch at its post; raises Unavailable as `graph` does."""
        _ = self.graph
        if self._lookout is None:
            raise Unavailable("the watch is being set up")
        return self._lookout

    @property
    def networks(self) -> Networks:
        """The graph as arrays; raises Unavailable as `graph` does."""
        _ = self.graph
        if self._networks is None:
            raise Unavailable("the graph is being opened")
        return self._networks

    @property
    def actions(self) -> Actions:
        """Alarms, work orders, outbox, commands; raises Unavailable as `graph` does."""
        _ = self.graph
        if self._actions is None:
            raise Unavailable("the records are being opened")
        return self._actions

    @property
    def states(self) -> States:
        """The live state of every asset; raises Unavailable as `graph` does."""
        _ = self.graph
        if self._states is None:
            raise Unavailable("the live state is being opened")
        return self._states

    @property
    def source(self) -> MqttSource | None:
        """The broker's side; None without one."""
        return self._source

    def parts(self) -> dict[str, bool]:
        """Whether readings are taken and, where one is set, whether the broker is connected."""
        found = {"readings": self._telemetry is not None}
        source = self._source
        return found if source is None else found | {"mqtt": source.connected}

    def check(self) -> None:
        """Return when questions can be answered; raises Unavailable that says why not."""
        self.graph.store.ping()
        _ = self.graphql

    def close(self) -> None:
        """Close the store; nothing may be in progress any more."""
        self._closing.set()
        if self._opening:
            self._opening.join()
        self._close_rooms()
        if self._graph is not None:
            self._graph.store.close()
            self._graph = None

    def _close_rooms(self) -> None:
        """Stop taking readings, keep those that came, then close what watches them."""
        if self._source is not None:
            self._source.stop()
            self._source = None
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper = None
        if self._states is not None:
            self._states.close()
            self._states = None
        if self._telemetry is not None:
            self._telemetry.close()
            self._telemetry = None
        if self._actions is not None:  # after the readings: the last of them may raise alarms
            self._actions.stop()
            self._actions = None
        self._coming.graph = None

    def _still_away(self) -> Unavailable:
        return Unavailable(self._away.message, path=self._away.path, cure=self._away.cure)

    def _receive(self) -> Telemetry:
        """Take readings, whether the graph has come yet or not."""
        if self._telemetry is None:
            coming = cast("Graph", self._coming)
            self._telemetry = telemetry_of(self.settings, self.folder, coming)
            self._source = _source(self.settings, self._telemetry)
        return self._telemetry

    def _receive_meanwhile(self) -> None:
        """Take readings of what was known before, while the store is away."""
        if (self.folder / JOURNAL).exists():
            self._receive()
            log.warning("the store is away; readings of known series are taken: %s", self._away)

    def _open(self) -> None:
        from twinfall.api.actions.wiring import actions_over, attend, attend_states
        from twinfall.api.requirements.wiring import attend_requirements, keeper_over
        from twinfall.api.states import States

        graph = open_graph(self.settings, self.folder, self._holder)
        try:
            self._prepare(graph, self.folder)
            self._coming.graph = graph
            telemetry = self._receive()
            telemetry.catalogue.forget()  # what was taken on trust while the store was away
            self._lookout = _lookout(graph, self.folder, telemetry)
            self._states = States(self.folder, graph, telemetry)
            self._networks = self._states.networks
            self._states.networks.begin()
            self._actions = actions_over(self.settings, self.folder, graph, self._networks)
            self._keeper = keeper_over(
                self.settings, self.folder, graph, self._networks, self._actions
            )
            self._graphql = graphql_over(
                graph,
                self.settings,
                self._networks,
                self._lookout,
                self._actions,
                self._states,
                lambda: telemetry,
                self._keeper,
            )
            if self._source is not None:
                self._actions.connect(self._source)
            attend(self._actions, self._lookout.watch)
            self._states.attend(self._lookout.watch)
            attend_states(self._actions, self._states)
            attend_requirements(self._actions, self._keeper)
            self._states.start()
            self._actions.start()
            self._keeper.start()
        except BaseException:
            self._close_rooms()
            graph.store.close()
            raise
        self._graph = graph

    def _keep_trying(self) -> None:
        pause = RETRY_SECONDS
        while not self._closing.wait(pause):
            pause = RETRY_SECONDS
            try:
                self._open()
            except (Unavailable, Conflict) as error:
                self._away = error
            except TwinError as error:
                # Such as a password that turned out wrong: an operator can cure it while we run.
                self._away = error
                pause = REFUSED_SECONDS
                log.warning("the store refuses us: %s", error)
            else:
                log.info("the store is back")
                return
