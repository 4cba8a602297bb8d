"""What a partner is sent: not one original number in any coding, no content, and every PDU still decodes."""

import base64
from pathlib import Path

import aiohttp
import pytest

from protocols import mime
from protocols.content_type import ContentType
from protocols.wsp.multipart import Part
from tests.console.captures_world import console_lab
from tests.scenarios.conftest import OLD_PHONE, OTHER, PHONE, Lab
from tests.scenarios.test_mm4 import FOREIGN, Two, two

__all__ = ["two"]
TEXT = "the words between two people"


def codings(number: str) -> set[bytes]:
    digits = number.lstrip("+")
    padded = digits + "F" * (len(digits) % 2)
    semi = bytes(int(padded[at + 1] + padded[at], 16) for at in range(0, len(padded), 2))
    inside = {base64.b64encode(bytes(shift) + digits.encode())[(shift * 4 + 2) // 3 : -4] for shift in range(3)}
    return {digits.encode(), digits.encode("utf-16-be"), digits.encode("utf-16-le"), semi, *(one[1:] for one in inside)}


def content(encoding: str = "") -> mime.OutPart:
    kind = ContentType("text/plain", (("charset", "utf-8"),))
    return (
        mime.OutPart(kind, TEXT.encode(), "c", "c.txt", encoding=encoding)
        if encoding
        else mime.OutPart(kind, TEXT.encode(), "c", "c.txt")
    )


def assert_anonymous(octets: bytes, *numbers: str) -> None:
    places = {form: octets.find(form) for one in numbers for form in codings(one)}
    assert [octets[at - 60 : at + 40] for at in places.values() if at >= 0] == []
    assert TEXT.encode() not in octets
    assert base64.b64encode(TEXT.encode())[:20] not in octets


async def _partners(lab: Lab, url: str) -> tuple[bytes, bytes]:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/captures.pcapng") as answer:
            plain = await answer.read()
        async with session.get(f"{url}/captures.pcapng?partner=1") as answer:
            return plain, await answer.read()


@pytest.mark.slow
async def test_stories_of_a_vasp_and_of_phones(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, url):
        phone, other, old = [await lab.phone(one) for one in (PHONE, OTHER, OLD_PHONE)]
        await lab.vasp.submit(PHONE, OTHER, OLD_PHONE, content=content(), subject="Subject")
        await lab.vasp.submit(PHONE, content=content("base64"))
        await phone.until(lambda inbox: len(inbox.messages) == 2)
        await old.until(lambda inbox: bool(inbox.texts))
        await phone.send([f"{OTHER}/TYPE=PLMN"], [Part(ContentType("text/plain"), TEXT.encode(), "t")])
        await other.until(lambda inbox: len(inbox.messages) == 2)
        plain, partner = await _partners(lab, url)
    assert TEXT.encode() in plain
    assert all(one.lstrip("+").encode() in plain for one in (PHONE, OTHER, OLD_PHONE))
    assert_anonymous(partner, PHONE, OTHER, OLD_PHONE)
    names = ("SubmitReq", "m-send-req", "m-retrieve-conf", "submit_sm", "DeliveryReportReq")
    assert [one for one in names if one.encode() not in partner] == []


@pytest.mark.slow
async def test_a_story_between_two_mmscs(two: Two) -> None:
    phone = await two.phone(FOREIGN)
    await two.vasp.submit(FOREIGN, content=content())
    await phone.until(lambda inbox: bool(inbox.messages))
    await two.vasp.report()
    for app in (two.home, two.other):
        capturing = app.operations._holder["control"].capturing
        assert capturing is not None
        row = await app.store.fetch_one("SELECT max(id) FROM mm")
        assert row is not None
        octets = b"".join([piece async for piece in capturing.of_mm([int(str(row[0]))], partner=True)])
        assert b"MM4_forward.REQ" in octets
        assert_anonymous(octets, FOREIGN)
