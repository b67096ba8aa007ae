"""What a failure takes along at once: the network without buffers, delays and what runs empty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinfall.analytics.lasting import with_down
from twinfall.analytics.links import Storages
from twinfall.analytics.network import Network


def prompt_network(network: Network) -> Network:
    """The same assets, with the same ones down before any failure; what goes down at all goes down
    in the moment of the failure. The network itself where nothing ever takes time.

    Where support runs in circles (`arrays.circling`) more may go down at once than here: a feed
    that would be felt late counts as there, even if it only hangs in the circle.
    """
    feeds, links, arrays = network.feeds, network.links, network.arrays
    # What has been down for long has been felt everywhere.
    slow = (feeds.transfer > 0) & ~network.baseline[feeds.provider]
    buffered = feeds.autonomy > 0
    if not (slow.any() or buffered.any() or len(links.storages.asset)):
        return network
    rule = feeds.rule.copy()
    rule["fail_at"][buffered] = 0
    weight = np.where(slow, 0, feeds.weight).astype(np.int32)
    source = links.source.copy()
    bits = np.left_shift(1, links.storages.carrier).astype(np.int32)
    np.bitwise_or.at(source, links.storages.asset, bits)
    none, no_times = np.zeros(0, np.int32), np.zeros(0)
    made = Network(
        replace(
            feeds,
            rule=rule,
            weight=weight,
            autonomy=np.broadcast_to(0.0, feeds.autonomy.shape),
            transfer=np.broadcast_to(0.0, feeds.transfer.shape),
        ),
        replace(links, source=source, storages=Storages()),
        arrays._replace(
            rule=rule,
            weight=weight,
            autonomy=no_times,
            transfer=no_times,
            source=source,
            storage=none,
            storage_carrier=none,
            storage_autonomy=no_times,
        ),
        network.value,
        network.visible,
    )
    return with_down(made, network.baseline)
