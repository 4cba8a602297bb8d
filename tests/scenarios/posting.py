"""Any PDU of a subscriber, over HTTP, and the PDU that answers it: for what a handset's own methods do not say."""

from typing import TypeVar

import aiohttp

from protocols import mm1
from protocols.content_type import ContentType
from protocols.mm1 import MForwardReq, Moment, MSendReq, Pdu
from protocols.wsp.multipart import Part, encode_multipart
from tests.scenarios.conftest import Lab

P = TypeVar("P", bound=Pdu)
MMS_MESSAGE = "application/vnd.wap.mms-message"
TEXT = Part(ContentType("text/plain"), b"hello", "t", "t.txt")
MIXED = ContentType("application/vnd.wap.multipart.mixed")


async def posted(lab: Lab, number: str, pdu: Pdu, wanted: type[P]) -> P:
    """The answer to a PDU of this subscriber ("": of nobody that is known)."""
    octets = await posted_octets(lab, number, mm1.encode(pdu))
    answer = mm1.decode(octets).message
    assert isinstance(answer, wanted), answer
    return answer


async def posted_octets(lab: Lab, number: str, octets: bytes) -> bytes:
    host, port = lab.app.listeners["mm1"]
    headers = {"Content-Type": MMS_MESSAGE} | ({"X-MSISDN": number.lstrip("+")} if number else {})
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://{host}:{port}/", data=octets, headers=headers) as response,
    ):
        assert response.status == 200
        return await response.read()


def send_req(*to: str, parts: tuple[Part, ...] = (TEXT,), **fields: object) -> MSendReq:
    values: dict[str, object] = {
        "transaction_id": "t1",
        "from_": mm1.INSERT_ADDRESS,
        "to": to,
        "content_type": MIXED,
        "body": encode_multipart(parts),
        **fields,
    }
    return MSendReq(**values)  # type: ignore[arg-type]


def forward_req(location: str | None, *to: str, **fields: object) -> MForwardReq:
    values: dict[str, object] = {
        "transaction_id": "f1",
        "from_": mm1.INSERT_ADDRESS,
        "to": to,
        "content_location": location,
        **fields,
    }
    return MForwardReq(**values)  # type: ignore[arg-type]


def in_seconds(seconds: int) -> Moment:
    """A relative deadline or expiry."""
    return Moment(seconds)
