"""What is still owed when `cdr.enabled` was turned off: it is written all the same.

Dropped, what was charged for would be lost; left alone, it would keep its MMs for ever, because retention waits for it.
"""

import logging
from typing import Final

from mmsc.cdr import position
from mmsc.cdr.files import missing
from mmsc.cdr.writer import ChargingPolicy, Writer
from mmsc.clock import Clock
from mmsc.store import charging
from mmsc.store.core import Store

_log: Final = logging.getLogger(__name__)


async def writer_of_the_rest(store: Store, clock: Clock, policy: ChargingPolicy) -> Writer | None:
    """Who writes what this node still owes and finishes its open file; None when it owes nothing, or when only a person
    can say where its files are: that is told, and everything stays as it is."""
    node = policy.house.node
    owed = await charging.count(store, node)
    text = await charging.position(store, node)
    here = position.START if text is None else position.read(text)
    if not owed and not here.stem:
        return None
    lost = missing(policy.folder, here)
    if lost and not owed:
        return None  # nothing waits for it
    if lost:
        _log.error(
            "cdr.enabled is off, and node %s owes the records of %d events from before. %s has no %s, which it was"
            " writing: set cdr.folder to its folder, or say `mmsc cdr catch-up --lost`. Until then retention keeps"
            " their MMs",
            *(node, owed, policy.folder, lost),
        )
        return None
    _log.warning("cdr.enabled is off; the records of %d events from before are still written", owed)
    return Writer(store, clock, policy)
