"""Whatever octets a VASP sends, as a request or as an answer to a report: it is told in MM7, and nothing else escapes
(TS 23.140 8.7.8)."""

import random
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.domain.changes import Asked, Changed, Replacement
from mmsc.domain.message import MmId, Submission
from mmsc.domain.neighbours import Vasp
from mmsc.engine.ports import Accepted, Delivered, Failed, Later, Retry
from mmsc.gateways.mm7.courier import judge
from mmsc.gateways.mm7.server import Mm7Server
from mmsc.net.http import HttpRequest
from mmsc.net.http_client import HttpReply
from protocols import mm7
from tests.cases import cases

PIECES = (
    *(b"<", b">", b"&", b"&amp;", b"&#0;", b"&#xD800;", b"<!--x-->", b"<![CDATA[x]]>", b"<?x y?>", b"<!DOCTYPE a>"),
    *(b"\0", b"\xff", b"\xc3", b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n\r\n", b"9" * 5000, "\u0663\u00b2".encode()),
    *(
        b"0001-01-01T00:00:00+14:00",
        b"9999-12-31T23:59:59-14:00",
        b"2026-02-30T25:61:61Z",
        b"2026-01-01T00:00:00+99:99",
    ),
    *(b"P99999999999D", b"P999999999Y", b"-P1D", b"PT1e9S", b"cid:%ff%00", b"=?utf-8?B?YQ?=", b"=?x?Q?=ff?=", b"1000"),
    *(b" xmlns='urn:x'", b" xmlns:a='b' a:href='x'", b"Fault", b"SubmitReq", b"StatusCode", b"RSErrorRsp"),
)
TYPES = (
    *("", ";", "text/xml; charset=utf-7", "text/xml; charset=\udcff", "text/xml; charset=utf-16", "multipart/related"),
    *("multipart/related; boundary=", "multipart/related; boundary=\udcff; start=<", 'multipart/related; boundary="b'),
)


def damaged(chance: random.Random, octets: bytes) -> bytes:
    """The octets with one to three wounds."""
    wounded = bytearray(octets)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(wounded) + 1)
        end = wounded.find(b"<", wounded.find(b">", at) + 1)
        match chance.randrange(4):
            case 0:
                wounded[at:at] = chance.choice(PIECES)
            case 1:
                del wounded[at : at + chance.choice((1, 8, 50))]
            case 2:
                wounded[at : at + 1] = bytes((chance.randrange(256),))
            case _:  # the text of an element
                wounded[wounded.find(b">", at) + 1 : max(end, 0)] = chance.choice(PIECES)
    return bytes(wounded)


ANSWERS = (
    *(mm7.SubmitRsp, mm7.CancelRsp, mm7.ReplaceRsp, mm7.ExtendedCancelRsp, mm7.ExtendedReplaceRsp),
    mm7.Fault,
)


class Engine:
    """Takes everything."""

    async def accept(self, submission: Submission, *, res: object = None) -> Accepted:
        assert submission.recipients
        return Accepted(MmId(1), "m-1")

    async def cancel(self, asked: Asked) -> Changed:
        return Changed(MmId(1), 1)

    async def replace(self, asked: Asked, change: Replacement) -> Changed:
        return Changed(MmId(1), 1, (("+1", "late"),))

    async def extended_cancel(self, asked: Asked) -> Changed:
        return Changed(MmId(1), 0, (("+1", "late"),))

    async def extended_replace(self, asked: Asked, change: Replacement) -> Accepted:
        return Accepted(MmId(1), "m-1")


def headers(**values: str) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict({name.replace("_", "-"): value for name, value in values.items()}))


@pytest.mark.parametrize("errors", ["auto", "rsp", "fault"])
async def test_whatever_comes_the_answer_is_mm7(errors: str) -> None:
    directory: Any = SimpleNamespace(vasps={"open": replace(Vasp(name="open"), errors=errors)})
    engine: Any = Engine()
    server = Mm7Server(engine, engine, directory)
    chance = random.Random(errors)
    seen = set()
    for case in cases("mm7") * 40:
        content_type = chance.choice(TYPES) if chance.random() < 0.1 else "text/xml"
        body = damaged(chance, case.octets)
        request = HttpRequest("POST", "/mm7", "", headers(Content_Type=content_type), body, "127.0.0.1", 1)
        answer = await server.handle(request)
        if answer.status == 415:
            continue
        message = mm7.decode(answer.content_type, answer.body).message.message
        assert isinstance(message, ANSWERS)
        if isinstance(message, mm7.SubmitRsp):
            assert message.status.code.is_success == bool(message.message_id)
        seen.add(int(message.status.code))
    assert seen >= {1000, 2007, 4002, 4003, 4004}


def test_whatever_a_vasp_answers_is_an_outcome() -> None:
    chance = random.Random(4)
    dates = ("7", "soon", "Sun, 06 Nov 1994 08:49:37 +9999999999999999", f"Sun, 06 Nov {'9' * 5000} 08:49:37 GMT")
    seen = set()
    for case in cases("mm7") * 40:
        told = headers(
            Content_Type=chance.choice((*TYPES, "text/xml")),
            Retry_After=chance.choice(dates),
            Date="Sun, 06 Nov 1994 08:49:37 GMT",
        )
        status = chance.choice((200, 204, 302, 401, 404, 500, 503))
        seen.add(type(judge(HttpReply(status, told, damaged(chance, case.octets)), chance.randrange(9))))
    assert seen == {Delivered, Failed, Later, Retry}
