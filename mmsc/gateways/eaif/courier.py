"""EAIF out: messages, delivery reports and read reports to an application, and what its answer means.

An m-send-conf in the answer decides before the HTTP status. Else 2xx is done, but for a message taken with 202: its
outcome is open until the application posts an X-NOKIA-MMSC-Status. 408, 429 and 5xx again; 401, 403 and a redirect
pause the lane; other 4xx final.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from mmsc.domain.instant import Instant
from mmsc.domain.message import Job
from mmsc.domain.neighbours import Vasp, VaspInterface
from mmsc.domain.states import Happening
from mmsc.engine.ports import Contents, Delivered, Directory, Failed, Outcome, Retry
from mmsc.gateways.eaif.translate import EaifRequest, delivery_report_request, message_request, read_report_request
from mmsc.gateways.http_outcomes import by_http_status, later
from mmsc.net.http_client import HttpClient, HttpReply, HttpUnavailable
from protocols import mm1
from protocols.errors import DecodeError, EncodeError
from protocols.mm1 import MSendConf, ResponseStatus
from protocols.mm1.enums import in_words
from protocols.wsp.push import MMS_MESSAGE

_FIRST_OCTET: Final = b"\x8c"
_ACCEPTED: Final = 202
_LONGEST_QUOTE: Final = 200  # characters of what an application told
_TAKEN: Final = (ResponseStatus.OK, ResponseStatus.ERROR_TRANSIENT_PARTIAL_SUCCESS)
_ITS_CHOICE: Final = (400, 413, 415, 422)  # what it says of this message; other 4xx are about us
_ITS_WORDS: Final = (
    ResponseStatus.ERROR_SERVICE_DENIED,
    ResponseStatus.ERROR_CONTENT_NOT_ACCEPTED,
    ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED,
    ResponseStatus.ERROR_PERMANENT_CONTENT_NOT_ACCEPTED,
)
_FIRST_TRANSIENT, _LAST_TRANSIENT = 0xC0, 0xDF  # OMA-TS-MMS_ENC 7.3.48

Deliver = Callable[[Job], Coroutine[Any, Any, Outcome]]


class ByInterface:
    """One kind of job, for VASPs that speak different interfaces."""

    def __init__(self, directory: Directory, ways: Mapping[VaspInterface, Deliver]) -> None:
        self._directory = directory
        self._ways = ways
        self._usual = ways[VaspInterface.MM7]

    def deliver(self, job: Job) -> Coroutine[Any, Any, Outcome]:
        """One attempt, as the VASP of the job's lane speaks."""
        vasp = self._directory.vasps.get(job.lane.removeprefix("vasp:"))
        return (self._usual if vasp is None else self._ways[vasp.interface])(job)

    def of(self, interface: VaspInterface) -> Deliver:
        """What delivers to VASPs on an interface."""
        return self._ways[interface]


class EaifCourier:
    """What is told to applications, over the connections of `client`. Repeats are the same, octet for octet."""

    def __init__(self, directory: Directory, client: Callable[[Vasp], HttpClient], contents: Contents) -> None:
        self._directory = directory
        self._client = client
        self._contents = contents

    async def delivery_report(self, job: Job) -> Outcome:
        """One attempt at a REPORT_MM7 job."""
        vasp = self._vasp(job)
        if vasp is None:
            return _NO_ADDRESS
        try:
            request = delivery_report_request(job, vasp)
        except EncodeError as error:
            return _unwritable(error)
        if request is None:
            return Delivered(note="MMS has no word for the state: nothing sent", nothing_sent=True)
        return await self._send(job, vasp, request, vasp.report_url, is_message=False)

    async def read_report(self, job: Job) -> Outcome:
        """One attempt at a READ_MM7 job; the payload has its `date`, and `read` is 0 for deleted without being read."""
        vasp = self._vasp(job)
        if vasp is None:
            return _NO_ADDRESS
        date, read = Instant(int(job.payload["date"])), job.payload.get("read") != "0"
        try:
            request = read_report_request(job.stored_mm, job.recipients[0], vasp, date, read=read)
        except EncodeError as error:
            return _unwritable(error)
        return await self._send(job, vasp, request, vasp.report_url, is_message=False)

    async def message(self, job: Job) -> Outcome:
        """One attempt at a DELIVER_MM7 job; `Delivered.answer_expected` where the application answered 202. The payload
        has the `transaction_id` of its PDU."""
        name = job.lane.removeprefix("vasp:")
        vasp = self._directory.vasps.get(name)
        if vasp is None or not vasp.delivers_to:  # a table that was taken away by mistake ends nothing
            return Retry(f"VASP {name} has no address for messages any more", neighbour_down=True)
        mm = job.stored_mm
        content = await self._contents.content(mm.content_id)
        if content is None:
            return Failed("its content is gone", nothing_sent=True)
        try:
            request = message_request(mm, content, job.recipients, job.payload["transaction_id"], vasp)
        except EncodeError as error:
            return _unwritable(error)
        return await self._send(job, vasp, request, vasp.delivers_to, is_message=True)

    def _vasp(self, job: Job) -> Vasp | None:
        vasp = self._directory.vasps.get(job.lane.removeprefix("vasp:"))
        return vasp if vasp is not None and vasp.report_url else None

    async def _send(self, job: Job, vasp: Vasp, request: EaifRequest, url: str, *, is_message: bool) -> Outcome:
        try:
            reply = await self._client(vasp).send(
                "POST",
                url,
                headers={"Content-Type": MMS_MESSAGE, **dict(request.headers)},
                body=request.body,
                neighbour=vasp.name,
                transaction_id=job.payload.get("transaction_id", ""),
                mm_id=job.stored_mm.id,
            )
        except HttpUnavailable as error:
            return Retry(error.why, neighbour_down=not error.connected)
        return judge(reply, is_message=is_message)


_NO_ADDRESS: Final = Failed("the VASP has no report address any more", nothing_sent=True)


def _unwritable(error: EncodeError) -> Failed:
    return Failed(f"it cannot be written: {error.why}", nothing_sent=True)


def judge(reply: HttpReply, *, is_message: bool) -> Outcome:
    """What an application's answer means. A message that it refuses for what it is, is rejected by its recipient."""
    conf = _conf(reply)
    if conf is not None and conf.response_status is not None:
        return _by_conf(reply, conf, conf.response_status)
    told = f"HTTP {reply.status}"
    if reply.status == _ACCEPTED and is_message:
        return Delivered(answer_expected=True, note=f"{told}: the answer comes later")
    if 200 <= reply.status < 300:
        return Delivered(note=told)
    if reply.status in _ITS_CHOICE:
        return Failed(told, Happening.REJECTED)
    return by_http_status(reply, told)


def _conf(reply: HttpReply) -> MSendConf | None:
    if not reply.body.startswith(_FIRST_OCTET):
        return None
    try:
        pdu = mm1.decode(reply.body).message
    except DecodeError:
        return None
    return pdu if isinstance(pdu, MSendConf) else None


def _by_conf(reply: HttpReply, conf: MSendConf, status: ResponseStatus) -> Outcome:
    told = f"{in_words(status)} {(conf.response_text or '')[:_LONGEST_QUOTE]}".strip()
    if status in _TAKEN:
        return Delivered(note=told)
    if _FIRST_TRANSIENT <= status <= _LAST_TRANSIENT or status is ResponseStatus.ERROR_NETWORK_PROBLEM:
        return later(reply, told)
    return Failed(told, Happening.REJECTED if status in _ITS_WORDS else Happening.UNDELIVERABLE, refused=True)
