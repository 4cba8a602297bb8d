"""What each SMTP reply means for a forward (RFC 5321 4.2), against a server that says what it is told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

import pytest

from mmsc.clock import VirtualClock
from mmsc.domain.address import Address, Normalised, NotAnAddress, NumberPlan, Rewrite
from mmsc.domain.message import Content, Job, Part, RecipientId, Role, TaskKind
from mmsc.domain.neighbours import Peer
from mmsc.domain.states import Happening
from mmsc.engine.ports import Delivered, Failed, Later, Mixed, Outcome, Retry
from mmsc.gateways.mm4.courier import Mm4Courier
from mmsc.net.smtp import SmtpSender
from mmsc.trace.captures import WireTap
from protocols import mm4
from tests.gateways.sms.conftest import job

ONE, TWO = "+16660100123", "+16660100124"
CONTENT = Content("application/vnd.wap.multipart.mixed", b"\x01\x02\x01\x83\xaax", (Part("text/plain", "t", "", 5, 1),))
CUT = "cut"


class Held:
    """The one content there is."""

    async def content(self, content_id: object) -> Content:
        return CONTENT


class Plan:
    """Numbers as they are written in North America, whoever writes them."""

    def normalise(self, text: str, neighbour: str = "") -> Normalised | NotAnAddress:
        return NumberPlan().normalise(text)


@dataclass
class Known:
    """The neighbours."""

    peers: Mapping[str, Peer]
    vasps: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Scripted:
    """Answers each command with what `replies` says of it (by its first word, or its whole line), else well."""

    replies: dict[str, str]
    lines: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await self._said(writer, "connect", "220 hello"):
            while line := (await reader.readline()).decode().strip():
                self.lines.append(line)
                word = line.split()[0].upper()
                good = {"DATA": "354 go on", "QUIT": "221 bye"}.get(word, "250 ok")
                if not await self._said(writer, line if line in self.replies else word, good):
                    break
                if word == "DATA" and self.replies.get("DATA", "354").startswith("354"):
                    self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                    if not await self._said(writer, "end", "250 taken"):
                        break
        writer.close()

    async def _said(self, writer: asyncio.StreamWriter, what: str, good: str) -> bool:
        reply = self.replies.get(what, good)
        if reply != CUT:
            writer.write(f"{reply}\r\n".encode())
            await writer.drain()
        return reply != CUT and not reply.startswith(("221", "421"))


@dataclass
class Bench:
    """A courier and the peer it talks to."""

    scripted: Scripted
    courier: Mm4Courier
    clock: VirtualClock
    peers: dict[str, Peer]

    def job(self, *numbers: str) -> Job:
        base = job(TaskKind.FORWARD, self.clock.now(), transaction_id="T1")
        first = base.recipients[0]
        recipients = tuple(
            first._replace(id=RecipientId(index), address=Address.of(number)) for index, number in enumerate(numbers)
        )
        return base._replace(lane="peer:other", recipients=recipients)

    async def deliver(self, *numbers: str, **replies: str) -> Outcome:
        self.scripted.replies = replies
        return await self.courier.deliver(self.job(*numbers))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    clock, scripted = VirtualClock(), Scripted({})
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    peer = Peer(name="other", domain="mms.other.example", host="127.0.0.1", port=port)

    def sender(peer: Peer) -> SmtpSender:
        return SmtpSender(peer.host, peer.port, hostname="mms.home.example", tap=WireTap("mm4", None, clock))

    peers = {"other": peer}
    courier = Mm4Courier(Held(), Known(peers), Plan(), clock, sender, domain="mms.home.example")  # type: ignore[arg-type]
    yield Bench(scripted, courier, clock, peers)
    await courier.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("where", "reply", "expected"),
    [
        ("connect", "421 not now", Retry),
        ("connect", "554 no service", Retry),
        ("connect", CUT, Retry),
        ("EHLO", "421 not now", Retry),
        ("EHLO", CUT, Retry),
        ("MAIL", "421 not now", Later),
        ("MAIL", "451 not now", Retry),
        ("MAIL", "452 full", Later),
        ("MAIL", "550 5.7.1 no", Failed),
        ("MAIL", "552 too large", Failed),
        ("RCPT", "421 not now", Retry),
        ("RCPT", "450 busy", Retry),
        ("RCPT", "451 not now", Retry),
        ("RCPT", "452 too many", Later),
        ("RCPT", "552 too many", Later),
        ("RCPT", "550 5.1.1 unknown", Failed),
        ("RCPT", "551 moved", Failed),
        ("RCPT", "553 no mailbox", Failed),
        ("DATA", "451 not now", Retry),
        ("DATA", "554 no", Failed),
        ("end", "421 not now", Retry),
        ("end", "450 not now", Retry),
        ("end", "451 not now", Retry),
        ("end", "452 full", Later),
        ("end", "550 no", Failed),
        ("end", "552 5.3.4 too large", Failed),
        ("end", "554 no", Failed),
        ("end", CUT, Retry),
    ],
)
async def test_each_reply_has_its_meaning(bench: Bench, where: str, reply: str, expected: type[Outcome]) -> None:
    outcome = await bench.deliver(ONE, **{where: reply})
    if isinstance(outcome, Mixed):
        (outcome,) = outcome.outcomes.values()
    assert isinstance(outcome, expected), outcome
    if isinstance(outcome, Failed):
        assert outcome.happening is Happening.REFUSED_BY_PEER
        assert reply.split()[0] in outcome.because, "the report tells the peer's own code"
    else:
        assert outcome.because  # type: ignore[union-attr]
    assert isinstance(await bench.deliver(ONE), Delivered), "and the next attempt goes well"


@pytest.mark.parametrize(
    ("where", "reply", "expected"),
    [("MAIL", "251 fine", Delivered), ("RCPT", "252 I think so", Delivered), ("DATA", "250 done", Retry)],
)
async def test_a_code_means_what_its_first_digit_says(
    bench: Bench, where: str, reply: str, expected: type[Outcome]
) -> None:
    """RFC 5321 4.2; but who answers DATA with 250 got no mail."""
    assert isinstance(await bench.deliver(ONE, **{where: reply}), expected)
    assert bool(bench.scripted.mails) == (expected is Delivered)


@pytest.mark.parametrize("rset", [CUT, "421 bye", "502 what?"])
@pytest.mark.parametrize(("reply", "expected"), [("450 busy", Retry), ("550 no", Failed)])
async def test_what_follows_a_refusal_of_all_changes_nothing(
    bench: Bench, reply: str, expected: type[Outcome], rset: str
) -> None:
    """A peer that knows no RSET, or hangs up on who asks for nobody it knows."""
    outcome = await bench.deliver(ONE, RCPT=reply, RSET=rset)
    assert isinstance(outcome, Mixed)
    assert [type(one) for one in outcome.outcomes.values()] == [expected]
    assert isinstance(await bench.deliver(ONE, RSET=rset), Delivered)


@pytest.mark.parametrize("where", ["MAIL", "RCPT", "DATA", "end"])
async def test_a_mail_that_breaks_its_session_counts_as_an_attempt(bench: Bench, where: str) -> None:
    """Else it would be sent every second as long as others go well, and pause the lane for them."""
    outcome = await bench.deliver(ONE, **{where: CUT})
    assert isinstance(outcome, Retry)
    assert outcome.neighbour_down
    assert outcome.wait_seconds > 0


async def test_nobody_listens(bench: Bench) -> None:
    await bench.courier.close()
    peer = Peer(name="other", domain="mms.other.example", host="127.0.0.1", port=1)
    tap = WireTap("mm4", None, bench.clock)
    sender = SmtpSender(peer.host, peer.port, hostname="x.example", tap=tap)
    known = Known({"other": peer})
    gone = Mm4Courier(Held(), known, Plan(), bench.clock, lambda peer: sender, domain="x.example")  # type: ignore[arg-type]
    outcome = await gone.deliver(bench.job(ONE))
    assert isinstance(outcome, Retry)
    assert (outcome.neighbour_down, outcome.wait_seconds) == (True, 0), "no attempt of this task"


async def test_an_older_server_knows_only_helo(bench: Bench) -> None:
    """RFC 5321 4.1.1.1."""
    assert isinstance(await bench.deliver(ONE, EHLO="502 what?"), Delivered)
    assert any(line.startswith("HELO") for line in bench.scripted.lines)


async def test_too_many_at_rcpt_the_rest_follows_at_once(bench: Bench) -> None:
    """RFC 5321 4.5.3.1.10."""
    second = f"RCPT TO:<{TWO}/TYPE=PLMN@mms.other.example>"
    outcome = await bench.deliver(ONE, TWO, **{second: "452 4.5.3 too many recipients"})
    assert isinstance(outcome, Mixed)
    taken, left = outcome.outcomes.values()
    assert isinstance(taken, Delivered)
    assert isinstance(left, Later)
    assert left.seconds == 0


@pytest.mark.parametrize(("end", "seconds"), [("451 not now", 60), ("452 full", 60), ("554 no", 0), ("250 ok", 0)])
async def test_too_many_at_rcpt_and_nobody_taken(bench: Bench, end: str, seconds: float) -> None:
    """Where the mail was put off as well, a further one at once would bring the same, again and again."""
    second = f"RCPT TO:<{TWO}/TYPE=PLMN@mms.other.example>"
    outcome = await bench.deliver(ONE, TWO, **{second: "452 4.5.3 too many recipients", "end": end})
    assert isinstance(outcome, Mixed)
    _, left = outcome.outcomes.values()
    assert isinstance(left, Later)
    assert left.seconds == seconds


async def test_recipients_that_fare_differently(bench: Bench) -> None:
    second = f"RCPT TO:<{TWO}/TYPE=PLMN@mms.other.example>"
    outcome = await bench.deliver(ONE, TWO, **{second: "550 5.1.1 unknown", "end": "451 not now"})
    assert isinstance(outcome, Mixed)
    later, refused = outcome.outcomes.values()
    assert isinstance(later, Retry)
    assert isinstance(refused, Failed)


@pytest.mark.parametrize(
    ("rewrites", "spelling"),
    [
        ((), "+16660100123/TYPE=PLMN"),
        ((Rewrite("+1", "001"),), "0016660100123/TYPE=PLMN"),
        ((Rewrite("+1666", "0"), Rewrite("+", "00")), "00100123/TYPE=PLMN"),
    ],
)
async def test_numbers_are_told_as_the_peer_spells_them(
    bench: Bench, rewrites: tuple[Rewrite, ...], spelling: str
) -> None:
    """Envelope and To say the same, however the originator wrote the number: else the peer would take it for Bcc."""
    bench.peers["other"] = replace(bench.peers["other"], rewrites_out=rewrites)
    job = bench.job(ONE)
    assert job.mm is not None
    job = job._replace(mm=job.mm._replace(shown_to=((Role.TO, "666-010-0123"), (Role.CC, "friend@mail.example"))))
    assert isinstance(await bench.courier.deliver(job), Delivered)
    assert f"RCPT TO:<{spelling}@mms.other.example>" in bench.scripted.lines
    head = bench.scripted.mails[0].partition(b"\r\n\r\n")[0].decode()
    assert f"\r\nTo: {spelling}\r\n" in head
    assert "\r\nCc: friend@mail.example\r\n" in head


@pytest.mark.parametrize("flag", ["true", "false"])
async def test_what_a_vasp_asked_for_travels_on(bench: Bench, flag: str) -> None:
    """TS 23.140 8.4.4: application addressing, content class and DRM flag have fields of their own."""
    wishes = {"applic_id": "chess", "reply_applic_id": "desk", "aux_applic_info": "move 7"}
    base = bench.job(ONE)
    details = {**wishes, "content_class": "Image-Basic", "drm_content": flag, "vasp_id": "news"}
    mm = base.stored_mm._replace(details=details, adaptation_allowed=False)
    assert isinstance(await bench.courier.deliver(base._replace(mm=mm)), Delivered)
    [mail] = bench.scripted.mails
    request = mm4.decode(mail.removesuffix(b".\r\n")).message
    assert isinstance(request, mm4.ForwardReq)
    assert {name: getattr(request, name) for name in wishes} == wishes
    assert (request.content_class, request.drm_content) == ("image-basic", flag == "true")
    assert request.adaptation_allowed is False
