"""What a VASP may put in the place of what it sent, and what is kept of its asking (TS 23.140 8.7.3): a whole MMSC over
real sockets."""

from pathlib import Path

import pytest

from mmsc.trace import events as trace
from protocols import mime, mm7
from protocols.content_type import ContentType
from tests.gateways.mm7.test_who_may import ask, lab_with, news, refusals
from tests.scenarios.conftest import LATEST, PHONE, Lab

VIDEO = mime.OutPart(ContentType("video/3gpp"), b"film", "n", "n.3gp")


async def told(
    lab: Lab, request: mm7.Message, content: mime.OutPart | None = None, name: str = "c1"
) -> mm7.Message | None:
    assert LATEST is not None
    envelope = mm7.Envelope(name, LATEST, request)
    content_type, body = mm7.encode(envelope) if content is None else mm7.encode_with_content(envelope, content, "seed")
    return (await lab.vasp.post(content_type, body))[1]


@pytest.mark.parametrize("extended", [False, True])
async def test_what_it_may_not_send_it_may_not_put_in_its_place(tmp_path: Path, extended: bool) -> None:
    async with lab_with(tmp_path, news=news(content_types=("image/*", "text/plain"))) as lab:
        request: mm7.Message = mm7.ReplaceReq(vasp_id="news", message_id="1@mms.example", content_href="cid:n")
        if extended:
            request = mm7.ExtendedReplaceReq(vasp_id="news", replace_id="1@mms.example", content_href="cid:n")
        answer = await told(lab, request, VIDEO)
        assert isinstance(answer, mm7.ReplaceRsp | mm7.ExtendedReplaceRsp), answer
        why = "n.3gp is video/3gpp, this VASP may send image/*, text/plain"
        assert (answer.status.code, answer.status.details) == (2004, why)
        [refused] = await refusals(lab, 1)
        assert (refused.reason, refused.because) == ("content_refused", why)


async def test_another_mm_in_its_place_counts_as_one_more(tmp_path: Path) -> None:
    async with lab_with(tmp_path, news=news(messages_per_second=0.01, burst=1)) as lab:
        assert (await ask(lab)).code == 1000
        answer = await told(lab, mm7.ExtendedReplaceReq(vasp_id="news", replace_id="1@mms.example"))
        assert isinstance(answer, mm7.ExtendedReplaceRsp), answer
        assert answer.status.code == 4006
        answer = await told(lab, mm7.CancelReq(vasp_id="news", message_id="1@mms.example"))
        assert isinstance(answer, mm7.CancelRsp), answer
        assert answer.status.code == 2005


@pytest.mark.parametrize(
    "request_",
    [
        mm7.CancelReq(vasp_id="news", message_id="1@mms.example"),
        mm7.ExtendedReplaceReq(vasp_id="news", replace_id="1@mms.example"),
    ],
)
async def test_a_transaction_id_without_end_is_kept_nowhere(tmp_path: Path, request_: mm7.Message) -> None:
    """It is told with each of the recipients."""
    async with lab_with(tmp_path, news=news()) as lab:
        answer = await told(lab, request_, name="x" * 1025)
        assert isinstance(answer, mm7.Fault), answer
        assert answer.status.code == 2007
        assert "TransactionID: 1025 characters, the limit is 1024" in answer.status.details


async def test_what_there_is_to_remark_about_a_cancel_is_in_the_trace(tmp_path: Path) -> None:
    async with lab_with(tmp_path, news=news()) as lab:
        rsp = await lab.vasp.submit(PHONE)
        assert isinstance(rsp, mm7.SubmitRsp), rsp
        answer = await told(lab, mm7.CancelReq(mm7_version="", vasp_id="news", message_id=rsp.message_id))
        assert isinstance(answer, mm7.CancelRsp), answer
        with lab.app.bus.watch(replay=True) as watcher:
            event = await watcher.until(lambda event: isinstance(event.data, trace.FindingNoted))
        assert isinstance(event.data, trace.FindingNoted)
        assert (event.data.rule, event.data.remark) == ("MM7-R006", "CancelReq in line 2: MM7Version is missing")
