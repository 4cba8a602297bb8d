"""No secret is kept: sent over real sockets in every way that a neighbour or we would, then looked for in everything
that is on the disk and in everything that can be fetched."""

import asyncio
import base64
import io
from pathlib import Path

import aiohttp
import pytest

from mmsc.lab.smsc import VirtualSmsc
from mmsc.settings.neighbours import Smsc, Vasp
from protocols import mm7
from tests.console.captures_world import console_lab
from tests.scenarios.conftest import CREDENTIALS, PHONE, Lab, picture

# Each is a word that stands nowhere else.
BASIC, WRONG, QUERY, COOKIE, KEY, WSSE, DIGEST, BIND, PHONES, EAIF, REFUSED = SECRETS = (
    *("sesame-basic", "sesame-wrong", "sesame-query", "sesame-cookie", "sesame-key", "sesame-wsse", "sesame-digest"),
    *("0pen5esa", "sesame-phone", "sesame-eaif", "sesame-refused"),
)
# No requests: they are refused, and captured as they came.
REFUSALS = (
    f"\r\n\r\nGET /no-1 HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {REFUSED}\r\nBad Header\r\n\r\n",
    f"\r\nGET /no-2?token={REFUSED} HTTP/1.1\r\nHost: a\r\nBad Header\r\n\r\n",
    f"GET /no-3;token={REFUSED} HTTP/1.1\r\nHost: a\r\nAuthorization: Basic \r{REFUSED}\r\nX!Token: {REFUSED}\r\n\r\n",
)
ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><w:Security xmlns:w="urn:w">'
    f"<w:UsernameToken><w:Username>news</w:Username><w:Password>{WSSE}</w:Password></w:UsernameToken></w:Security>"
    "</e:Header><e:Body><Nothing/></e:Body></e:Envelope>"
)


# The store has to know what we log in with.
KNOWN = {(f"mmsc.db{ending}", BIND) for ending in ("", "-wal", "-shm")}


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"news:{password}".encode()).decode()


def forms_of(secret: str) -> set[bytes]:
    """As it is, and in base64 wherever it begins there."""
    plain = secret.encode()
    coded = {base64.b64encode(bytes(shift) + plain)[(shift * 4 + 2) // 3 : -4] for shift in range(3)}
    return {plain, *(one.rstrip(b"=")[1:-1] for one in coded)}


VASPS = {
    "news": Vasp(vasp_id="news", username="news", password=BASIC, short_codes=("4488",)),
    "games": Vasp(interface="eaif", username="games", password=EAIF, short_codes=("7255",)),
}


async def say_them(lab: Lab, url: str) -> None:
    to_mm7 = lab.vasp.url
    eaif, mm1 = to_mm7.replace("/mm7", "/eaif"), "http://{}:{}".format(*lab.app.listeners["mm1"])
    header = {"Content-Type": "text/xml", "Cookie": f"a={COOKIE}", "X-Api-Key": KEY}
    digest = f'Digest username="news", realm="MM7", nonce="n", uri="/mm7", response="{DIGEST}"'
    async with aiohttp.ClientSession() as session:
        for to, authorization in (
            (to_mm7, basic(BASIC)),
            (to_mm7, basic(WRONG)),
            (to_mm7, f"Bearer {WRONG}"),
            (f"{to_mm7}?password={QUERY}&x=1", basic(BASIC)),
            (to_mm7, digest),
            (eaif, basic(EAIF)),
            (f"{mm1}/?token={QUERY}", basic(PHONES)),
        ):
            sent = {**header, "Authorization": authorization}
            body = b"no PDU" if to.startswith(mm1) else ENVELOPE.encode()
            async with session.post(to, data=io.BytesIO(body), headers=sent) as answer:
                await answer.read()
    for refused in REFUSALS:
        reader, writer = await asyncio.open_connection(*lab.app.listeners["mm7"])
        writer.write(refused.encode())
        assert b" 400 " in await reader.readline()
        writer.close()
    phone = await lab.phone(PHONE)
    assert isinstance(await lab.vasp.submit(PHONE, content=picture()), mm7.SubmitRsp)
    await phone.until(lambda inbox: bool(inbox.messages))


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


@pytest.mark.slow
async def test_no_secret_is_on_the_disk_or_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CREDENTIALS, "Authorization", basic(BASIC))
    smsc = VirtualSmsc({"mmsc": BIND})
    await smsc.start()
    found: dict[str, bytes] = {}
    bound = {"local": Smsc(port=smsc.port, system_id="mmsc", password=BIND)}
    async with console_lab(tmp_path, smsc=bound, vasp=VASPS) as (lab, url):
        own, lab.smsc = lab.smsc, smsc
        await say_them(lab, url)
        for path in ("/captures.pcapng", "/captures", "/api/v1/captures?limit=1000"):
            async with aiohttp.ClientSession() as session, session.get(url + path) as answer:
                assert answer.status == 200
                found[path] = await answer.read()
        lab.smsc = own
    await smsc.stop()
    found |= files_in(tmp_path)
    assert any(b"POST /mm7?password=************" in octets for octets in found.values()), "they were captured"
    for number in range(len(REFUSALS)):
        assert any(b"GET /no-%d" % (number + 1) in octets for octets in found.values()), number
    forms = {form: secret for secret in SECRETS for form in forms_of(secret)}
    seen = [(Path(name).name, secret) for form, secret in forms.items() for name in found if form in found[name]]
    assert [one for one in seen if one not in KNOWN] == []
