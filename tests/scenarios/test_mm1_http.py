"""MM1 over HTTP as phones, gateways and proxies in between write it (OMA-TS-MMS_CTR; RFC 9110, RFC 9112)."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mmsc.lab.handset import Fetching
from mmsc.settings.model import Mm1
from mmsc.trace import events as trace
from protocols import mm1
from protocols.mm1 import MNotifyRespInd, MRetrieveConf, ResponseStatus, Status
from tests.scenarios.conftest import OTHER, PHONE, Lab, open_lab, picture
from tests.scenarios.posting import forward_req, posted, send_req
from tests.scenarios.raw_http import Told, exchange

CORRUPT = ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT


async def notified(lab: Lab) -> mm1.MNotificationInd:
    phone = await lab.phone(PHONE, fetching=Fetching.NEVER)
    await lab.vasp.submit(PHONE, content=picture())
    return (await phone.until(lambda inbox: bool(inbox.notifications))).notifications[0]


def place(notification: mm1.MNotificationInd) -> str:
    return urlsplit(notification.content_location or "").path


async def got(
    lab: Lab, target: str, *headers: str, method: str = "GET", number: str = PHONE, body: bytes = b""
) -> Told:
    lines = (f"{method} {target} HTTP/1.1", "Host: mmsc.example", f"X-MSISDN: {number}", *headers)
    lines += (f"Content-Length: {len(body)}", "", "")
    return await exchange(lab, "\r\n".join(lines).encode("latin-1") + body, "mm1")


async def fetched(lab: Lab) -> int:
    """How many complete GETs the trace tells of, once all that was asked is answered."""
    await lab.app.store.fetch("SELECT 1")
    ((number,),) = await lab.app.store.fetch(f"SELECT count(*) FROM event WHERE kind = '{trace.MmFetched.kind}'")
    assert isinstance(number, int)
    return number


async def until_fetched(lab: Lab) -> None:
    with lab.app.bus.watch(capacity=1000) as watcher:
        if await fetched(lab):
            return
        async with asyncio.timeout(15):
            async for event in watcher:
                if isinstance(event.data, trace.MmFetched):
                    return


async def test_a_get_has_all_that_caches_and_phones_want(lab: Lab) -> None:
    notification = await notified(lab)
    told = await got(lab, place(notification), "Accept-Encoding: gzip")
    assert told.http == 200
    assert isinstance(mm1.decode(told.body).message, MRetrieveConf)
    assert int(told.headers["content-length"]) == len(told.body)
    assert (told.headers["cache-control"], told.headers["pragma"]) == ("no-cache", "no-cache")
    assert not {"location", "content-encoding", "transfer-encoding", "set-cookie"} & set(told.headers)
    head = await got(lab, place(notification), method="HEAD")
    assert (head.http, head.body) == (200, b"")
    same = ("content-length", "content-type", "etag", "accept-ranges")
    assert [head.headers[name] for name in same] == [told.headers[name] for name in same]


async def test_head_fetches_nothing(lab: Lab) -> None:
    notification = await notified(lab)
    assert (await got(lab, place(notification), method="HEAD")).http == 200
    assert await fetched(lab) == 0
    assert (await got(lab, place(notification))).http == 200
    await until_fetched(lab)


@pytest.mark.parametrize("before", ["", "http://mmsc.example", "http://elsewhere.example:8080", "HTTP://MMSC.EXAMPLE"])
async def test_a_phone_with_a_proxy_setting_is_served_by_path(lab: Lab, before: str) -> None:
    notification = await notified(lab)
    told = await got(lab, before + place(notification))
    assert told.http == 200
    assert isinstance(mm1.decode(told.body).message, MRetrieveConf)


async def test_a_lost_connection_goes_on_where_it_was(lab: Lab) -> None:
    """RFC 9110 14: pieces are octets of the same m-retrieve-conf; they count as a fetch when the last one was sent."""
    notification = await notified(lab)
    octets = (await got(lab, place(notification), "Range: bytes=0-99")).body
    tag = ""
    for start in range(100, 100_000, 2000):
        told = await got(
            lab, place(notification), f"Range: bytes={start}-{start + 1999}", f"If-Range: {tag}" if tag else "A: b"
        )
        assert told.http == 206
        total = int(told.headers["content-range"].rpartition("/")[2])
        end = min(start + 2000, total)
        assert told.headers["content-range"] == f"bytes {start}-{end - 1}/{total}"
        octets, tag = octets + told.body, told.headers["etag"]
        if end == total:
            break
        assert await fetched(lab) == 0
    await until_fetched(lab)
    assert octets == (await got(lab, place(notification))).body
    conf = mm1.decode(octets).message
    assert isinstance(conf, MRetrieveConf)


async def test_the_last_octets_alone_are_no_fetch(lab: Lab) -> None:
    notification = await notified(lab)
    told = await got(lab, place(notification), "Range: bytes=-50")
    assert (told.http, len(told.body)) == (206, 50)
    assert await fetched(lab) == 0
    beyond = await got(lab, place(notification), "Range: bytes=9999999-")
    assert (beyond.http, beyond.body, beyond.headers["content-range"][:8]) == (416, b"", "bytes */")
    other = await got(lab, place(notification), "Range: bytes=5-", 'If-Range: "another"')
    assert (other.http, other.body[:2]) == (200, b"\x8c\x84")
    await until_fetched(lab)


async def test_some_phones_append_the_transaction_id(tmp_path: Path) -> None:
    """A carrier's setting: the Content-Location ends where its reader puts X-Mms-Transaction-ID."""
    async with open_lab(tmp_path, mm1=Mm1(port=0, append_transaction_id=True)) as lab:
        notification = await notified(lab)
        assert place(notification) == "/m/"
        assert (await got(lab, "/m/")).http == 404
        assert (await got(lab, f"/m/{notification.transaction_id}", number=OTHER)).http == 404
        told = await got(lab, f"/m/{notification.transaction_id}")
        conf = mm1.decode(told.body).message
        assert isinstance(conf, MRetrieveConf)
        assert conf.transaction_id == notification.transaction_id


async def test_a_phone_that_appends_to_a_whole_content_location_is_served(lab: Lab) -> None:
    notification = await notified(lab)
    there, name = place(notification), notification.transaction_id
    statuses = {
        text: (await got(lab, text)).http
        for text in (there, there + name, f"/m/{name}", f"{there}{name[::-1]}", f"{there}x")
    }
    assert list(statuses.values()) == [200, 200, 200, 404, 404], statuses


@pytest.mark.parametrize("where", ["the MMSC", "the Content-Location"])
async def test_an_answer_may_be_posted_to_either_address(lab: Lab, where: str) -> None:
    notification = await notified(lab)
    pdu = MNotifyRespInd(mms_version=0x12, transaction_id=notification.transaction_id, status=Status.REJECTED)
    body = mm1.encode(pdu)
    target = "/" if where == "the MMSC" else place(notification)
    told = await got(lab, target, method="POST", body=body)
    assert (told.http, told.body) == (200, b"")
    assert await lab.app.store.fetch("SELECT state FROM recipient") == [("rejected",)]


async def test_a_gateway_that_speaks_http_1_0_keeps_its_connection(lab: Lab) -> None:
    notification = await notified(lab)
    request = f"GET {place(notification)} HTTP/1.0\r\nX-MSISDN: {PHONE}\r\nConnection: keep-alive\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection(*lab.app.listeners["mm1"])
    for _ in range(2):
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert "connection: keep-alive" in head
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        assert (await reader.readexactly(length))[:2] == b"\x8c\x84"
    writer.write(request.replace(b"Connection: keep-alive\r\n", b""))
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")  # to its end
    writer.close()


@pytest.mark.parametrize("version", [0x10, 0x11, 0x12, 0x13])
async def test_a_handset_is_told_what_its_version_has(lab: Lab, version: int) -> None:
    """OMA-TS-MMS_ENC 7: whatever the server sends it, answers and pushes, has no field and no status that came later;
    the version is that of its last PDU."""
    seen: list[mm1.Pdu] = []
    other = await lab.phone(OTHER)
    phone = await lab.phone(PHONE, version=version, watch=lambda way, pdu: seen.append(pdu) if way != "out" else None)
    bad = await phone.send(["no body!"], [])
    partly = await phone.send([OTHER, "no body!"], [], delivery_report=True)
    told: dict[str, object] = {"content_class": "image-basic", "drm_content": False, "subject": "Grüße"}
    told |= {"aux_applic_info": "level 3", "applic_id": "news", "distribution_indicator": False}
    await lab.vasp.submit(PHONE, content=picture(), **told)  # type: ignore[arg-type]
    await phone.until(lambda inbox: bool(inbox.messages) and len(inbox.reports) == (2 if version < 0x12 else 1))
    assert {type(pdu).__name__ for pdu in seen} == {"MSendConf", "MNotificationInd", "MRetrieveConf", "MDeliveryInd"}
    assert [pdu for pdu in seen if mm1.for_version(pdu, version) != pdu or pdu.mms_version != version] == []
    assert (bad.response_status is mm1.ResponseStatus.ERROR_SENDING_ADDRESS_UNRESOLVED) is (version == 0x10)
    assert (partly.response_status is mm1.ResponseStatus.OK) is (version < 0x12)
    assert (phone.inbox.notifications[0].applic_id == "news") is (version == 0x13)
    assert other.inbox.messages


async def test_a_transaction_id_without_end_is_refused_and_kept_nowhere(lab: Lab) -> None:
    """It is kept with the MM, and told with each of its recipients."""
    long, kept = "x" * 1025, "y" * 1024
    for transaction_id, status in ((long, CORRUPT), (kept, ResponseStatus.OK)):
        conf = await posted(lab, OTHER, send_req(PHONE, transaction_id=transaction_id), mm1.MSendConf)
        assert (conf.response_status, conf.transaction_id) == (status, transaction_id)
    forward = forward_req("/m/x", PHONE, transaction_id=long)
    assert (await posted(lab, OTHER, forward, mm1.MForwardConf)).response_status is CORRUPT
    octets = mm1.encode(MNotifyRespInd(transaction_id=long, status=Status.RETRIEVED))
    assert (await got(lab, "/", method="POST", body=octets)).http == 400
    rows = await lab.app.store.fetch("SELECT max(length(details)) FROM mm")
    assert 1024 < int(str(rows[0][0])) < 2048


_IDS = ["latin-1", "utf-8", "a surrogate"]


@pytest.mark.parametrize("name", ["User-Agent", "x-wap-profile", "X-MMSC-Run"])
@pytest.mark.parametrize("octets", [b"Nokia6600 \xae", b"\xc3\xbc \xf0\x9f\x98\x80", b"\xed\xa0\x80"], ids=_IDS)
async def test_a_header_in_latin_1_keeps_no_handset_from_fetching_and_sending(
    lab: Lab, name: str, octets: bytes
) -> None:
    header = f"{name}: {octets.decode('latin-1')}"
    notification = await notified(lab)
    told = await got(lab, place(notification), header)
    assert told.http == 200
    body = mm1.encode(send_req(f"{OTHER}/TYPE=PLMN"))
    media = "Content-Type: application/vnd.wap.mms-message"
    told = await got(lab, "/", media, header, method="POST", body=body)
    conf = mm1.decode(told.body).message
    assert isinstance(conf, mm1.MSendConf)
    assert (told.http, conf.response_status) == (200, ResponseStatus.OK)
