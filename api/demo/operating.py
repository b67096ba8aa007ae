"""What an operator does in the demo: a recycle that broke does not come back by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinfall.api.states import Word

if TYPE_CHECKING:
    from twinfall.api.states import States

WHO = "demo"
STARTED = "TE-reactor"
"""Once this runs, the recycle keeps all of it running."""


def start_up(states: States) -> bool:
    """Start the plant where it stands though all readings are back; whether it runs by that.

    What somebody else said of the reactor is left alone.
    """
    plant = states.networks.current()
    if STARTED not in plant or plant.state(STARTED) != "failed":
        return False
    if any(entry.who != WHO for entry in states.history(STARTED)[:1] if entry.state is not None):
        return False
    states.force(Word(STARTED, WHO, "started up"), "ok")
    states.networks.current()  # it is seen to run before its readings speak for it again
    states.force(Word(STARTED, WHO, "it runs"), None)
    return states.networks.current().state(STARTED) != "failed"
