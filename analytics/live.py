"""LiveState: how every asset is now, by its own readings and by what people said.

What an asset depends on is not looked at here: `AssetNetwork.under` takes a `Standing` of this and
derives the rest.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.judging import Judge
from twinfall.analytics.limits import ANY, Floats, Ints, Limits, Nanos
from twinfall.analytics.machines import NO_TIME, Machines
from twinfall.analytics.states import STATES, Change, Reason, Standing, State

Key = Callable[[int], tuple[str, str]]
_UNSEEN, _UNWATCHED = -2, -1
log = logging.getLogger("twinfall.live")


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said of an asset: who, when (ns), until when, and why. `state` None: it is in
    maintenance.
    """

    id: str
    state: State | None
    who: str
    at: int
    until: int | None = None
    note: str = ""


class LiveState:
    """Own states of all assets; those never heard of are ok. Safe from many threads.

    It reads no clock: `now` comes with every call, in ns, and never goes back.
    """

    def __init__(self, key: Key) -> None:
        self._key = key
        self._lock = threading.RLock()
        self._judge = Judge(Machines(Limits()))
        self._places: dict[tuple[str, str], int] = {}
        self._asset: dict[str, int] = {}
        self._of: Ints = np.zeros(0, np.int32)
        """By series: its place."""
        self._codes: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._conducts: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._before: Nanos = np.zeros(0, np.int64)
        """By series: the source time up to which nothing counts; empty where all does."""
        self._shown: dict[str, State] = {}
        self._out: set[str] = set()
        self._maintained: dict[str, Said] = {}
        self._forced: dict[str, Said] = {}
        self._alarms: dict[str, dict[str, str]] = {}
        self._now = 0
        self._version = 0
        self._standing = Standing()
        self._listeners: list[Callable[[Change], None]] = []
        self._untold: deque[Change] = deque()
        self._telling = threading.Lock()

    # -- what is watched ------------------------------------------------------------------

    def follow(self, limits: Limits, now: int) -> list[tuple[str, str]]:
        """Watch these places from now on. Those watched already go on where they stood; the
        others come back, for the caller to `observe` their latest readings (the name is empty
        where any reading of the asset will do).
        """
        with self._lock:
            machines = Machines(limits)
            keys = {key: place for place, key in enumerate(limits.keys())}
            old = self._places
            fresh = [key for key in keys if key not in old]
            kept = [(place, old[key]) for key, place in keys.items() if key in old]
            if kept:
                mine, theirs = np.array(kept, np.int32).T
                machines.inherit(self._judge.machines, mine, theirs)
            if keys != old:
                self._of = np.zeros(0, np.int32)
            self._judge, self._places = Judge(machines), keys
            gone = [id_ for id_ in self._asset if self._shown.get(id_)]
            self._asset = {id_: i for i, id_ in enumerate(limits.ids)}
            self._now = max(self._now, now)
            self._codes = self._judge.codes(self._now)
            self._conducts = self._judge.conducts()
            self._version += 1
            bad = [limits.ids[int(i)] for i in np.flatnonzero(self._codes)]
            self._show([*bad, *gone])
        return fresh

    # -- what happens ---------------------------------------------------------------------

    def observe(
        self,
        series: Ints,
        times: Nanos,
        numbers: Floats,
        now: int,
        *,
        replaces: bool = False,
    ) -> None:
        """Take in readings in order of arrival: series, source times in ns, numbers (NaN where
        the value is none). A reading of the time of the last one counts only if it `replaces` it.
        """
        with self._lock:
            place = self._place(series)
            watched = place >= 0
            if len(self._before):
                watched &= times > self._until(series)
            if watched.any():
                columns = (place[watched], times[watched], numbers[watched])
                moved = self._judge.machines.advance(*columns, replaces=replaces)
                self._now = max(self._now, now)
                self._look(moved)

    def leave_out(self, addresses: Iterable[str], series: Ints, at: int) -> None:
        """What was read of these assets, all in these series, by then (ns, source times) counts no
        more, nor does what comes late; as from the next `follow`.
        """
        with self._lock:
            if len(series):
                more = np.full(max(0, int(series.max()) + 1 - len(self._before)), NO_TIME, np.int64)
                self._before = np.append(self._before, more)
                self._before[series] = at
            others = set(addresses)
            if others & self._asset.keys():
                self._places = {key: at for key, at in self._places.items() if key[0] not in others}

    def tick(self, now: int) -> None:
        """Time has passed: holds end, readings grow stale, maintenance is over."""
        with self._lock:
            self._now = max(self._now, now)
            over = [s for s in self._maintained.values() if s.until and s.until <= self._now]
            for said in over:
                del self._maintained[said.id]
            codes = self._judge.codes(self._now)
            changed = np.flatnonzero(codes != self._codes)
            self._codes = codes
            self._show([self._judge.limits.ids[int(i)] for i in changed])
            self._show(said.id for said in over)

    def say(self, said: Said) -> None:
        """A person says how an asset is, or takes it out for maintenance; it holds until they
        take it back. What they say of the state wins over everything else.
        """
        with self._lock:
            (self._maintained if said.state is None else self._forced)[said.id] = said
            self._version += said.state == "ok"
            self._show([said.id])

    def take_back(self, id_: str, *, maintenance: bool) -> None:
        """Maintenance is over, or the state is again what readings say."""
        with self._lock:
            (self._maintained if maintenance else self._forced).pop(id_, None)
            self._show([id_])

    def alarm(self, id_: str, by: str, message: str | None) -> None:
        """A learned alarm stands for an asset, `by` a detector, or (None) no more: meanwhile it
        is at least degraded.
        """
        with self._lock:
            standing = self._alarms.setdefault(id_, {})
            if message is not None:
                standing[by] = message
            else:
                standing.pop(by, None)
            if not standing:
                del self._alarms[id_]
            self._show([id_])

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Hand every change from now on to a listener, in order, one at a time, by `tell`."""
        self._listeners.append(listener)

    def tell(self) -> None:
        """Hand out the changes that wait; the listeners may ask and change anything here. While
        another thread is at it, that one hands out all.
        """
        while self._untold and self._telling.acquire(blocking=False):
            try:
                while self._untold:
                    self._hand_out(self._untold.popleft())
            finally:
                self._telling.release()

    # -- how it stands --------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Grows whenever `standing` changes."""
        return self._version

    def state(self, id_: str) -> State:
        """How an asset is by itself."""
        return self._shown.get(id_, "ok")

    def reason(self, id_: str) -> Reason | None:
        """Why it is not ok; None where it is and nobody said so."""
        with self._lock:
            return self._reason(id_)

    def said(self, id_: str) -> tuple[Said | None, Said | None]:
        """What people said: the maintenance it is in, and the state it has by their word."""
        return self._maintained.get(id_), self._forced.get(id_)

    def standing(self) -> Standing:
        """All own states at this moment."""
        with self._lock:
            if self._standing.version != self._version:
                self._standing = self._stand()
            return self._standing

    # -- inside ---------------------------------------------------------------------------

    def _place(self, series: Ints) -> Ints:
        if not len(series):
            return np.zeros(0, np.int32)
        top = int(series.max()) + 1
        if top > len(self._of):
            more = np.full(max(top, 2 * len(self._of)) - len(self._of), _UNSEEN, np.int32)
            self._of = np.concatenate([self._of, more])
        for unseen in np.unique(series[self._of[series] == _UNSEEN]):
            twin, name = self._key(int(unseen))
            place = self._places.get((twin, name), -1)
            if place < 0:
                place = self._places.get((twin, ANY), _UNWATCHED)
            self._of[unseen] = place
        found: Ints = self._of[series]
        return found

    def _until(self, series: Ints) -> Nanos:
        known = series < len(self._before)
        found = np.full(len(series), NO_TIME, np.int64)
        found[known] = self._before[series[known]]
        return found

    def _look(self, moved: Ints) -> None:
        if not len(moved):
            return
        limits = self._judge.limits
        assets = np.unique(limits.asset[moved])
        codes = self._judge.codes(self._now, assets)
        changed = assets[codes != self._codes[assets]]
        self._codes[assets] = codes
        conducts = self._judge.conducts(assets)
        if (conducts != self._conducts[assets]).any():
            self._conducts[assets] = conducts
            self._version += 1
        self._show([limits.ids[int(i)] for i in changed])

    def _show(self, ids: Iterable[str]) -> None:
        """Publish the states of these assets where they changed."""
        for id_ in ids:
            before, after = self._shown.get(id_, "ok"), self._state(id_)
            out = id_ in self._maintained and id_ not in self._forced
            if before == after and out == (id_ in self._out):
                continue
            self._version += 1
            (self._out.add if out else self._out.discard)(id_)
            if after == "ok":
                self._shown.pop(id_, None)
            else:
                self._shown[id_] = after
            if before != after and self._listeners:
                reason = self._reason(id_)
                self._untold.append(Change(id_, before, after, self._version, reason))

    def _state(self, id_: str) -> State:
        forced = self._forced.get(id_)
        if forced is not None and forced.state is not None:
            return forced.state
        if id_ in self._maintained:
            return "unknown"
        asset = self._asset.get(id_, -1)
        own: State = STATES[int(self._codes[asset])] if asset >= 0 else "ok"
        return "degraded" if own == "ok" and id_ in self._alarms else own

    def _reason(self, id_: str) -> Reason | None:
        said = self._forced.get(id_) or self._maintained.get(id_)
        if said is not None:
            return _of_person(said)
        asset = self._asset.get(id_, -1)
        found = self._judge.reason(asset, self._now) if asset >= 0 else None
        if found is None and id_ in self._alarms:
            return Reason("alarm", "; ".join(self._alarms[id_].values()))
        return found

    def _since(self, id_: str) -> int:
        reason = self._reason(id_)
        return 0 if reason is None or reason.since is None else max(0, reason.since)

    def _stand(self) -> Standing:
        by: dict[State, list[str]] = {"failed": [], "unknown": [], "degraded": []}
        out = []
        for id_, state in sorted(self._shown.items()):
            if id_ in self._out:
                out.append(id_)
            else:
                by[state].append(id_)
        limits = self._judge.limits
        switches = np.flatnonzero(limits.switch >= 0)
        conducts = {limits.ids[int(i)]: bool(self._conducts[i]) for i in switches}
        return Standing(
            self._version,
            tuple(by["failed"]),
            tuple(out),
            tuple(by["unknown"]),
            tuple(by["degraded"]),
            MappingProxyType({id_: self._since(id_) for id_ in (*by["failed"], *out)}),
            MappingProxyType(conducts),
            tuple(sorted(id_ for id_, said in self._forced.items() if said.state == "ok")),
        )

    def _hand_out(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(change)
            except Exception:  # one listener's trouble is not the others'
                log.exception("a change of %s could not be heard", change.id)


def _of_person(said: Said) -> Reason:
    maintenance = said.state is None
    return Reason(
        "maintenance" if maintenance else "operator",
        "it is in maintenance" if maintenance else f"{said.who or 'a person'} set it {said.state}",
        since=said.at,
        until=said.until,
        who=said.who or None,
        note=said.note or None,
    )
