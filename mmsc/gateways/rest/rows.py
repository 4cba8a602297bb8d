"""The operations of REST, by topic."""

from typing import Final

from mmsc.gateways.rest import identities, lab, setup, subscribers
from mmsc.gateways.rest.endpoint import Endpoint

ROWS: Final[tuple[Endpoint, ...]] = (
    *setup.ENDPOINTS,
    *subscribers.ENDPOINTS,
    *identities.ENDPOINTS,
    *lab.ENDPOINTS,
)
