"""What the HTTP status of a VASP's answer means where its body says nothing.

Again: 408, 429, 5xx and what is no answer of the protocol, when the VASP says (Retry-After) or after growing waits;
401, 403 and a redirect pause the lane; other 4xx are final.
"""

from email.utils import parsedate_to_datetime
from typing import Final

from mmsc.engine.ports import Failed, Later, Outcome, Retry
from mmsc.net.http_client import HttpReply

_LONGEST_RETRY_AFTER: Final = 3600.0
_LONGEST_PLACE: Final = 200  # characters of a Location
_AGAIN_STATUSES: Final = (408, 429)
_PAUSE_STATUSES: Final = (401, 403)


def by_http_status(reply: HttpReply, told: str) -> Outcome:
    """The outcome of a request whose answer can only be judged by its status; `told` says so in words."""
    code = reply.status
    if code in _PAUSE_STATUSES:
        return Retry(f"{told}: the VASP refuses our credentials", neighbour_down=True)
    if 300 <= code < 400:  # about the address, which no report can help (RFC 9110 15.4)
        place = ascii(reply.headers.get("Location", ""))[:_LONGEST_PLACE]
        return Retry(f"{told}: the VASP's address has moved to {place}", neighbour_down=True)
    if code in _AGAIN_STATUSES or code >= 500 or code < 300:
        return later(reply, told)
    return Failed(told, refused=True)


def later(reply: HttpReply, told: str) -> Outcome:
    """When the VASP says, else after the growing waits of the settings."""
    wait = _retry_after(reply)
    return Later(wait, told) if wait else Retry(told)


def _retry_after(reply: HttpReply) -> float:
    """Seconds, or a date, which counts from that of the answer (RFC 9110 10.2.3); 0 for neither."""
    text = reply.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return min(float(text), _LONGEST_RETRY_AFTER)
    try:
        seconds = (parsedate_to_datetime(text) - parsedate_to_datetime(reply.headers["Date"])).total_seconds()
    except (KeyError, ValueError, TypeError, OverflowError):  # no dates, one without a zone or of no calendar
        return 0.0
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)
