"""What scenes of the MMBox share: a handset asks, and reads what it is shown."""

from itertools import count
from typing import TypeVar

from mmsc.lab.handset import Handset, Message
from protocols import mm1
from protocols.content_type import ContentType
from protocols.mm1 import MMboxDescr, MSendConf, MSendReq, Pdu
from protocols.wsp.multipart import Part, encode_multipart, index_multipart
from tests.scenarios.conftest import OTHER

C = TypeVar("C", bound=Pdu)
MIXED = ContentType("application/vnd.wap.multipart.mixed")
PDU = ContentType("application/vnd.wap.mms-message")
TEXT = Part(ContentType("text/plain"), b"hello", "t", "t.txt")
_numbers = count(1)


async def ask(phone: Handset, pdu: Pdu, answer: type[C]) -> C:
    """POST a PDU; what it is answered by, whose X-Mms-Transaction-ID must be the request's."""
    status, octets = await phone._post(pdu)
    assert status == 200, octets
    decoded = mm1.decode(octets)
    assert not decoded.findings
    conf = decoded.message
    assert isinstance(conf, answer)
    assert getattr(conf, "transaction_id", None) == getattr(pdu, "transaction_id", None)
    return conf


def tid() -> str:
    return f"B{next(_numbers)}"


def send_req(*to: str, version: int = mm1.VERSION_1_2, **fields: object) -> MSendReq:
    values: dict[str, object] = {
        "transaction_id": tid(),
        "from_": mm1.INSERT_ADDRESS,
        "to": to or (OTHER,),
        "subject": "Grüße",
        "content_type": MIXED,
        "body": encode_multipart([TEXT]),
    }
    return MSendReq(mms_version=version, **{**values, **fields})  # type: ignore[arg-type]


async def send(phone: Handset, *to: str, **fields: object) -> MSendConf:
    return await ask(phone, send_req(*to, **fields), MSendConf)  # type: ignore[arg-type]


def upload_req(*, text: bytes = b"hello", transaction_id: str = "", **fields: object) -> mm1.MMboxUploadReq:
    """Of a draft with a subject; `fields` are the request's own."""
    descr = MMboxDescr(
        content_location="/",
        from_=mm1.INSERT_ADDRESS,
        to=(f"{OTHER}/TYPE=PLMN",),
        bcc=("hidden@mail.example",),
        subject="a draft",
        content_type=MIXED,
        body=encode_multipart([Part(ContentType("text/plain"), text, "t", "t.txt")]),
    )
    values: dict[str, object] = {"content_type": PDU, "body": mm1.encode(descr)}
    return mm1.MMboxUploadReq(transaction_id=transaction_id or tid(), **{**values, **fields})  # type: ignore[arg-type]


async def upload(phone: Handset, **fields: object) -> str:
    """The Content-Location of a new draft."""
    conf = await ask(phone, upload_req(**fields), mm1.MMboxUploadConf)  # type: ignore[arg-type]
    assert conf.store_status is mm1.StoreStatus.SUCCESS, conf
    return conf.content_location or ""


async def view(phone: Handset, **fields: object) -> tuple[mm1.MMboxViewConf, list[MMboxDescr]]:
    """The conf, and what it shows."""
    conf = await ask(phone, mm1.MMboxViewReq(transaction_id=tid(), **fields), mm1.MMboxViewConf)  # type: ignore[arg-type]
    shown = []
    for part in index_multipart(conf.body):
        assert part.content_type == PDU
        descr = mm1.decode(conf.body[part.data_offset : part.data_offset + part.data_length]).message
        assert isinstance(descr, MMboxDescr)
        shown.append(descr)
    return conf, shown


async def store(phone: Handset, location: str, **fields: object) -> mm1.MMboxStoreConf:
    pdu = mm1.MMboxStoreReq(transaction_id=tid(), content_location=location, **fields)  # type: ignore[arg-type]
    return await ask(phone, pdu, mm1.MMboxStoreConf)


async def delete(phone: Handset, *locations: str) -> mm1.MMboxDeleteConf:
    pdu = mm1.MMboxDeleteReq(transaction_id=tid(), content_locations=locations)
    return await ask(phone, pdu, mm1.MMboxDeleteConf)


async def get(phone: Handset, location: str) -> Message | None:
    """GET a location; None where there is nothing."""
    status, octets = await phone._request("GET", location)
    return await phone._opened(octets) if status == 200 else None
