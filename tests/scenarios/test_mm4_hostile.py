"""A foreign MMSC that answers each command as it likes, says everything twice or too early, and hangs up anywhere,
while our process is killed: whatever it does, each recipient gets an MM once and each ends with one report
(semantics 1, 3, 9)."""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import aiohttp
import aiosmtplib
import pytest
from aiohttp import web

from mmsc.lab.handset import Handset
from mmsc.lab.smsc import VirtualSmsc
from protocols import mm4, mm7
from protocols.mm4 import MmStatusCode
from tests.scenarios.conftest import Client, free_port, picture
from tests.scenarios.serving import start

HOME, FAR = "mms.home.example", "mms.far.example"
SYSTEM = f"mms-system@{FAR}"
THEIRS = tuple(f"+166601001{number:02d}" for number in range(4))
OURS = tuple(f"+155501003{number:02d}" for number in range(3))
_CONFIG = """
[node]
domain = "mms.home.example"
[numbers]
own_prefixes = ["+1555"]
default_smsc = "local"
[notification]
renotify_after_seconds = [1.0]
unacknowledged_after_seconds = 1.0
[delivery.vasp]
waits_seconds = [0.2]
[delivery.peer]
waits_seconds = [0.1]
timeout_seconds = 2.0
[store]
path = "{folder}/mmsc.db"
[trace]
captures_path = "{folder}/captures"
[mm1]
port = {mm1}
[mm4]
port = {mm4}
resend_after_seconds = [0.3, 0.3, 0.3]
[mm7]
port = {mm7}
[weblink]
enabled = false
[smsc.local]
port = {smsc}
system_id = "mmsc"
password = "secret"
[vasp.news]
vasp_id = "news"
username = "news"
password = "secret"
short_codes = ["4488"]
report_url = "http://127.0.0.1:{reports}/"
[peer.far]
domain = "mms.far.example"
host = "127.0.0.1"
port = {far}
prefixes = ["+1666"]
"""
_MOODS = {
    "MAIL": ("451 not now", ""),  # no 421 or 452: they are believed for a minute
    "RCPT": ("450 greylisted", "451 not now", "421 bye", ""),
    "DATA": ("451 not now", "250 what?", ""),
    "end": ("421 bye", "451 not now", ""),
    "RSET": ("502 what?", "421 bye", ""),
}


@dataclass
class Moody:
    """The foreign MMSC. While it is `moody`, a third of its answers are not what one hopes for; "" hangs up."""

    chance: Random
    port: int
    moody: bool = True
    forwards: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    answers: dict[str, list[mm4.Message]] = field(default_factory=lambda: defaultdict(list))
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    doing: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._session(reader, writer)
        writer.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 well\r\n")
        to: list[str] = []
        while line := (await reader.readline()).decode().strip():
            word = line.partition(" ")[0].upper()
            reply = self._mood(word) or {"DATA": "354 go on", "QUIT": "221 bye"}.get(word, "250 ok")
            if word == "MAIL":
                to = []
            elif word == "RCPT" and reply.startswith("250"):
                to.append(line.partition("<")[2].partition("/")[0])
            elif word == "DATA" and reply.startswith("354"):
                writer.write(b"354 go on\r\n")
                octets = (await reader.readuntil(b"\r\n.\r\n")).replace(b"\r\n.", b"\r\n")
                reply = self._mood("end") or "250 taken"
                if reply.startswith(("250", "cut")):
                    self._took(octets, to)
            if reply == "cut":
                return
            writer.write(f"{reply}\r\n".encode())
            if reply.startswith(("221", "421")):
                return

    def _mood(self, word: str) -> str:
        if not self.moody or word not in _MOODS or self.chance.random() > 0.3:
            return ""
        return self.chance.choice(_MOODS[word]) or "cut"

    def _took(self, octets: bytes, to: list[str]) -> None:
        message = mm4.decode(octets).message
        if not isinstance(message, mm4.ForwardReq):
            self.answers[message.message_id].append(message)
            self.heard.set()
            return
        for one in to:
            self.forwards[message.message_id][one].add(message.transaction_id)
        self.do(self._news(message, to))

    async def _news(self, forward: mm4.ForwardReq, to: list[str]) -> None:
        """The RES, and a report for each: in any order, some twice, while it is moody some never."""
        tid, message_id = forward.transaction_id, forward.message_id
        res = mm4.ForwardRes(transaction_id=tid, message_id=message_id, sender=SYSTEM)
        news: list[mm4.Message] = [res, *(report_of(message_id, one) for one in to)]
        if self.moody:
            news = self.chance.choices(news, k=len(news))
        for message in news:
            await self.tell(mm4.encode(message), [f"mms-system@{HOME}"], mail_from=self.chance.choice((SYSTEM, "")))

    async def report_all(self) -> None:
        """What is owed about all that it ever took, once more."""
        for message_id, to in list(self.forwards.items()):
            for one in list(to):
                await self.tell(mm4.encode(report_of(message_id, one)), [f"mms-system@{HOME}"])

    async def tell(self, octets: bytes, to: list[str], mail_from: str = SYSTEM) -> None:
        """A mail of its own, tried until it is taken; now and then it is sent again all the same."""
        while True:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self.port, start_tls=False, timeout=2) as client:
                    await client.sendmail(mail_from, to, octets)
                if not self.moody or self.chance.random() < 0.7:
                    return
            await asyncio.sleep(0.05)

    def do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self.doing.add(task)
        task.add_done_callback(self.doing.discard)


def report_of(message_id: str, recipient: str) -> mm4.DeliveryReportReq:
    return mm4.DeliveryReportReq(
        transaction_id=f"r{recipient}",
        message_id=message_id,
        sender=SYSTEM,
        from_=recipient,
        mm_status_code=MmStatusCode.RETRIEVED,
        ack_request=True,
    )


@dataclass
class World:
    """Both MMSCs, and those who use ours."""

    far: Moody
    vasp: Client
    phones: list[Handset]
    config: Path
    started: list[asyncio.subprocess.Process]

    async def kill(self) -> None:
        self.started[-1].kill()
        await self.started[-1].wait()
        await start(self.config, self.started)


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    smsc, started = VirtualSmsc({"mmsc": "secret"}), list[asyncio.subprocess.Process]()
    await smsc.start()
    ports = {name: free_port() for name in ("mm1", "mm4", "mm7")}
    far = Moody(Random(request.param), ports["mm4"])
    async with contextlib.AsyncExitStack() as stack:
        listener = await asyncio.start_server(far.serve, "127.0.0.1", 0, limit=1 << 20)
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)))
        vasp = Client(f"http://127.0.0.1:{ports['mm7']}/mm7", session)
        runner = web.ServerRunner(web.Server(vasp.take))
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports |= {"smsc": smsc.port, "reports": runner.addresses[0][1], "far": listener.sockets[0].getsockname()[1]}
        phones = [Handset(number, f"http://127.0.0.1:{ports['mm1']}/") for number in OURS]
        for phone in phones:
            await stack.enter_async_context(phone)
            smsc.register(phone.number, phone.on_push, phone.on_sms)
        config = tmp_path / "mmsc.toml"
        config.write_text(_CONFIG.format(folder=tmp_path, **ports))
        await start(config, started)
        yield World(far, vasp, phones, config, started)
        for process in started:
            if process.returncode is None:
                process.kill()
                await process.wait()
        for task in far.doing:
            task.cancel()
        await asyncio.gather(*far.doing, return_exceptions=True)
        listener.close()
    await smsc.stop()


async def submit_all(world: World, accepted: set[str]) -> None:
    for number in range(12):
        to = world.far.chance.sample(THEIRS, world.far.chance.randint(1, len(THEIRS)))
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError, AssertionError, TimeoutError):
                answer = await world.vasp.submit(*to, content=picture(), transaction_id=f"s{number}")
                assert isinstance(answer, mm7.SubmitRsp)
                accepted.update(f"{answer.message_id} {one}" for one in to)
                break
            await asyncio.sleep(0.05)


async def forward_all(world: World, sent: set[str]) -> None:
    """MMs for our subscribers; some through a relay that splits them, some a second time."""
    far = world.far
    for number in range(12):
        to = far.chance.sample(OURS, far.chance.randint(1, len(OURS)))
        head = mm4.ForwardReq(
            transaction_id=f"t{number}",
            message_id=f"m{number}@{FAR}",
            from_=f"{THEIRS[0]}/TYPE=PLMN",
            to=tuple(f"{one}/TYPE=PLMN" for one in to),
            subject=f"{number}",
            originator_system=SYSTEM,
            ack_request=True,
            delivery_report=True,
        )
        pieces = [[one] for one in to] if far.chance.random() < 0.4 else [to]
        for piece in pieces:
            await far.tell(mm4.encode(head), [f"{one}/TYPE=PLMN@{HOME}" for one in piece])
        sent.update(f"{head.message_id} {one}" for one in to)


@pytest.mark.slow
@pytest.mark.parametrize("world", range(3), indirect=True)
async def test_whatever_a_peer_does_and_whenever_we_are_killed(world: World) -> None:
    accepted, sent = set[str](), set[str]()
    work = asyncio.gather(submit_all(world, accepted), forward_all(world, sent))
    for _ in range(3):
        await asyncio.sleep(world.far.chance.uniform(0.2, 0.8))
        await world.kill()
    await work
    world.far.moody = False
    await world.far.report_all()
    reports: dict[str, str] = {}
    async with asyncio.timeout(90):
        while not accepted <= reports.keys():
            report = await world.vasp.reports.get()
            reports[f"{report.message_id} {report.recipient.value}"] = report.mm_status
        while not sent <= reported(world.far).keys():
            world.far.heard.clear()
            await world.far.heard.wait()
    assert set(reports.values()) == {"Retrieved"}
    assert len(set(world.vasp.report_ids)) == len(accepted), "one report for each, though it may be told again"
    assert {f"{mm} {one}" for mm, to in world.far.forwards.items() for one in to} == accepted
    for to in world.far.forwards.values():
        assert len(set().union(*to.values())) == 1, "what is sent again carries the same ids"
    assert set(reported(world.far).values()) == {1}
    for phone in world.phones:
        got = Counter(one.transaction_id for one in phone.inbox.notifications)
        assert len(got) == sum(one.endswith(phone.number) for one in sent)
    for number in range(12):
        answers = [one for one in world.far.answers[f"m{number}@{FAR}"] if isinstance(one, mm4.ForwardRes)]
        assert {(one.transaction_id, one.request_status_code.value) for one in answers} == {(f"t{number}", "Ok")}


def reported(far: Moody) -> dict[str, int]:
    """How many reports there were about each recipient of what came from there."""
    found: dict[str, set[str]] = defaultdict(set)
    for mm, answers in far.answers.items():
        for one in answers:
            if isinstance(one, mm4.DeliveryReportReq):
                found[f"{mm} {one.from_.partition('/')[0]}"].add(one.transaction_id)
    return {key: len(ids) for key, ids in found.items()}
