"""Sentences of how MMs are taken, brought and reported."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from mmsc.trace import events as trace
from mmsc.trace.sentences.words import (
    Words,
    clock_time,
    neighbour,
    octets,
    short_work,
    state_word,
    together,
    with_reason,
    work,
)


def _accepted(data: trace.MmAccepted) -> Words:
    people = "1 recipient" if data.recipients == 1 else f"{data.recipients} recipients"
    whence = data.neighbour or data.interface
    size = octets(data.size_octets)
    return f"taken from {whence}", f"Taken from {whence} over {data.interface.upper()}: {people}, {size}"


def _repeated(data: trace.SubmissionRepeated) -> Words:
    told = "Got the stored answer, nothing was stored anew"
    return f"repeat from {data.neighbour}: stored answer", f"{data.neighbour} sent the same request again. {told}"


def _refused(data: trace.SubmissionRefused) -> Words:
    whom = f" for {data.address}" if data.address else ""
    times = f" ({data.times} times)" if data.times > 1 else ""
    why = with_reason(data.reason.replace("_", " "), data.because)
    return f"refused: {data.because or data.reason}", f"Submission from {data.neighbour}{whom} refused{times}: {why}"


def _routed(data: trace.RouteChosen) -> Words:
    target = f"{data.route} {data.target}".strip()
    return f"route: {target}", f"{data.address} goes to {target}: {data.why}"


def _decided(data: trace.CapabilityDecided) -> Words:
    evidence = "; ".join(data.evidence) or "nothing is known of it"
    return f"handset: {data.verdict}", f"The handset of {data.address} is {data.verdict} of MMS: {evidence}"


def _pushed(data: trace.NotificationPushed) -> Words:
    push = f"push {data.push}, " if data.push > 1 else ""
    segments = f"{len(data.remote_ids)} SMS" if data.remote_ids else "the SMS"
    return f"{push}notification taken by {data.smsc}", f"{data.smsc} took push {data.push} ({segments})"


def _fetched(data: trace.MmFetched) -> Words:
    who = f" by {data.user_agent}" if data.user_agent else ""
    return "fetched, no answer yet", f"All octets of the m-retrieve-conf were written{who}"


def _moved(data: trace.RecipientMoved) -> Words:
    after = state_word(data.after)
    text = with_reason(f"{state_word(data.before)} to {after}", data.because)
    told = ""
    if data.report:
        told = f". A report is owed to {neighbour(data.report)}"
    elif data.no_report:
        told = f". No report: {data.no_report}"
    return with_reason(after, data.because), f"{text[:1].upper()}{text[1:]}{told}"


def _ignored(data: trace.AnswerIgnored) -> Words:
    what = data.happening.replace("_", " ")
    whence = f" from {data.source}" if data.source else ""
    return (
        f"{what} ignored: {state_word(data.state)}",
        f"{what}{whence} changes nothing: the state is {state_word(data.state)}",
    )


def _forwarded(data: trace.ForwardSent) -> Words:
    people = "1 recipient" if len(data.recipients) == 1 else f"{len(data.recipients)} recipients"
    again = "again, " if data.resent else ""
    awaited = "; its RES is awaited" if data.answer_expected else ""
    text = f"{data.peer} took the MM4_forward.REQ {again}attempt {data.attempt}, {people}{awaited}"
    return f"forward taken by {data.peer}", together(text, data.note)


def _forward_answered(data: trace.ForwardAnswered) -> Words:
    status = data.status or ("Ok" if data.ok else data.because or "an error")
    return f"{data.peer}: RES {status}", with_reason(f"{data.peer} answered the forward: {status}", data.because)


def _application(data: trace.ApplicationAnswered) -> Words:
    return f"{data.vasp} answered {data.status}", f"{data.vasp} told what became of it: status {data.status}"


def _link_sent(data: trace.LinkSent) -> Words:
    return f"web link SMS taken by {data.smsc}", f"{data.smsc} took the SMS with the web link"


def _receipt(data: trace.SmsReceipt) -> Words:
    text = f"{data.smsc} says of the {data.purpose} SMS {data.message_id}: {data.state}"
    return f"SMS receipt {data.state}", f"{with_reason(text, data.text)}. That tells about the SMS, not about the MM"


def _reported(data: trace.ReportDelivered) -> Words:
    whom = neighbour(data.lane)
    if data.nothing_sent:
        return (
            f"no report for {state_word(data.state)}",
            f"{whom} has no word for {state_word(data.state)}: nothing was sent",
        )
    attempt = f", attempt {data.attempt}" if data.attempt > 1 else ""
    if not data.state:  # of another MMSC's request (MM4), and about nobody's state
        told = f"{whom} took our RES at attempt {data.attempt}"
        return f"RES taken by {whom}{attempt}", with_reason(told, data.note)
    return f"report taken by {whom}{attempt}", with_reason(
        f"{whom} took the report {state_word(data.state).capitalize()} at attempt {data.attempt}", data.note
    )


def _failed(data: trace.AttemptFailed) -> Words:
    text = f"{short_work(data.task)} {data.attempt} failed: {data.because}"
    told = f"{work(data.task)} to {neighbour(data.lane)}, attempt {data.attempt}: {data.because}"
    return text, f"{told}. Again at {clock_time(data.next_at)}"


def _postponed(data: trace.AttemptPostponed) -> Words:
    told = f"{work(data.task)} to {neighbour(data.lane)} waits: {data.because}. Again at {clock_time(data.next_at)}"
    return f"{short_work(data.task)} waits: {data.because}", told


def _given_up(data: trace.TaskGivenUp) -> Words:
    word = "refused" if data.refused else "given up"
    told = f"{work(data.task)} to {neighbour(data.lane)} {word} at attempt {data.attempt}: {data.because}"
    return f"{short_work(data.task)} {word}: {data.because}", f"{told}. Nothing more is tried"


def _overtaken(data: trace.TaskOvertaken) -> Words:
    told = f"{work(data.task)} to {neighbour(data.lane)}: {data.outcome}, after its task had ended otherwise"
    return f"{short_work(data.task)} {data.outcome}, overtaken", told


def _finding(data: trace.FindingNoted) -> Words:
    where = f" at octet {data.offset}" if data.offset >= 0 else ""
    told = f"{data.source} broke {data.rule} ({data.clause}){where}: {data.remark}"
    return f"{data.rule}: {data.remark}", told


def _lane_paused(data: trace.LanePaused) -> Words:
    told = f"{data.lane} waits for {data.seconds:g} s: {data.because}"
    return f"{data.lane} paused: {data.because}", told


def _lane_resumed(data: trace.LaneResumed) -> Words:
    return f"{data.lane} answers again", f"{data.lane} answers again: what waited is due at once"


def _taken_over(data: trace.NodeTakenOver) -> Words:
    told = f"Node {data.node} gave no sign of life: {data.by} freed its {data.tasks} tasks"
    return f"node {data.node} taken over by {data.by}", told


def _learned(data: trace.SubscriberLearned) -> Words:
    version = f"MMS {data.mms_version >> 4}.{data.mms_version & 15}" if data.mms_version else ""
    facts = together(data.user_agent, data.profile_url, version)
    return f"handset learned: {facts}", f"An MM1 request of {data.address} told of its handset: {facts}"


def _report_answered(data: trace.ReportAnswered) -> Words:
    return f"{data.peer}: report RES {data.status}", with_reason(
        f"{data.peer} answered the report on {data.message_id}: {data.status}", data.text
    )


def _deleted(data: trace.MmDeleted) -> Words:
    size = octets(data.size_octets)
    return "removed by retention", f"Retention removed {data.message_id} ({together(state_word(data.state), size)})"


def _tidied(data: trace.StoreTidied) -> Words:
    told = f"Housekeeping removed {data.messages} MMs, {data.bodies} bodies ({octets(data.octets)}), {data.rows} rows"
    return f"store tidied: {data.messages} MMs, {data.rows} rows", told


def _nearly_full(data: trace.StoreNearlyFull) -> Words:
    left = octets(data.disk_free)
    return f"disk nearly full: {left} left", f"The disk under the store has {left} left; it uses {octets(data.used)}"


DELIVERIES: Final[Mapping[type, Callable[[Any], Words]]] = {
    trace.MmAccepted: _accepted,
    trace.SubmissionRepeated: _repeated,
    trace.SubmissionRefused: _refused,
    trace.RouteChosen: _routed,
    trace.CapabilityDecided: _decided,
    trace.NotificationPushed: _pushed,
    trace.MmFetched: _fetched,
    trace.RecipientMoved: _moved,
    trace.AnswerIgnored: _ignored,
    trace.ForwardSent: _forwarded,
    trace.ForwardAnswered: _forward_answered,
    trace.ApplicationAnswered: _application,
    trace.LinkSent: _link_sent,
    trace.SmsReceipt: _receipt,
    trace.ReportDelivered: _reported,
    trace.AttemptFailed: _failed,
    trace.AttemptPostponed: _postponed,
    trace.TaskGivenUp: _given_up,
    trace.TaskOvertaken: _overtaken,
    trace.FindingNoted: _finding,
    trace.LanePaused: _lane_paused,
    trace.LaneResumed: _lane_resumed,
    trace.NodeTakenOver: _taken_over,
    trace.SubscriberLearned: _learned,
    trace.ReportAnswered: _report_answered,
    trace.MmDeleted: _deleted,
    trace.StoreTidied: _tidied,
    trace.StoreNearlyFull: _nearly_full,
}
