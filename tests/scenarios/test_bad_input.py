"""Bad input gets a clear answer in the protocol's own terms, keeps nothing, and the server serves on."""

import json

import pytest

from protocols import mime, mm1, mm7
from protocols.content_type import ContentType
from protocols.mm1 import ResponseStatus
from tests.cases import Case, cases
from tests.scenarios.conftest import PHONE, Lab, picture

SEND_REQ = bytes.fromhex("8c80")
MMS = {"Content-Type": "application/vnd.wap.mms-message"}


async def test_what_is_odd_about_a_submission_is_on_record(lab: Lab) -> None:
    """Fields and parts alike, each at its place in the PDU (OMA-TS-MMS_ENC 7.3.35; WAP-230-WSP 8.5)."""
    phone = await lab.phone(PHONE)
    head = b"\x8c\x80\x98t\0\x8d\x92\x89\x01\x81\x97" + PHONE.encode() + b"\0\x8fHigh\0\x84\xa3"
    _, octets = await phone._request("POST", phone.mmsc_url, head + b"\x01\x05\x01\x83\xc0t1\0xy")
    conf = mm1.decode(octets).message
    assert isinstance(conf, mm1.MSendConf)
    assert conf.response_status is ResponseStatus.OK
    rows = await lab.app.engine.store.fetch("SELECT data FROM event WHERE kind = $1", "finding.noted")
    found = [(one["rule"], one["offset"]) for one in (json.loads(str(row[0])) for row in rows)]
    body = len(head)
    assert found == [("WSP-H012", body + 5), ("WSP-H011", body + 9), ("MM1-H014", head.index(b"High"))]


async def serves_on(lab: Lab) -> None:
    rsp = await lab.vasp.submit(PHONE, content=picture())
    assert isinstance(rsp, mm7.SubmitRsp)
    assert rsp.status.code is mm7.StatusCode.SUCCESS


async def stored(lab: Lab) -> int:
    return len(await lab.app.store.fetch("SELECT id FROM mm"))


@pytest.mark.parametrize("case", [one for one in cases("mm7") if one.is_refused], ids=str)
async def test_mm7_refuses_by_the_table(lab: Lab, case: Case) -> None:
    status, message = await lab.vasp.post("text/xml", case.octets)
    assert status == 500
    assert isinstance(message, mm7.Fault)
    assert message.status.code == case.meaning["refused"]
    assert message.element is mm7.ErrorElement.RS_ERROR_RSP
    assert await stored(lab) == 0
    await serves_on(lab)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": (mm7.Address("not a number!"),)}, 2002),
        ({"to": (mm7.Address("+19990100123"),)}, 2002),
        ({"to": (mm7.Address(PHONE, display_only=True),)}, 2002),
        ({"vasp_id": "stranger"}, 4001),
        ({"expiry_date": "-PT1H"}, 2007),
        ({"expiry_date": "soon"}, 2007),
        ({"expiry_date": "PT1H", "earliest_delivery_time": "PT2H"}, 2007),
        ({"subject": "x" * 600}, 2004),
    ],
)
async def test_mm7_requests_that_mean_nothing(lab: Lab, fields: dict[str, object], code: int) -> None:
    answer = await lab.vasp.submit(PHONE, **fields) if "to" not in fields else await lab.vasp.submit(**fields)  # type: ignore[arg-type]
    assert int(answer.status.code) == code
    assert answer.status.details
    assert await stored(lab) == 0
    await serves_on(lab)


async def test_a_partial_success_names_who_was_not_taken(lab: Lab) -> None:
    answer = await lab.vasp.submit(PHONE, "+19990100123", content=picture())
    assert int(answer.status.code) == 1100
    assert "+19990100123" in answer.status.details


async def test_a_refusal_names_each_address_once(lab: Lab) -> None:
    answer = await lab.vasp.submit("+19990100123", "+1", content=picture())
    assert answer.status.details == ("+19990100123: no prefix matches +19990100123; +1: 1 digits; E.164 has 5 to 15")
    answer = await lab.vasp.submit(PHONE, sender_address=mm7.Address("+1"))
    assert answer.status.details == "sender +1: 1 digits; E.164 has 5 to 15"


async def test_mm7_over_http(lab: Lab) -> None:
    """401 with a challenge, 405, 413, 415."""
    url, session = lab.vasp.url, lab.vasp.session
    async with session.post(url, data=b"x", headers={"Content-Type": "text/xml"}) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Basic")
    wrong = {"Authorization": "Basic bmV3czp3cm9uZw==", "Content-Type": "text/xml"}
    async with session.post(url, data=b"x", headers=wrong) as response:
        assert response.status == 401
    assert (await lab.vasp.post("image/jpeg", b"x"))[0] == 415
    assert (await lab.vasp.post("text/xml", b"x" * (5 << 20)))[0] == 413
    async with session.put(url, data=b"x") as response:
        assert response.status == 405
    async with session.head(url, params={"wsdl": ""}) as response:  # RFC 9110 9.1
        assert (response.status, await response.read()) == (200, b"")
        assert int(response.headers["Content-Length"]) > 1000
    await serves_on(lab)


async def test_content_that_is_too_large_is_refused(lab: Lab) -> None:
    content = mime.OutPart(ContentType("image/jpeg"), bytes(2 << 20), "big")
    answer = await lab.vasp.submit(PHONE, content=content)
    assert int(answer.status.code) == 2004
    await serves_on(lab)


@pytest.mark.parametrize("case", [one for one in cases("mm1") if one.is_refused], ids=str)
async def test_mm1_answers_what_can_be_answered(lab: Lab, case: Case) -> None:
    phone = await lab.phone(PHONE)
    status, body = await phone._request("POST", phone.mmsc_url, case.octets)
    if status == 200:
        conf = mm1.decode(body).message
        assert isinstance(conf, mm1.MSendConf)
        assert conf.transaction_id
        corrupt, unsupported = (
            ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT,
            ResponseStatus.ERROR_UNSUPPORTED_MESSAGE,
        )
        assert conf.response_status is (corrupt if case.octets[:2] == SEND_REQ else unsupported)
    else:
        assert status == 400
    assert await stored(lab) == 0
    await serves_on(lab)


@pytest.mark.parametrize(
    ("version", "to", "status"),
    [
        (0x12, "nobody!", ResponseStatus.ERROR_PERMANENT_SENDING_ADDRESS_UNRESOLVED),
        (0x10, "nobody!", ResponseStatus.ERROR_SENDING_ADDRESS_UNRESOLVED),
    ],
)
async def test_a_version_reads_its_own_statuses(lab: Lab, version: int, to: str, status: ResponseStatus) -> None:
    phone = await lab.phone(PHONE, version=version)
    conf = await phone.send([to], [])
    assert conf.response_status is status
    assert conf.message_id is None


async def test_without_identity_nobody_may_send(lab: Lab) -> None:
    phone = await lab.phone(PHONE, identity_header="")
    conf = await phone.send([PHONE], [])
    assert conf.response_status is ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED


async def test_mm1_over_http(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    assert (await phone._request("DELETE", phone.mmsc_url))[0] == 405
    assert (await phone._request("GET", phone.mmsc_url))[0] == 404
    assert (await phone._request("GET", f"{phone.mmsc_url}m/unknown"))[0] == 404
    async with lab.vasp.session.post(phone.mmsc_url, data=b"hello", headers={"Content-Type": "text/plain"}) as response:
        assert response.status == 415
    major_two = bytes.fromhex("8c 80 98 54 31 00 8d a0 89 01 81 84 a3 00".replace(" ", ""))
    status, body = await phone._request("POST", phone.mmsc_url, major_two)
    conf = mm1.decode(body).message
    assert isinstance(conf, mm1.MSendConf)
    assert (status, conf.response_status) == (200, ResponseStatus.ERROR_UNSUPPORTED_MESSAGE)
