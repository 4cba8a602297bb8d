"""How a scenario is carried out: what fails is told with what was there instead, and a lab that cannot be used is no
failure of whoever is tested."""

import pytest

from mmsc.client import Client
from mmsc.scenario.reading import read_text
from mmsc.scenario.record import latest, record
from mmsc.scenario.runner import Runner
from mmsc.scenario.running import run_all
from mmsc.scenario.verdicts import CaseResult, Verdict

NUMBER = "+15550000001"
SUBMIT = "  - submit: {to: +15550000001, subject: Hello, text: Good morning}\n"
NEVER = 'setup:\n  phones: {"+15550000001": never}\n'


def run(lab: Client, steps: str, setup: str = "") -> CaseResult:
    (scenario,) = read_text(f"name: x\n{setup}steps:\n{steps}", "x.yaml")
    return Runner(lab).run(scenario)


def test_what_is_not_as_expected_is_told_in_aligned_lines_with_the_ladder(lab: Client) -> None:
    result = run(
        lab, f"{SUBMIT}  - expect: {{vasp_got: DeliveryReportReq, fields: {{MMStatus: Expired}}, within: 1 s}}\n"
    )
    assert result.verdict is Verdict.FAIL
    step = result.failed
    assert step is not None
    assert (step.number, step.line) == (2, 4)
    assert step.expected == "DeliveryReportReq  MMStatus=Expired"
    assert step.got == "DeliveryReportReq  MMStatus=Retrieved"
    assert step.why.endswith("the nearest of 1 differs in MMStatus")
    (message,) = result.messages
    assert message.mm_id in message.url
    assert "SubmitReq" in message.ladder


def test_what_does_not_come_is_known_at_once_though_its_time_is_long(lab: Client) -> None:
    result = run(
        lab, f"{SUBMIT}  - expect: {{vasp_got: DeliveryReportReq, within: 30 d}}\n", NEVER.replace("never", "silent")
    )
    assert result.verdict is Verdict.PASS  # retrieved, though never acknowledged: five minutes later
    assert result.service < 600_000_000
    result = run(lab, f"{SUBMIT}  - expect: {{vasp_got: ReadReplyReq, within: 30 d}}\n")
    assert result.verdict is Verdict.FAIL
    assert result.service >= 30 * 86_400_000_000


def test_an_answer_is_expected_to_be_1000_unless_something_else_is(lab: Client) -> None:
    result = run(lab, '  - submit: {to: "12", text: x}\n')
    assert result.verdict is Verdict.FAIL
    assert result.failed is not None
    assert result.failed.expected == "SubmitRsp  status_code=1000"
    assert run(lab, '  - submit: {to: "12", text: x, answer: {status_code: 2000..4999}}\n').verdict is Verdict.PASS


def test_what_was_met_once_is_not_met_again(lab: Client) -> None:
    twice = "  - expect: {vasp_got: DeliveryReportReq, within: 1 s}\n" * 2
    result = run(lab, f"{SUBMIT}{twice}")
    assert [one.verdict for one in result.steps] == [Verdict.PASS, Verdict.PASS, Verdict.FAIL]


def test_nothing_says_what_came_instead(lab: Client) -> None:
    result = run(lab, f"{SUBMIT}  - nothing: {{vasp_got: DeliveryReportReq, within: 1 min}}\n")
    assert result.failed is not None
    assert result.failed.why == "something came that should not"
    assert result.failed.got == "DeliveryReportReq"


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (f"{SUBMIT}  - expect: {{vasp_got: x, fields: {{a: $nobody}}}}\n", "$nobody was not saved by any step before"),
        (f"{SUBMIT}  - expect: {{of: other, state: retrieved}}\n", "no message is called 'other'; known: message 1"),
        ("  - repeat: {}\n", "no message was sent before"),
        ("  - clock: backwards\n", "clock: 'backwards' is none of"),
        ("  - phone: {number: +15550000001, does: fetch}\n", "handset +15550000001 has no message to fetch"),
        ("  - phone: {number: +15550000001, does: open_link}\n", "has got no SMS with a link"),
        (f"{SUBMIT[:-2]}, save: {{x: nothing}}}}\n", "there is no nothing to save as $x"),
    ],
)
def test_a_step_that_cannot_be_says_why(lab: Client, steps: str, why: str) -> None:
    result = run(lab, steps)
    assert result.verdict is Verdict.FAIL
    assert result.failed is not None
    assert why in result.failed.why


def test_a_lab_that_has_not_what_is_needed_is_inconclusive(lab: Client) -> None:
    result = run(lab, "  - phone: {number: +19990000000, does: 'off'}\n")
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "HTTP 404" in (result.failed.why if result.failed else "")
    assert run(lab, "  - note: x\n", "setup:\n  vasps: {nobody: {}}\n").why.startswith(
        "the lab cannot be used: HTTP 404"
    )


def test_a_server_that_is_away_is_inconclusive() -> None:
    (scenario,) = read_text(f"name: x\nsteps:\n{SUBMIT}", "x.yaml")
    result = run_all(Client("http://127.0.0.1:9"), [scenario, scenario], keep_going=False)
    assert (result.exit_status, result.left_out) == (3, 1)


def test_faults_are_switched_off_at_the_end(lab: Client) -> None:
    result = run(
        lab,
        "  - submit: {to: +15550000001, text: x, answer: {status_code: 4006}}\n",
        "setup:\n  faults: {mm7-submit-status: {status: 4006}}\n",
    )
    assert result.verdict is Verdict.PASS
    assert lab.get("/faults", on="true")["faults"] == []


def test_the_clock_is_turned_by_steps(lab: Client) -> None:
    result = run(
        lab, "  - clock: step 2 h\n  - clock: speed 60\n  - clock: pause\n  - clock: resume\n  - settle: 1 d\n"
    )
    assert result.verdict is Verdict.PASS
    assert result.service >= 26 * 3_600_000_000


def test_a_draft_of_what_happened_can_be_run_as_it_is(lab: Client) -> None:
    first = run(lab, f"{SUBMIT}  - expect: {{vasp_got: DeliveryReportReq}}\n")
    draft = record(lab, [first.messages[0].mm_id])
    assert "MessageID: $message_id" in draft
    assert "Date: '*'" in draft
    (again,) = read_text(draft, "draft.yaml")
    result = Runner(lab).run(again)
    assert result.verdict is Verdict.PASS, result.failed


def test_a_draft_of_several_messages_keeps_them_apart(lab: Client) -> None:
    run(lab, f"{SUBMIT}{SUBMIT}  - settle: 1 s\n")
    ids = latest(lab, 5)
    assert len(ids) == 2
    (again,) = read_text(record(lab, ids), "draft.yaml")
    assert [one.get("as") for one in again.steps if one.verb == "submit"] == ["m1", "m2"]
    assert Runner(lab).run(again).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "sent",
    [
        "by: rest, sender: +15550000002",
        "by: mm4, peer: mms.far.example, sender: +16660000001",
        "by: mm1, number: +15550000002",
        "by: mm7, vasp: demo, vasp_id: demo, delivery_report: false",
    ],
)
def test_an_mm_is_sent_by_every_interface(lab: Client, sent: str) -> None:
    result = run(
        lab,
        f"  - send: {{{sent}, to: +15550000001, subject: Hello, text: x}}\n"
        "  - expect: {phone_got: message, phone: +15550000001, fields: {subject: Hello, state: here}}\n"
        "  - expect: {state: retrieved}\n",
    )
    assert result.verdict is Verdict.PASS, result.failed
