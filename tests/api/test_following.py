"""Whatever is written, the arrays that follow answer as if they had been compiled just now."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.analytics.plant import answer_alike
from tests.analytics.writing import DECLARED, MODELS, UNIT, Writes
from twinfall.analytics import AssetNetwork, topology_request
from twinfall.api.keeping import KeptArrays
from twinfall.api.networks import LiveNetwork
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import TwinInput


class Following(Writes):
    """Writes, questions and new starts in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.graph = Graph(SQLiteStore(":memory:"))
        self.graph.load_models(MODELS, [{"version": 1, "interfaces": DECLARED}])
        self.graph.write_twins([TwinInput(id_, UNIT) for id_ in "ABC"])
        self.start()

    def start(self) -> None:
        path = self.folder / "graph.arrays"
        kept = KeptArrays(path, self.graph, worthwhile=0.0)
        self.networks = LiveNetwork(self.graph, kept=kept)

    @rule()
    def start_again(self) -> None:
        self.networks.close()
        self.start()

    @rule(share=st.sampled_from([0.5, 1, 2]))
    def declare(self, share: float) -> None:
        backs = {**DECLARED[UNIT]["contents"]["backs"], "minShare": share}
        unit = {**DECLARED[UNIT], "contents": {**DECLARED[UNIT]["contents"], "backs": backs}}
        self.graph.load_models([], [{"version": 1, "interfaces": {**DECLARED, UNIT: unit}}])

    @invariant()
    def answers_as_if_compiled_just_now(self) -> None:
        request = topology_request(self.graph.ontology, self.graph.dependencies)
        topology = self.graph.topology(request)
        fresh = AssetNetwork.compile(topology, self.graph.ontology, self.graph.dependencies)

        found = self.networks.current()

        answer_alike(found, fresh)

    def teardown(self) -> None:
        if hasattr(self, "graph"):
            self.networks.close()
            self.graph.store.close()
            shutil.rmtree(self.folder)


Following.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestWhateverIsWritten = Following.TestCase
