"""What the store raises when nobody can ask it now: for rooms that do not know the store."""

from typing import Final

from mmsc.store.core import StoreBusy, StoreUnavailable

STORE_AWAY: Final = (StoreBusy, StoreUnavailable)
