"""Compose and send: what is shown is what goes out, and what a shell or Python sends is the same (TS 23.140 8.7, 8.4;
OMA-TS-MMS_ENC 6.1)."""

import asyncio
import base64
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mmsc.control.sending import Attachment, BadDraft, Draft, Wire, shown
from mmsc.control.sending.draft import As
from mmsc.domain.message import Interface
from mmsc.settings.model import Console, Mm4
from mmsc.settings.neighbours import Peer
from mmsc.trace.events import MmAccepted
from protocols import mm1, mm4, mm7
from protocols.mm1 import MSendReq
from tests.scenarios.conftest import OTHER, PHONE, Lab, open_lab
from tests.tools import needs

PEER = "mmsc.peer.example"
PICTURE = Attachment(
    name="dot.png", content_type="image/png", content_base64=base64.b64encode(bytes(range(256)) * 9).decode()
)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    peer = {"peer": Peer(host="127.0.0.1", port=9, domain=PEER)}
    more = {"console": Console(enabled=True, port=0), "mm4": Mm4(enabled=True, port=0), "peer": peer}
    async with open_lab(tmp_path, **more) as lab:
        yield lab


def draft(**fields: object) -> Draft:
    given = {"to": [PHONE], "text": "Grüße", "attachments": [PICTURE], "subject": "Dot", **fields}
    return Draft(**given)  # type: ignore[arg-type]


def as_vasp(**fields: object) -> Draft:
    return draft(vasp="news", vasp_id="news", **fields)


def accepted(lab: Lab) -> list[MmAccepted]:
    return [event.data for event in lab.app.bus.recent() if isinstance(event.data, MmAccepted)]


@pytest.mark.parametrize(
    ("whom", "fields", "interface"),
    [
        (As.MM7, {"vasp": "news", "vasp_id": "news"}, Interface.MM7),
        (As.MM1, {"number": OTHER}, Interface.MM1),
        (As.MM4, {"sender": "+15559990001", "peer": PEER}, Interface.MM4),
    ],
)
async def test_a_draft_becomes_an_mm_over_the_wire(
    lab: Lab, whom: As, fields: dict[str, str], interface: Interface
) -> None:
    phone = await lab.phone(PHONE)
    sent = await lab.app.operations.control.sending.send(whom, draft(**fields))
    assert sent.ok, sent
    inbox = await phone.until(lambda inbox: bool(inbox.messages))
    message = inbox.messages[0]
    assert [part.content_type.media_type for part in message.parts] == ["application/smil", "image/png", "text/plain"]
    assert message.octets_of(message.parts[1]) == PICTURE.octets()
    (event,) = [one for one in lab.app.bus.recent() if isinstance(one.data, MmAccepted)]
    assert isinstance(event.data, MmAccepted)
    assert (event.data.interface, event.mm_id) == (interface, sent.mm_id)


@pytest.mark.parametrize("way", ["curl", "python"])
@pytest.mark.parametrize("whom", [As.MM7, As.MM1, As.MM4])
async def test_what_is_shown_sends_the_same(lab: Lab, whom: As, way: str, tmp_path: Path) -> None:
    if way == "curl":
        needs("curl")
    fields = {
        As.MM7: {"vasp": "news", "vasp_id": "news"},
        As.MM1: {"number": OTHER},
        As.MM4: {"sender": "+15559990001", "peer": PEER},
    }[whom]
    wire = lab.app.operations.control.sending.wire(whom, draft(**fields))
    text = shown.curl(wire) if way == "curl" else shown.python(wire)
    script = tmp_path / "script"
    script.write_text(text)
    command = ["bash", str(script)] if way == "curl" else [sys.executable, str(script)]
    environment = {"PASSWORD": "secret", "PATH": os.environ["PATH"]}
    child = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        out, err = await child.communicate()
    assert child.returncode == 0, err
    (taken,) = accepted(lab)
    assert (taken.interface, taken.subject) == (whom.value, "Dot"), out
    assert whom is not As.MM7 or taken.transaction_id == wire.transaction_id


async def test_what_is_shown_is_what_goes_out(lab: Lab) -> None:
    sending = lab.app.operations.control.sending
    wire = sending.wire(As.MM7, as_vasp(transaction_id="t 1"))
    read = mm7.decode(dict(wire.headers)["Content-Type"], wire.body)
    assert (read.message.transaction_id, read.findings, wire.refused) == ("t 1", (), "")
    text = shown.raw(wire)
    assert text.startswith("POST /mm7 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert "Authorization: Basic ***" in text
    assert "secret" not in text + shown.curl(wire) + shown.python(wire)
    assert "\\xff\\x00\\x01" in text
    pdu = mm1.decode(sending.wire(As.MM1, draft(number=OTHER)).body).message
    assert isinstance(pdu, MSendReq)
    assert pdu.subject == "Dot"
    mail = sending.wire(As.MM4, draft(sender="+15559990001", peer=PEER))
    forward = mm4.decode(mail.body).message
    assert (forward.to, mail.mail_to) == ((f"{PHONE}/TYPE=PLMN@mms.example",), forward.to)


@pytest.mark.parametrize(
    ("whom", "fields", "rule"),
    [
        (As.MM7, {"message_class": "Foo"}, "MM7-R007"),
        (As.MM7, {"expiry": "tomorrow"}, "MM7-R009"),
        (As.MM7, {"mm7_version": "9.9.9"}, "MM7-R"),
    ],
)
async def test_wrong_on_purpose_is_told_and_sent(lab: Lab, whom: As, fields: dict[str, str], rule: str) -> None:
    wire = lab.app.operations.control.sending.wire(whom, as_vasp(**fields))
    assert any(one.rule.startswith(rule) for one in wire.findings), wire.findings
    sent = await lab.app.operations.control.sending.send(whom, as_vasp(**fields))
    assert sent.http_status in (200, 500)  # a Fault goes with 500 (SOAP 1.1 6.2)
    assert sent.status


@pytest.mark.parametrize(
    ("whom", "fields", "field"),
    [
        (As.MM7, {"namespace": "REL-9"}, "namespace"),
        (As.MM7, {"delivery_report": "maybe"}, "delivery_report"),
        (As.MM7, {"attachments": [Attachment(content_base64="?")]}, "attachments"),
        (As.MM7, {"url": "ftp://127.0.0.1/"}, "url"),
        (As.MM1, {"mms_version": "9"}, "mms_version"),
        (As.MM1, {"priority": "urgent"}, "priority"),
        (As.MM1, {"expiry": "soon"}, "expiry"),
        (As.MM4, {"to": ["a b"], "sender": "+1"}, "to"),
        (As.MM4, {"to": ["x@y.example>\r\nQUIT"], "sender": "+1"}, "to"),
        (As.MM4, {"url": "nowhere"}, "url"),
    ],
)
async def test_what_has_no_octets_is_told_by_its_field(
    lab: Lab, whom: As, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(BadDraft) as caught:
        lab.app.operations.control.sending.wire(whom, draft(**fields))
    assert caught.value.field == field


async def test_nobody_else_is_called_unless_the_settings_say_so(lab: Lab) -> None:
    sending = lab.app.operations.control.sending
    for whom, url in ((As.MM7, "http://192.0.2.1/mm7"), (As.MM1, "http://mmsc.example/"), (As.MM4, "192.0.2.1:25")):
        assert isinstance(sending.wire(whom, draft(url=url, sender="+1")), Wire)
        with pytest.raises(BadDraft, match="is not one of this server's"):
            await sending.send(whom, draft(url=url, sender="+1"))


async def test_a_line_break_in_a_header_goes_nowhere(lab: Lab) -> None:
    """RFC 9110 5.5: no value of a header holds one."""
    for fields in ({"user_agent": "x\r\nX-Evil: 1"}, {"run": "x\nX-Evil: 1"}, {"number": "1\r\n\r\nGET /"}):
        sent = await lab.app.operations.control.sending.send(As.MM1, draft(**{"number": OTHER, **fields}))
        assert not sent.ok
        assert sent.problem
    assert accepted(lab) == []
