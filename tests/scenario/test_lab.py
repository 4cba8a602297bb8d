"""`mmsc lab`, and what REST lets programs do with its neighbours."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mmsc.client import ApiError, Client, Handsets, LabProcess, NoLab, start_lab
from mmsc.client.handsets import behaviour_of
from mmsc.client.waiting import until

NUMBER = "+15550000001"


def test_it_says_who_is_there_and_where(running: LabProcess, lab: Client) -> None:
    told = lab.lab()
    assert told["vasps"] == ["demo"]
    assert told["smscs"] == ["builtin"]
    assert told["phones"] == running.told["phones"]
    assert set(told["places"]) == {"console", "mm7", "mm1", "weblink", "mm4", "mm3", "builtin_smsc"}
    assert running.told["vasp"]["url"] == f"{told['places']['mm7']}/mm7"


def test_a_vasp_submits_and_gets_its_report(lab: Client) -> None:
    sent = lab.submit(to=[NUMBER], subject="Hello", text="Good morning", delivery_report=True)
    assert (sent.accepted, sent.status_code, sent.answer) == (True, 1000, "SubmitRsp")
    assert sent.mm_id.isdecimal()
    lab.settle()
    (report,) = lab.received()
    assert report["name"] == "DeliveryReportReq"
    assert report["message"]["MessageID"] == sent.message_id
    assert report["message"]["MMStatus"] == "Retrieved"
    assert lab.received(after=report["number"]) == []
    (message,) = [one for one in Handsets(lab).inbox(NUMBER) if one["kind"] == "message"]
    assert (message["state"], message["subject"]) == ("here", "Hello")


def test_parts_go_as_they_are_given(lab: Client) -> None:
    part = {"content_type": "image/gif", "content_base64": "R0lGODlhAQABAAAAACw=", "name": "dot.gif"}
    assert lab.submit(to=[NUMBER], parts=[part]).accepted
    lab.settle()
    (message,) = [one for one in Handsets(lab).inbox(NUMBER) if one["kind"] == "message"]
    assert "image/gif" in [one["content_type"] for one in message["parts"]]


def test_what_the_mmsc_refuses_is_an_answer_too(lab: Client) -> None:
    refused = lab.submit(to=["12"], text="x")
    assert (refused.accepted, refused.mm_id) == (False, "")
    assert refused.status_code >= 2000


def test_a_lost_answer_is_made_up_for_by_a_repeat(lab: Client) -> None:
    lost = lab.submit(to=[NUMBER], text="once", lose_answer=True)
    assert (lost.status_code, lost.problem) == (0, "the answer was lost on purpose")
    first, second = lab.repeat(lost.transaction_id), lab.repeat(lost.transaction_id)
    assert first.message_id == second.message_id != ""
    lab.settle()
    assert len([one for one in Handsets(lab).inbox(NUMBER) if one["kind"] == "message"]) == 1


def test_an_mm_that_waits_is_withdrawn(lab: Client) -> None:
    Handsets(lab).behave(NUMBER, "never")
    sent = lab.submit(to=[NUMBER], text="never mind")
    assert lab.cancel(sent.message_id).status_code == 1000
    assert lab.cancel("nothing@nowhere").status_code == 2005


def test_a_vasp_answers_as_it_is_told(lab: Client) -> None:
    lab.answers("HTTP 503")
    lab.submit(to=[NUMBER], text="x", delivery_report=True)
    lab.settle()
    assert [one["answer"] for one in lab.received()] == ["HTTP 503"]
    lab.reset()
    assert lab.received() == []
    assert lab.get("/lab/vasps/demo")["answers"] == "1000"


def test_the_smsc_has_moods(lab: Client) -> None:
    lab.mood(statuses=["ESME_RTHROTTLED"])
    sent = lab.submit(to=[NUMBER], text="x")
    assert until(lab, lambda: lab.get("/lab/smscs/builtin")["submitted"] or None)
    failed = [one for one in lab.events(sent.mm_id) if one["kind"].startswith("attempt.")]
    assert "ESME_RTHROTTLED" in failed[0]["data"]["because"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/lab/vasps/nobody", None, 404, "the lab has no VASP 'nobody'; demo it has"),
        ("GET", "/lab/smscs/nobody", None, 404, "the lab has no SMSC"),
        ("PUT", "/lab/vasps/demo", {"answers": "perhaps"}, 400, "'perhaps' is no answer"),
        ("PUT", "/lab/smscs/builtin", {"statuses": ["ESME_NONE"]}, 400, "is no command_status"),
        ("PUT", "/lab/smscs/builtin", {"receipt_state": "LOST"}, 400, "is none of"),
        ("POST", "/lab/vasps/demo/repeat", {"transaction_id": "x"}, 404, "sent nothing as 'x'"),
        ("POST", "/lab/vasps/demo/submit", {"to": ["+1"], "namespace": "REL-99"}, 400, "is no MM7 schema tag"),
        ("POST", "/lab/vasps/demo/submit", {"to": [""]}, 400, "is no address"),
        ("POST", "/lab/vasps/demo/submit", {"parts": [{"content_type": "x", "content_base64": "%"}]}, 400, ""),
        ("POST", "/lab/vasps/demo/submit", {"too": []}, 400, "too"),
    ],
)
def test_what_cannot_be_is_said_in_words(
    lab: Client, method: str, path: str, body: dict[str, object] | None, status: int, words: str
) -> None:
    with pytest.raises(ApiError) as error:
        lab.request(method, path, body=body)
    assert error.value.status == status
    assert words in error.value.detail


def test_behaviours_are_written_in_words() -> None:
    assert behaviour_of("deferred=30+read") == {
        "on_notification": "deferred",
        "wait_seconds": 30.0,
        "read_report": "fetched",
    }
    assert behaviour_of("forward=+15550000002") == {"on_notification": "forward", "forward_to": ["+15550000002"]}
    assert behaviour_of("immediate+off+no-ack") == {
        "on_notification": "immediate",
        "coverage": False,
        "acknowledges": False,
    }
    with pytest.raises(ValueError, match="'perhaps' is none of"):
        behaviour_of("perhaps")


def test_a_handset_is_asked_for_what_it_has(lab: Client) -> None:
    with pytest.raises(ValueError, match="has no message to fetch"):
        Handsets(lab).do(NUMBER, "fetch")
    with pytest.raises(ValueError, match="a handset does not 'dance'"):
        Handsets(lab).do(NUMBER, "dance")


def test_it_ends_with_its_parent_and_leaves_nothing(checkout: None, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-P", "-m", "mmsc", "lab", "--ports", "auto", "--with-parent", "--no-far"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [*command, "--state", "disk", "--ready-file", str(ready)],
        stdin=pipe,
        stdout=pipe,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert json.loads(line) == json.loads(ready.read_text())
    assert [one.name[:9] for one in tmp_path.iterdir() if one.is_dir()] == ["mmsc-lab-"]
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == [ready]


def test_an_interrupt_ends_it(checkout: None) -> None:
    with start_lab(["--no-far"]) as lab:
        os.kill(lab.pid, signal.SIGTERM)
        assert lab.wait() == 0
        assert lab.said() == ""


def test_one_that_does_not_come_up_says_why(checkout: None) -> None:
    with pytest.raises(NoLab, match="No such option"):
        start_lab(["--no-such-option"])
