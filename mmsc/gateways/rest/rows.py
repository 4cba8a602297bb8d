"""The operations of REST, by topic."""

from typing import Final

from mmsc.gateways.rest import (
    captures,
    clock,
    faults,
    findings,
    handsets,
    identities,
    lab,
    lanes,
    messages,
    profiles,
    rates,
    replay,
    resets,
    runs,
    scenarios,
    sending,
    server,
    setup,
    subscribers,
    traffic,
    waits,
)
from mmsc.gateways.rest.endpoint import Endpoint

ROWS: Final[tuple[Endpoint, ...]] = (
    *captures.ENDPOINTS,
    *clock.ENDPOINTS,
    *faults.ENDPOINTS,
    *findings.ENDPOINTS,
    *handsets.ENDPOINTS,
    *identities.ENDPOINTS,
    *lab.ENDPOINTS,
    *lanes.ENDPOINTS,
    *messages.ENDPOINTS,
    *profiles.ENDPOINTS,
    *rates.ENDPOINTS,
    *replay.ENDPOINTS,
    *resets.ENDPOINTS,
    *runs.ENDPOINTS,
    *scenarios.ENDPOINTS,
    *sending.ENDPOINTS,
    *server.ENDPOINTS,
    *setup.ENDPOINTS,
    *subscribers.ENDPOINTS,
    *traffic.ENDPOINTS,
    *waits.ENDPOINTS,
)
