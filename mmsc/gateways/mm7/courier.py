"""MM7 out: delivery reports to a VASP (TS 23.140 8.7.5), one HTTP client per VASP.

Again or final: the body decides before the HTTP status. 1xxx done; 3000 and 4006 later; an unknown 3xxx again, three
times at most; every other code final. Without a readable answer: no connection, time-out, cut answer, 408, 429 and 5xx
again; 401, 403 and a redirect pause the lane; other 4xx final; 2xx again, an empty one three times at most. Whatever
keeps a connection from being made, TLS and proxies included, pauses the lane, and its reports are kept.
"""

from collections.abc import Callable
from email.utils import parsedate_to_datetime

from mmsc.domain.message import Job
from mmsc.domain.neighbours import Vasp
from mmsc.engine.ports import Delivered, Directory, Failed, Later, Outcome, Retry
from mmsc.gateways.mm7.answers import read_answer
from mmsc.gateways.mm7.translate import report_of
from mmsc.net.http_client import HttpClient, HttpReply, HttpUnavailable
from protocols import mm7
from protocols.mm7 import Dialect, Envelope, StatusCode

_UNKNOWN_AGAIN = 3
_EMPTY_AGAIN = 3  # some VASPs never write an answer
_LONGEST_RETRY_AFTER = 3600.0
_LONGEST_QUOTE = 200  # characters of what a VASP told
_AGAIN_STATUSES = (408, 429)
_PAUSE_STATUSES = (401, 403)


class Mm7Courier:
    """Carries REPORT_MM7 jobs."""

    def __init__(self, directory: Directory, new_client: Callable[[Vasp], HttpClient], *, server_id: str) -> None:
        self._directory = directory
        self._new_client = new_client
        self._server_id = server_id
        self._clients: dict[str, tuple[Vasp, HttpClient]] = {}

    async def close(self) -> None:
        """Close all connections."""
        for _, client in self._clients.values():
            await client.close()
        self._clients.clear()

    async def renew(self, *, everything: bool) -> None:
        """Give up the connections to VASPs that changed or are gone (or to all: their time-out changed)."""
        known = self._directory.vasps
        stale = [name for name, (vasp, _) in self._clients.items() if everything or known.get(name) != vasp]
        for client in [self._clients.pop(name)[1] for name in stale]:
            await client.close()

    async def deliver(self, job: Job) -> Outcome:
        """One attempt; repeats carry the same TransactionID."""
        vasp = self._directory.vasps.get(job.lane.removeprefix("vasp:"))
        if vasp is None or not vasp.report_url:
            return Failed("the VASP has no report address any more")
        spoken, version = _spoken(job, vasp)
        report = report_of(job, spoken, version, self._server_id, vasp.rewrites_out)
        if not report.mm_status:
            return Delivered(note="this namespace has no word for the state: nothing sent", nothing_sent=True)
        transaction_id = job.payload["transaction_id"]
        content_type, body = mm7.encode(Envelope(transaction_id, spoken, report))
        try:
            reply = await self._client(vasp).send(
                "POST",
                vasp.report_url,
                headers={"Content-Type": content_type, "SOAPAction": '""'},
                body=body,
                neighbour=vasp.name,
                transaction_id=transaction_id,
                mm_id=job.stored_mm.id,
            )
        except HttpUnavailable as error:
            return Retry(error.why, neighbour_down=not error.connected)
        return judge(reply, job.attempt)

    def _client(self, vasp: Vasp) -> HttpClient:
        known = self._clients.get(vasp.name)
        if known is None:
            known = self._clients[vasp.name] = (vasp, self._new_client(vasp))
        return known[1]


def _spoken(job: Job, vasp: Vasp) -> tuple[Dialect, str]:
    """The VASP's fixed namespace and version, else those of its SubmitReq."""
    details = job.stored_mm.details
    asked = details.get("mm7_namespace", "")
    spoken = mm7.dialect(vasp.namespace or asked) or mm7.dialect(mm7.BASE + mm7.LATEST)
    assert spoken is not None, "the latest namespace is one of ours"
    asked_version = details.get("mm7_version", "") if spoken.namespace == asked else ""
    return spoken, vasp.mm7_version or asked_version or spoken.version


def judge(reply: HttpReply, attempt: int = 0) -> Outcome:
    """What a VASP's answer to this attempt (counted from 0) means for the report."""
    answer = read_answer(reply)
    if answer is None:
        return _by_http_status(reply, attempt)
    status = answer.status
    told = f"{int(status.code)} {status.text[:_LONGEST_QUOTE]}".strip()
    told += f" ({answer.remark})" if answer.remark else ""
    if status.code.is_success:
        return Delivered(note=told)
    if status.code in (StatusCode.SERVER_ERROR, StatusCode.SERVICE_UNAVAILABLE):
        return _later(reply, told)
    if 3000 <= status.code < 4000 and not status.code.is_known and attempt < _UNKNOWN_AGAIN:
        return Retry(told)
    return Failed(told)


def _by_http_status(reply: HttpReply, attempt: int) -> Outcome:
    code = reply.status
    told = f"HTTP {code} without a readable MM7 answer"
    if code in _PAUSE_STATUSES:
        return Retry(f"{told}: the VASP refuses our credentials", neighbour_down=True)
    if 300 <= code < 400:  # about the address, which no report can help (RFC 9110 15.4)
        place = ascii(reply.headers.get("Location", ""))[:_LONGEST_QUOTE]
        return Retry(f"{told}: the VASP's report address has moved to {place}", neighbour_down=True)
    if code < 300 and not reply.body.strip():
        return Retry(told) if attempt < _EMPTY_AGAIN else Failed(f"{told}, after {attempt + 1} attempts")
    if code in _AGAIN_STATUSES or code >= 500 or code < 300:
        return _later(reply, told)
    return Failed(told)


def _later(reply: HttpReply, told: str) -> Outcome:
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
