"""What a VASP is told when we fail at its request (TS 23.140 8.7.8.3)."""

from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.domain.message import Origin
from mmsc.domain.neighbours import Vasp
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.gateways.mm7 import failures, server
from mmsc.gateways.mm7.server import Mm7Server
from mmsc.net.http import HttpAnswer, HttpRequest
from protocols import mm7
from protocols.mm7 import StatusCode
from tests.cases import cases

SUBMIT = next(case for case in cases("mm7") if case.stem == "11-submit-req-rel-6-mm7-1-4")


class Broken:
    """An engine with a bug."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, Refused]] = []

    async def accept(self, submission: object) -> object:
        raise KeyError(submission)

    async def note_refused(self, origin: Origin, refused: Refused, *, times: int = 1, run: str = "") -> None:
        self.noted += [(origin.neighbour, refused)] * times


def broken() -> tuple[Mm7Server, Broken]:
    engine: Any = Broken()
    directory: Any = SimpleNamespace(vasps={"news": Vasp(name="news", fault_http_status=400)})
    return Mm7Server(engine, engine, directory), engine


async def ask(mmsc: Mm7Server, transaction_id: str) -> tuple[HttpAnswer, mm7.Envelope]:
    told = mm7.decode("text/xml", SUBMIT.octets).message.transaction_id
    body = SUBMIT.octets.replace(f">{told}<".encode(), f">{transaction_id}<".encode())
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": "text/xml"}))
    answer = await mmsc.handle(HttpRequest("POST", "/mm7", "", headers, body, "127.0.0.1", 1))
    if answer.after is not None:
        await answer.after(True)
    return answer, mm7.decode(answer.content_type, answer.body).message


def code_of(envelope: mm7.Envelope) -> int:
    assert isinstance(envelope.message, mm7.Fault | mm7.SubmitRsp)
    return int(envelope.message.status.code)


async def test_a_bug_is_3000_and_a_request_that_meets_it_each_time_4005(caplog: pytest.LogCaptureFixture) -> None:
    mmsc, engine = broken()
    for expected in (3000, 3000, 3000, 4005, 4005):
        answer, envelope = await ask(mmsc, "poison")
        assert (code_of(envelope), envelope.transaction_id) == (expected, "poison")
    assert code_of((await ask(mmsc, "another"))[1]) == 3000
    assert answer.status == 200, "an Rsp: the request was understood"
    assert len(caplog.records) == 6
    assert caplog.records[0].exc_info is not None
    assert {(name, refused.reason) for name, refused in engine.noted} == {("news", RefusalReason.SERVER_FAILED)}


async def test_a_bug_of_the_reader_is_3000_too(monkeypatch: pytest.MonkeyPatch) -> None:
    mmsc, _ = broken()

    def decode(*_: object) -> object:
        raise RecursionError

    with monkeypatch.context() as patched:
        patched.setattr(server, "mm7", SimpleNamespace(decode=decode))
        headers = CIMultiDictProxy(CIMultiDict({"Content-Type": "text/xml"}))
        answer = await mmsc.handle(HttpRequest("POST", "/mm7", "", headers, b"<a/>", "127.0.0.1", 1))
    message = mm7.decode(answer.content_type, answer.body).message.message
    assert isinstance(message, mm7.Fault)
    assert (answer.status, message.fault_code, message.status.code) == (500, "Server", StatusCode.SERVER_ERROR)


async def test_only_the_last_failures_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "_REMEMBERED", 2)
    mmsc, _ = broken()
    for _ in range(3):
        await ask(mmsc, "poison")
    for transaction_id in ("a", "b", "poison"):
        assert code_of((await ask(mmsc, transaction_id))[1]) == 3000
