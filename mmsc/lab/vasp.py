"""A virtual VASP that speaks through zeep, from the WSDL that the server publishes: client and server never share a
mistake. Attachments travel as SOAP with Attachments; its report listener is its own. It works with any MMSC.
"""

import asyncio
import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import zeep
from aiohttp import web
from lxml import etree
from zeep.exceptions import Fault as ZeepFault

from mmsc.lab.inbox import Delivery, ReadReport, delivery_of, one_address, read_report_of, take_apart
from protocols import mime
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.records import record

_TAKEN: Final = ("DeliveryReportReq", "ReadReplyReq", "DeliverReq")
ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_MUST_UNDERSTAND: Final = f"{{{ENVELOPE}}}mustUnderstand"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


@record(frozen=True, slots=True)
class Answer:
    """What the MMSC said: the status, the MessageID, the TransactionID it echoed. `fault` names the SOAP fault code."""

    status_code: int
    status_text: str
    message_id: str
    transaction_id: str
    details: str = ""
    fault: str = ""


@record(frozen=True, slots=True)
class Report:
    """A DeliveryReportReq as zeep read it."""

    transaction_id: str
    message_id: str
    recipient: str
    mm_status: str
    mm_status_extension: str
    status_text: str
    date: datetime | None


@dataclass(slots=True)
class Behaviour:
    """What the report listener answers: `statuses` are used up one by one (below 1000: an HTTP status)."""

    statuses: list[int] = field(default_factory=list)
    delay_seconds: float = 0.0


class VirtualVasp:
    """One VASP. Use it as an async context manager: it fetches the WSDL and listens for reports."""

    def __init__(
        self,
        url: str,
        *,
        vasp_id: str,
        vas_id: str = "",
        username: str = "",
        password: str = "",
        mm7_version: str = "6.8.0",
        wsdl_tag: str = "",
        report_port: int = 0,
        watch: Callable[[str, str, str], None] = lambda direction, name, text: None,
    ) -> None:
        self.url = url
        self.vasp_id = vasp_id
        self.vas_id = vas_id
        self.mm7_version = mm7_version
        self.behaviour = Behaviour()
        self.reports: list[Report] = []
        self.deliveries: list[Delivery] = []
        self.read_reports: list[ReadReport] = []
        self.service_code = ""  # of its DeliverRsp
        self._tag = wsdl_tag
        self._watch = watch
        self._wanted_port = report_port
        self._auth = base64.b64encode(f"{username}:{password}".encode()).decode() if username else ""
        self._changed = asyncio.Condition()
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.ServerRunner | None = None
        self._client: Any = None
        self._namespace = ""
        self._count = 0
        self.report_url = ""

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def listen(self) -> None:
        """Open the report listener (before the MMSC, which must know its address)."""
        if self._runner is not None:
            return
        self._runner = web.ServerRunner(web.Server(self._take, access_log=None))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._wanted_port).start()
        self.report_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/mm7"

    async def _ready(self) -> Any:
        """The zeep client, made from the published WSDL when first needed."""
        if self._client is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
            async with self._session.get(self.url, params={"wsdl": self._tag}) as response:
                response.raise_for_status()
                document = await response.read()
            self._client = zeep.Client(io.BytesIO(document))  # type: ignore[no-untyped-call]
            self._namespace = next(
                one for one in self._client.wsdl.types.prefix_map.values() if "schema/REL-" in str(one)
            )
        return self._client

    # --- submitting ---

    async def submit(
        self,
        to: list[str],
        *,
        cc: list[str] | None = None,
        bcc: list[str] | None = None,
        subject: str = "",
        content: mime.OutPart | None = None,
        delivery_report: bool = True,
        expiry: str = "",
        sender: str = "",
        transaction_id: str = "",
        **more: object,
    ) -> Answer:
        """Submit an MM; `expiry` is an xs:dateTime or xs:duration; `more` are further elements by their names."""
        client = await self._ready()
        self._count += 1
        transaction_id = transaction_id or f"{self.vasp_id}-{self._count}"
        values: dict[str, object] = {
            "MM7Version": self.mm7_version,
            "SenderIdentification": self._sender(sender),
            "Recipients": {"_value_1": [*_list("To", to), *_list("Cc", cc or []), *_list("Bcc", bcc or [])]},
            "DeliveryReport": delivery_report,
            **({"Subject": subject} if subject else {}),
            **({"ExpiryDate": expiry} if expiry else {}),
            **({"Content": {"href": f"cid:{content.content_id}"}} if content is not None else {}),
            **more,
        }
        header = client.get_element(f"{{{self._namespace}}}TransactionID")(
            transaction_id, _attr_1={_MUST_UNDERSTAND: "1"}
        )
        envelope = client.create_message(client.service, "Submit", _soapheaders=[header], **values)
        octets = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
        self._watch("out", "SubmitReq", transaction_id)
        return await self._post(octets, content, transaction_id)

    def _sender(self, sender: str) -> dict[str, object]:
        found: dict[str, object] = {"VASPID": self.vasp_id}
        if self.vas_id:
            found["VASID"] = self.vas_id
        if sender:
            form = "Number" if sender.startswith("+") else "ShortCode"
            found["SenderAddress"] = {form: sender} if self._wraps_sender() else sender
        return found

    def _wraps_sender(self) -> bool:
        """Whether SenderAddress holds an element, or plain text as in the first REL-5 namespaces: the WSDL says."""
        request = self._client.get_element(f"{{{self._namespace}}}SubmitReq")
        identification = dict(request.type.elements)["SenderIdentification"]
        return hasattr(dict(identification.type.elements)["SenderAddress"].type, "elements")

    async def _post(self, octets: bytes, content: mime.OutPart | None, transaction_id: str) -> Answer:
        assert self._session is not None
        headers = {"SOAPAction": '""', "Content-Type": 'text/xml; charset="utf-8"'}
        if self._auth:
            headers["Authorization"] = f"Basic {self._auth}"
        body = octets
        if content is not None:
            soap = mime.OutPart(ContentType("text/xml", (("charset", "utf-8"),)), octets, "soap", encoding="8bit")
            boundary = mime.choose_boundary((soap, content), transaction_id)
            body = mime.write_parts((soap, content), boundary)
            headers["Content-Type"] = f'multipart/related; boundary="{boundary}"; type="text/xml"; start="<soap>"'
        async with self._session.post(self.url, data=body, headers=headers) as response:
            answer = await response.read()
            if not answer:
                return Answer(response.status, f"HTTP {response.status}", "", "")
        return self._read(answer)

    def _read(self, octets: bytes) -> Answer:
        """The answer, read by zeep."""
        document = etree.fromstring(octets, etree.XMLParser(resolve_entities=False, no_network=True))
        echoed = document.findtext(f".//{{{self._namespace}}}TransactionID") or ""
        binding = self._client.service._binding  # noqa: SLF001 (zeep has no other way to a binding)
        operation = binding.get("Submit")
        if document.find(f".//{{{ENVELOPE}}}Fault") is not None:
            try:
                binding.process_error(document, operation)
            except ZeepFault as fault:
                return self._fault(fault, echoed)
        result = operation.process_reply(document)
        body = getattr(result, "body", result)
        status = body.Status
        answer = Answer(int(status.StatusCode), str(status.StatusText), str(body.MessageID or ""), echoed)
        self._watch("in", "SubmitRsp", f"{answer.status_code} {answer.message_id}")
        return answer

    def _fault(self, fault: ZeepFault, echoed: str) -> Answer:
        code = text = details = ""
        if fault.detail is not None:
            code = fault.detail.findtext(".//{*}StatusCode") or ""
            text = fault.detail.findtext(".//{*}StatusText") or ""
            details = fault.detail.findtext(".//{*}Details") or ""
        self._watch("in", "Fault", f"{code} {text}")
        return Answer(int(code or 0), text or str(fault.message), "", echoed, details, str(fault.code))

    # --- reports ---

    async def report(self, wanted: Callable[[Report], bool] = lambda report: True, seconds: float = 30.0) -> Report:
        """Wait for a report. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: any(map(wanted, self.reports)))
            return next(filter(wanted, self.reports))

    async def delivery(
        self, wanted: Callable[[Delivery], bool] = lambda delivery: True, seconds: float = 30.0
    ) -> Delivery:
        """Wait for a DeliverReq. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: any(map(wanted, self.deliveries)))
            return next(filter(wanted, self.deliveries))

    async def read_report(self, seconds: float = 30.0) -> ReadReport:
        """Wait for the next ReadReplyReq, and take it away. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: bool(self.read_reports))
            return self.read_reports.pop(0)

    async def _take(self, request: web.BaseRequest) -> web.Response:
        """The listener of reports and MMs."""
        try:
            octets, parts = take_apart(request.headers.get("Content-Type", ""), await request.read())
        except DecodeError:
            return web.Response(status=400)
        if self.behaviour.delay_seconds:
            await asyncio.sleep(self.behaviour.delay_seconds)
        client = await self._ready()
        document = etree.fromstring(octets, etree.XMLParser(resolve_entities=False, no_network=True))
        element = document.find(f".//{{{ENVELOPE}}}Body/{{{self._namespace}}}*")
        operation = "" if element is None else etree.QName(element).localname
        transaction_id = document.findtext(f".//{{{self._namespace}}}TransactionID") or ""
        status = self.behaviour.statuses.pop(0) if self.behaviour.statuses else 1000
        if status < 1000:
            return web.Response(status=status)
        if operation not in _TAKEN:
            return self._rsp(transaction_id, 4003)
        read = client.get_element(f"{{{self._namespace}}}{operation}").parse(element, client.wsdl.types)
        if status == 1000:
            await self._keep(operation, read, transaction_id, parts)
        return self._rsp(transaction_id, status, operation)

    async def _keep(self, operation: str, read: Any, transaction_id: str, parts: tuple[mime.MimePart, ...]) -> None:
        async with self._changed:
            match operation:
                case "DeliverReq":
                    delivery = delivery_of(read, transaction_id, parts)
                    self._watch("in", operation, f"{delivery.linked_id} {delivery.sender}")
                    self.deliveries.append(delivery)
                case "ReadReplyReq":
                    read_report = read_report_of(read, transaction_id)
                    self._watch("in", operation, f"{read_report.mm_status} {read_report.recipient}")
                    self.read_reports.append(read_report)
                case _:
                    report = _report_of(read, transaction_id)
                    self._watch("in", operation, f"{report.mm_status} {report.recipient}")
                    self.reports.append(report)
            self._changed.notify_all()

    def _rsp(self, transaction_id: str, status: int, operation: str = "DeliveryReportReq") -> web.Response:
        make = self._client.get_element(f"{{{self._namespace}}}{operation.removesuffix('Req')}Rsp")
        more = {"ServiceCode": self.service_code} if operation == "DeliverReq" and self.service_code else {}
        value = make(MM7Version=self.mm7_version, Status={"StatusCode": status, "StatusText": "told"}, **more)
        envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"env": ENVELOPE})
        header = etree.SubElement(envelope, f"{{{ENVELOPE}}}Header")
        etree.SubElement(header, f"{{{self._namespace}}}TransactionID").text = transaction_id
        make.render(etree.SubElement(envelope, f"{{{ENVELOPE}}}Body"), value)
        octets = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
        return web.Response(body=octets, headers={"Content-Type": "text/xml; charset=utf-8"})


def _report_of(read: Any, transaction_id: str) -> Report:
    date = getattr(read, "Date", None) or getattr(read, "TimeStamp", None)  # REL-6, REL-5
    return Report(
        transaction_id,
        str(read.MessageID),
        one_address(read.Recipient),
        str(read.MMStatus),
        str(getattr(read, "MMStatusExtension", None) or ""),
        str(read.StatusText or ""),
        date if isinstance(date, datetime) else None,
    )


def _list(name: str, numbers: list[str]) -> list[dict[str, object]]:
    return [{name: {"_value_1": [_spelled(one) for one in numbers]}}] if numbers else []


def _spelled(number: str) -> dict[str, str]:
    if "@" in number:
        return {"RFC2822Address": number}
    return {"Number": number} if number.lstrip("+").isdecimal() and len(number) > 6 else {"ShortCode": number}
