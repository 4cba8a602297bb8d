"""MM7 out: delivery and read reports to a VASP (TS 23.140 8.7.5, 8.7.6), one HTTP client per VASP. `deliver.py` sends
MMs over the same clients.

Again or final: the body decides before the HTTP status. 1xxx done; 3000 and 4006 later; an unknown 3xxx again, three
times at most; every other code final. Without a readable answer: no connection, time-out, cut answer, 408, 429 and 5xx
again; 401, 403 and a redirect pause the lane; other 4xx final; 2xx again, an empty one three times at most. Whatever
keeps a connection from being made, TLS and proxies included, pauses the lane, and what it carries is kept.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from mmsc.domain.message import Job, TaskKind
from mmsc.domain.neighbours import Vasp
from mmsc.engine.ports import Delivered, Directory, Failed, Outcome, Retry
from mmsc.gateways.http_outcomes import by_http_status, later
from mmsc.gateways.mm7.profiles import request_headers, server_id_for, style_of
from mmsc.gateways.mm7.reading import read_answer
from mmsc.gateways.mm7.translate import read_reply_of, report_of
from mmsc.net.http_client import HttpClient, HttpReply, HttpUnavailable
from protocols import mm7
from protocols.errors import DecodeError
from protocols.mm7 import Dialect, Envelope, Message, StatusCode

_UNKNOWN_AGAIN = 3
_EMPTY_AGAIN = 3  # some VASPs never write an answer
_LONGEST_QUOTE = 200  # characters of what a VASP told


class Post(Protocol):
    """Sends a request of ours to a VASP."""

    async def __call__(
        self,
        vasp: Vasp,
        url: str,
        job: Job,
        headers: Mapping[str, str],
        body: bytes,
        *,
        fault: str = "",
        cut_after: int | None = None,
    ) -> HttpReply:
        """Its answer. Raises HttpUnavailable. `fault` and `cut_after` as for HttpClient."""
        ...


class Mm7Courier:
    """Carries REPORT_MM7 and READ_MM7 jobs."""

    def __init__(self, directory: Directory, new_client: Callable[[Vasp], HttpClient], *, server_id: str) -> None:
        self._directory = directory
        self._new_client = new_client
        self._server_id = server_id
        self._clients: dict[str, tuple[Vasp, HttpClient]] = {}
        self.post: Post = self._send  # how requests leave; the lab may stand in the way

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
        made = report_of if job.kind is TaskKind.REPORT_MM7 else read_reply_of
        report = made(job, spoken, version, server_id_for(vasp, self._server_id), vasp.rewrites_out)
        if not report.mm_status:
            return Delivered(note="this namespace has no word for the state: nothing sent", nothing_sent=True)
        content_type, body = mm7.encode(Envelope(job.payload["transaction_id"], spoken, report), style_of(vasp))
        headers = request_headers(vasp, content_type, spoken)
        try:
            reply = await self.post(vasp, vasp.report_url, job, headers, body)
        except HttpUnavailable as error:
            return Retry(error.why, neighbour_down=not error.connected)
        return judge(reply, job.attempt)

    async def _send(
        self,
        vasp: Vasp,
        url: str,
        job: Job,
        headers: Mapping[str, str],
        body: bytes,
        *,
        fault: str = "",
        cut_after: int | None = None,
    ) -> HttpReply:
        return await self.client(vasp).send(
            "POST",
            url,
            headers=headers,
            body=body,
            neighbour=vasp.name,
            transaction_id=job.payload["transaction_id"],
            mm_id=job.stored_mm.id,
            fault=fault,
            cut_after=cut_after,
        )

    def client(self, vasp: Vasp) -> HttpClient:
        """The connections to a VASP, for whatever is sent to it."""
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
    """What a VASP's answer to this attempt (counted from 0) means for what was sent."""
    answer = read_answer(reply)
    if answer is None:
        return _by_http_status(reply, attempt)
    status = answer.status
    told = f"{int(status.code)} {status.text[:_LONGEST_QUOTE]}".strip()
    told += f" ({answer.remark})" if answer.remark else ""
    if status.code.is_success:
        return Delivered(note=told)
    if status.code in (StatusCode.SERVER_ERROR, StatusCode.SERVICE_UNAVAILABLE):
        return later(reply, told)
    if 3000 <= status.code < 4000 and not status.code.is_known and attempt < _UNKNOWN_AGAIN:
        return Retry(told)
    return Failed(told, refused=True)


def answered(reply: HttpReply) -> Message | None:
    """The message in a VASP's answer, None when it cannot be read."""
    try:
        return mm7.decode(reply.content_type, reply.body).message.message
    except DecodeError:
        return None


def _by_http_status(reply: HttpReply, attempt: int) -> Outcome:
    told = f"HTTP {reply.status} without a readable MM7 answer"
    if reply.status < 300 and not reply.body.strip():
        return Retry(told) if attempt < _EMPTY_AGAIN else Failed(f"{told}, after {attempt + 1} attempts")
    return by_http_status(reply, told)
