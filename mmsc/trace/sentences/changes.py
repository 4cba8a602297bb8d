"""Sentences of what handsets, VASPs and subscribers do with MMs that are there."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from mmsc.trace import events as trace
from mmsc.trace.sentences.words import Words, neighbour, together, with_reason, work


def _read(data: trace.MmRead) -> Words:
    word = "read" if data.read else "deleted unread"
    told = f". A read report is owed to {neighbour(data.report)}" if data.report else ""
    none = f". No read report: {data.no_report}" if data.no_report else ""
    return f"{word} on the handset", f"The handset says: {word}{told}{none}"


def _kept(data: trace.BoxKept) -> Words:
    return f"kept in the MMBox of {data.owner}", f"Kept in the MMBox of {data.owner} as {data.state}"


def _box_changed(data: trace.BoxChanged) -> Words:
    flags = ", ".join(data.flags)
    return f"MMBox of {data.owner}: {data.state}", together(f"In the MMBox of {data.owner}: {data.state}", flags)


def _box_deleted(data: trace.BoxDeleted) -> Words:
    return "out of the MMBox", f"Entry {data.entry} left the MMBox: {data.because}"


def _box_refused(data: trace.BoxRefused) -> Words:
    return f"not kept in the MMBox: {data.because}", f"Not put into the MMBox of {data.owner}: {data.because}"


def _mm_forwarded(data: trace.MmForwarded) -> Words:
    told = f"{data.forwarder} forwarded {data.message_id} as {data.forwarded_as}"
    return f"forwarded by {data.forwarder}", told


def _reply_charged(data: trace.ReplyCharged) -> Words:
    told = f"{data.replier} replied to {data.message_id} at its sender's cost: {data.reply_id}"
    return f"charged reply of {data.replier}", told


def _change(data: trace.ChangeAnswered) -> Words:
    what = data.operation.replace("_", " ")
    late = "; ".join(f"{address}: {why}" for address, why in data.late)
    told = f"{data.neighbour} asked to {what}: done for {data.done}, too late for {len(data.late)}"
    return f"{what}: {data.done} done, {len(data.late)} late", with_reason(told, late)


def _deliver(data: trace.DeliverAnswered) -> Words:
    status = str(data.status) if data.status else "no status"
    word = "took" if data.taken else "refused"
    told = f"{data.vasp} {word} the DeliverReq at attempt {data.attempt}: {status}"
    return f"{data.vasp}: DeliverRsp {status}", f"{told} {data.text}".rstrip()


def _linked(data: trace.MmLinked) -> Words:
    told = f"{data.vasp} answered {data.delivered} with {data.answer} (LinkedID {data.linked_id})"
    return f"LinkedID {data.linked_id}", told


def _read_reported(data: trace.ReadReported) -> Words:
    word = "read" if data.read else "deleted unread"
    told = f"{neighbour(data.lane)} took the read report ({word}) at attempt {data.attempt}"
    return f"read report taken by {neighbour(data.lane)}", with_reason(told, data.note)


def _cancel_pushed(data: trace.CancelPushed) -> Words:
    return f"m-cancel-req taken by {data.smsc}", f"{data.smsc} took the m-cancel-req at attempt {data.attempt}"


def _cancel_confirmed(data: trace.CancelConfirmed) -> Words:
    word = "understood" if data.understood else "found it corrupted"
    return f"handset {word} the m-cancel-req", f"m-cancel-conf: the handset {word} the m-cancel-req"


def _lane_acted(data: trace.LaneActed) -> Words:
    what = {"stop": "stopped", "go": "let go", "retry": "told to try now", "drop_back_off": "freed of its back-off"}
    word = what.get(data.what, data.what)
    return f"lane {data.lane} {word}", f"Lane {data.lane} was {word} by an operator ({data.who})"


def _acted(data: trace.OperatorActed) -> Words:
    what = f" ({work(data.task)} to {neighbour(data.lane)})" if data.task else ""
    return f"{data.action} by hand ({data.who})", f"{data.action.capitalize()} now, asked for over {data.who}{what}"


CHANGES: Final[Mapping[type, Callable[[Any], Words]]] = {
    trace.OperatorActed: _acted,
    trace.MmRead: _read,
    trace.BoxKept: _kept,
    trace.BoxChanged: _box_changed,
    trace.BoxDeleted: _box_deleted,
    trace.BoxRefused: _box_refused,
    trace.MmForwarded: _mm_forwarded,
    trace.ReplyCharged: _reply_charged,
    trace.ChangeAnswered: _change,
    trace.DeliverAnswered: _deliver,
    trace.MmLinked: _linked,
    trace.ReadReported: _read_reported,
    trace.CancelPushed: _cancel_pushed,
    trace.CancelConfirmed: _cancel_confirmed,
    trace.LaneActed: _lane_acted,
}
