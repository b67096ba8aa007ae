"""A network changed in thought, over the arrays of the one it was made of, where they are the
same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinfall.analytics import given
from twinfall.analytics.assembling import circles_of, fed_arrays, linked_arrays
from twinfall.analytics.feeds import Feeds, voted
from twinfall.analytics.links import MAX_CARRIERS, Links, links_of
from twinfall.analytics.network import Network
from twinfall.analytics.votes import RULES, unpacked_codes
from twinfall.ontology.errors import BadInput

Ints = NDArray[np.int32]
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Changes:
    """As `Network.what_if` takes them; None changes nothing."""

    fail: ArrayLike | None = None
    add: ArrayLike | None = None
    share: ArrayLike | None = None
    transfer: ArrayLike | None = None
    remove: ArrayLike | None = None
    k: Mapping[int, int] | None = None
    autonomy: Mapping[int, float] | None = None
    conducts: Mapping[int, bool] | None = None
    source: Mapping[int, int] | None = None
    connect: ArrayLike | None = None
    disconnect: ArrayLike | None = None

    def say(self, *names: str) -> bool:
        """Whether something is said of one of these."""
        return not all(given.is_empty(getattr(self, name)) for name in names)


def changed(network: Network, changes: Changes) -> Network:
    """The network under these changes."""
    feeds, links = _refed(network, changes), _relinked(network, changes)
    same = feeds is network.feeds and links is network.links
    if same and not changes.say("fail"):
        return network
    before = _failed(network)
    more = given.positions(changes.fail, network.n, "fail") if changes.say("fail") else before
    made = network
    if len(before) or not same:
        arrays = _arrays(network, feeds, links)
        made = Network(feeds, links, arrays, network.value, network.visible)
    failed = np.union1d(before, more).astype(np.int32)
    return _failing(made, failed) if len(failed) else made


def _failing(network: Network, failed: Ints) -> Network:
    down = network.baseline.copy()
    down[network.down(failed)] = True
    down[failed] = True
    made = _over(network, down)
    made.failed = failed
    return made


def _failed(network: Network) -> Ints:
    """What is down and not let down; where nobody knows, all that would be up if nothing was."""
    if network.failed is None:
        down = network.baseline & ~_over(network, None).baseline
        network.failed = np.flatnonzero(down).astype(np.int32)
    return network.failed


def _over(network: Network, down: NDArray[np.bool_] | None) -> Network:
    """Over the same arrays."""
    shared = (network.feeds, network.links, network.arrays, network.value, network.visible)
    return Network(*shared, down)


def _arrays(network: Network, feeds: Feeds, links: Links) -> Any:
    """Those of the network but for those that these feeds and links decide."""
    n, arrays, before = network.n, network.arrays, network.links
    if feeds is not network.feeds:
        arrays = arrays._replace(**fed_arrays(n, feeds))
    if links.begin is not before.begin:
        arrays = arrays._replace(**linked_arrays(n, links))
    arrays = arrays._replace(source=links.source, conducts=links.conducts)
    if feeds is network.feeds and links.begin is before.begin and links.source is before.source:
        return arrays
    return arrays._replace(**circles_of(n, feeds, links))


# -- feeds ------------------------------------------------------------------------------------


def _refed(network: Network, changes: Changes) -> Feeds:
    feeds, n = network.feeds, network.n
    if not changes.say("add", "share", "transfer", "remove", "k", "autonomy"):
        return feeds
    said = feeds.said()
    ballot = said.ballot
    columns: Columns = {
        "provider": feeds.provider,
        "group": feeds.group,
        "share": np.asarray(ballot.share),
        "priority": np.asarray(ballot.priority),
        "start": np.asarray(ballot.start),
        "transfer": feeds.transfer,
    }
    _remove(columns, _pairs(changes.remove, n, feeds.count, "remove"))
    _add(columns, _pairs(changes.add, n, feeds.count, "add"), changes)
    votes = {name: columns[name] for name in ("share", "priority", "start")}
    said = replace(
        said,
        ballot=replace(ballot, **votes, k=_needed(feeds, np.asarray(ballot.k), changes)),
        transfer=columns["transfer"],
        autonomy=_bridged(feeds, changes),
    )
    edges = (columns["provider"], columns["group"])
    return voted(feeds.consumer, edges, said, feeds.black_start)


def _remove(columns: Columns, gone: tuple[Ints, Ints]) -> None:
    there, keys = _keys(columns["provider"], columns["group"]), _keys(*gone)
    for at in np.flatnonzero(~np.isin(keys, there)):
        message = f"{gone[0][at]} does not feed group {gone[1][at]}"
        raise BadInput(message, path=f"remove[{at}]")
    kept = ~np.isin(there, keys)
    columns.update({name: column[kept] for name, column in columns.items()})


def _add(columns: Columns, new: tuple[Ints, Ints], changes: Changes) -> None:
    there, keys = _keys(columns["provider"], columns["group"]), _keys(*new)
    count = len(keys)
    again = np.ones(count, bool)
    again[np.unique(keys, return_index=True)[1]] = False
    for at in np.flatnonzero(again | np.isin(keys, there)):
        message = f"{new[0][at]} feeds group {new[1][at]} already"
        raise BadInput(message, path=f"add[{at}]", cure="a provider feeds a group once")
    added: Columns = {
        "provider": new[0],
        "group": new[1],
        "share": given.numbers(changes.share, count, 1.0, "share"),
        "priority": np.ones(count),
        "start": np.zeros(count),
        "transfer": given.numbers(changes.transfer, count, 0.0, "transfer"),
    }
    columns.update({name: np.append(column, added[name]) for name, column in columns.items()})


def _needed(feeds: Feeds, needed: NDArray[Any], changes: Changes) -> NDArray[Any]:
    if not changes.say("k"):
        return needed
    groups, values = given.by_position(changes.k, feeds.count, "k", "groups")
    wanted = given.whole(values, "k", cure="a whole number from 1 on")
    codes = unpacked_codes(feeds.codes, feeds.count)[groups]
    for at in np.flatnonzero((codes != RULES.index("atLeast")) | (wanted < 1)):
        message = f"group {groups[at]} is `{RULES[codes[at]]}`, and k is {wanted[at]}"
        raise BadInput(message, path="k", cure="k, from 1 on, belongs to an `atLeast` group")
    needed = needed.copy()
    needed[groups] = wanted
    return needed


def _bridged(feeds: Feeds, changes: Changes) -> NDArray[np.float64]:
    if not changes.say("autonomy"):
        return feeds.autonomy
    groups, values = given.by_position(changes.autonomy, feeds.count, "autonomy", "groups")
    bridged = feeds.autonomy.copy()
    bridged[groups] = given.numbers(values, len(groups), 0.0, "autonomy")
    return bridged


def _pairs(values: Any, n: int, groups: int, name: str) -> tuple[Ints, Ints]:
    """Providers and groups."""
    if given.is_empty(values):
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    provider, group = given.columns(values, name)
    return given.positions(provider, n, name), given.positions(group, groups, name, "groups")


def _keys(provider: Ints, group: Ints) -> NDArray[np.int64]:
    return group.astype(np.int64) << 32 | provider


# -- links ------------------------------------------------------------------------------------


def _relinked(network: Network, changes: Changes) -> Links:
    links, n = network.links, network.n
    if changes.say("conducts"):
        assets, values = given.by_position(changes.conducts, n, "conducts")
        conducts = links.conducts.copy()
        conducts[assets] = given.flags(values, len(assets), "conducts")
        links = replace(links, conducts=conducts)
    if not changes.say("source", "connect", "disconnect"):
        return links
    source = links.source
    if changes.say("source"):
        assets, values = given.by_position(changes.source, n, "source")
        source = source.copy()
        source[assets] = given.whole(values, "source")
    new, gone = _rows(changes.connect, n, "connect"), _rows(changes.disconnect, n, "disconnect")
    arcs = np.concatenate([_left(links, gone, n), new, new[:, [1, 0, 2]]])
    oneway, switches = np.ones(len(arcs), bool), (source, links.conducts)
    made = links_of(n, arcs[:, :2], arcs[:, 2], oneway, switches, links.storages)
    if len(new) or len(gone) or made.carriers != links.carriers:
        return made
    return replace(links, source=made.source)


def _left(links: Links, gone: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """The arcs but those between such two, either way."""
    there = np.stack([links.begin, links.end, links.carrier], axis=1).astype(np.int64)
    keys = _ends(gone, n)
    for at in np.flatnonzero(~np.isin(keys, _ends(there, n))):
        one, other, carrier = gone[at]
        message = f"{one} and {other} are not connected in carrier {carrier}"
        raise BadInput(message, path=f"disconnect[{at}]")
    left: NDArray[np.int64] = there[~np.isin(_ends(there, n), keys)]
    return left


def _ends(rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """A number for each two assets and carrier, whichever comes first."""
    low, high = rows[:, :2].min(axis=1), rows[:, :2].max(axis=1)
    keys: NDArray[np.int64] = (rows[:, 2] * n + low) * n + high
    return keys


def _rows(values: Any, n: int, name: str) -> NDArray[np.int64]:
    """Two assets and a carrier in each."""
    if given.is_empty(values):
        return np.zeros((0, 3), np.int64)
    one, other, carrier = given.columns(values, name, 3)
    ends = given.positions(one, n, name), given.positions(other, n, name)
    carriers = given.positions(carrier, MAX_CARRIERS, name, "carriers")
    return np.stack([*ends, carriers], axis=1).astype(np.int64)
