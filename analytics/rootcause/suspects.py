"""Who may be it: every asset whose failure alone takes one of the alarms down, found backwards
from the alarms, with what speaks for each and against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.network import Flags, Network
from twinfall.analytics.rootcause.seen import Floats, Ints, Observed, Weights
from twinfall.analytics.singles import Listing

Longs = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Counts:
    """Of several explanations: alarms they explain, monitored assets that would be down and say
    nothing, assets that would be down and were found in order.
    """

    alarms: Longs
    silent: Longs
    quiet: Longs

    def weigh(self, weights: Weights) -> Floats:
        """Logarithm of how much likelier what is seen is under each than if all is well."""
        found: Floats = self.alarms * weights.alarm + self.silent * weights.silence
        return found + self.quiet * weights.quiet


class Suspects:
    """Assets, ascending, whose own failure takes down one of the alarms at least."""

    def __init__(self, network: Network, observed: Observed, barred: Flags | None = None) -> None:
        self.network = network
        self.observed = observed
        causes = network.causes()
        suspect, place = _pairs(causes, observed.alarm, np.arange(len(observed.alarm)))
        if barred is not None:
            kept = ~barred[suspect]
            suspect, place = suspect[kept], place[kept]
        order = np.argsort(suspect, kind="stable")
        suspect, self._place = suspect[order], place[order]
        self.asset, first = np.unique(suspect, return_index=True)
        self._first = np.append(first, len(suspect)).astype(np.int64)

    def __len__(self) -> int:
        return len(self.asset)

    def alarms(self, row: int) -> Ints:
        """The places of the alarms that one of them explains, ascending."""
        return np.sort(self._place[self._first[row] : self._first[row + 1]])

    def down(self, row: int, *, at_once: bool = False) -> Ints:
        """What its failure alone takes down in the end or at once, itself included."""
        asset = int(self.asset[row])
        network = self.network.prompt if at_once else self.network
        return np.append(network.listing().of(asset), np.int32(asset))

    @cached_property
    def counts(self) -> Counts:
        """What speaks for and against each, all of it in the end."""
        alarms = np.diff(self._first)
        return Counts(alarms, *self._against(self.network.listing()))

    @cached_property
    def at_once(self) -> Counts:
        """What speaks for and against each in the moment of its failure."""
        prompt = self.network.prompt
        if prompt is self.network:
            return self.counts
        row, _ = self._at_once
        alarms = np.bincount(row, minlength=len(self))
        return Counts(alarms, *self._against(prompt.listing()))

    @cached_property
    def _at_once(self) -> tuple[Longs, Longs]:
        """(row of a suspect, place of an alarm that it takes down at once)."""
        places = np.arange(len(self.observed.alarm))
        found, place = _pairs(self.network.prompt.causes(), self.observed.alarm, places)
        # Whom it takes down at once, it takes down in the end: each is among the suspects.
        return np.searchsorted(self.asset, found), place

    @cached_property
    def all_at_once(self) -> Flags:
        """With whom nothing goes down later."""
        first, last = self.network.prompt.criticality(), self.network.criticality()
        flags: Flags = first[self.asset] == last[self.asset]
        return flags

    @cached_property
    def once_later(self) -> Flags:
        """With whom all that goes down later goes down in one moment: at most one buffer, delay or
        store is touched by what its failure takes down, and no circle.
        """
        slow = self._touched(_slow(self.network)) <= 1
        flags: Flags = slow & self.straight
        return flags

    @cached_property
    def straight(self) -> Flags:
        """With whom it is sure what goes down at once: no circle of support is touched."""
        if not self.network.arrays.cyclic:
            return np.ones(len(self), bool)
        flags: Flags = self._touched(self.network.arrays.circling.astype(np.int64)) == 0
        return flags

    def _touched(self, numbers: Longs) -> Longs:
        """The sum of these over all that goes down with each suspect."""
        down, start = _spread(self.network.listing(), self.asset)
        total = np.concatenate([np.zeros(1, np.int64), np.cumsum(numbers[down])])
        found: Longs = numbers[self.asset] + total[start[1:]] - total[start[:-1]]
        return found

    def _against(self, listing: Listing) -> tuple[Longs, Longs]:
        """How many silent ones would be down with each suspect, and how many in order."""
        return self._sums(listing, self.observed.silent, self.observed.quiet)

    def _sums(self, listing: Listing, silent: Flags, quiet: Flags) -> tuple[Longs, Longs]:
        down, start = _spread(listing, self.asset)
        return self._sum(silent, down, start), self._sum(quiet, down, start)

    def _sum(self, flags: Flags, down: Ints, start: Longs) -> Longs:
        if not flags.any():
            return np.zeros(len(self), np.int64)
        found: Longs = flags[self.asset] + _summed(flags[down], start)
        return found

    def only(self, open_: Flags, silent: Flags, quiet: Flags) -> list[Counts]:
        """What speaks for and against each with only the alarms at these places and only these
        silent and quiet ones: in the end, and in the moment of its failure.
        """
        last = _summed(open_[self._place], self._first)
        found = [Counts(last, *self._sums(self.network.listing(), silent, quiet))]
        if self.network.prompt is not self.network:
            row, place = self._at_once
            first = np.bincount(row[open_[place]], minlength=len(self))
            found.append(Counts(first, *self._sums(self.network.prompt.listing(), silent, quiet)))
        return found


def _slow(network: Network) -> Longs:
    """Of each asset, how much that takes time may begin when it goes down."""
    feeds, n = network.feeds, network.n
    buffered = feeds.autonomy > 0
    delayed = (feeds.transfer > 0) | buffered[feeds.group]
    slow = np.bincount(feeds.provider[delayed], minlength=n)
    return slow + np.bincount(network.links.storages.asset, minlength=n)


def _pairs(causes: Listing, alarm: Ints, place: Longs) -> tuple[Ints, Longs]:
    """(suspect, place of an alarm it explains); each alarm is explained by itself too."""
    found, start = _spread(causes, alarm)
    places = np.repeat(place, np.diff(start))
    return np.concatenate([found, alarm]), np.concatenate([places, place])


def _spread(listing: Listing, rows: Ints) -> tuple[Ints, Longs]:
    """The entries of these rows one after the other, and where each row's begin."""
    begin = listing.start[rows]
    length = listing.start[rows.astype(np.int64) + 1] - begin
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(length)])
    at = np.arange(start[-1]) + np.repeat(begin - start[:-1], length)
    return listing.asset[at], start


def _summed(flags: Flags, start: Longs) -> Longs:
    """How many of each run are set."""
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(flags, dtype=np.int64)])
    found: Longs = total[start[1:]] - total[start[:-1]]
    return found
