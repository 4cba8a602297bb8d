"""What every question may raise while the store cannot be asked: for pages, which know nothing of an engine."""

from mmsc.engine.away import STORE_AWAY as STORE_AWAY
