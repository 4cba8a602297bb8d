"""What must be true when a story is over."""

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from mmsc.domain.reports import status_of
from mmsc.domain.states import Cause, RecipientState
from mmsc.ids import id_in
from mmsc.store import verify
from protocols.mm1 import VERSION_1_2, MDeliveryInd
from tests.domain.test_states import ENDS

if TYPE_CHECKING:
    from tests.simulation.world import World


def judge(world: "World") -> None:
    """Object to everything that is not as it was promised."""
    held = holding(world)
    if held:
        world.object_to(f"seats that were never given back: {held}")
    _accepted(world)
    _delivered(world)
    _reports(world)
    _whole(world)


def _whole(world: "World") -> None:
    """What `mmsc store verify` would say; and what a handset asked for once is there once."""
    connection = world.database.connection
    for table, checks in verify.CHECKS.items():
        for what, wrong in checks:
            values = {"1": 0, "2": 1 << 62, "3": 0}
            for row in connection.execute(verify._statement(table, wrong), values).fetchall():
                world.object_to(f"{table} {row[0]}: {what}")
    for (mm_id,) in connection.execute(
        "SELECT id FROM mm WHERE NOT EXISTS"
        " (SELECT 1 FROM event WHERE event.mm_id = mm.id AND event.kind = 'mm.accepted')"
    ).fetchall():
        world.object_to(f"MM {mm_id} has lost its first event")
    twice = connection.execute(
        "SELECT neighbour, json_extract(details, '$.details.mm1_transaction_id') FROM mm WHERE origin = 'mm1'"
        " GROUP BY 1, 2 HAVING count(*) > 1"
    ).fetchall()
    for number, transaction_id in twice:
        world.object_to(f"{number} asked for {transaction_id}, and it was done more than once")


def holding(world: "World") -> str:
    """Seats that are taken, and what is in somebody's hands; "" for nothing."""
    found = []
    for node in world.nodes.values():
        lanes = node.engine.lanes
        taken = {lane.name: lane.taken for lane in lanes if lane.taken or lane.waiting}
        if taken or lanes.in_hands:
            found.append(f"{node.name}: {taken}, in hands {lanes.in_hands}")
    return "; ".join(found)


def _accepted(world: "World") -> None:
    """Every MM that was answered positively is there, each recipient once, and has ended."""
    rows = world.database.connection.execute(
        "SELECT json_extract(mm.details, '$.message_id'), recipient.address, recipient.state"
        " FROM mm JOIN recipient ON recipient.mm_id = mm.id"
    ).fetchall()
    stored: defaultdict[str, list[str]] = defaultdict(list)
    for message_id, address, state in rows:
        stored[message_id].append(address)
        if state not in ENDS:
            world.object_to(f"{address} of {message_id} is {state} for ever")
    for message_id, to in (*world.given.items(), *world.peer.forwarded.items()):
        if message_id in world.watch.removed:
            continue
        if sorted(stored[message_id]) != sorted(to):
            world.object_to(f"{message_id} was accepted for {sorted(to)}, and stored for {sorted(stored[message_id])}")


def _delivered(world: "World") -> None:
    """The VASP took each MM for its short code that counts as retrieved."""
    rows = world.database.connection.execute("SELECT mm_id, state FROM recipient WHERE route = 'vasp'").fetchall()
    taken = {id_in(one) for one in world.vasp.linked_ids}
    for mm_id, state in rows:
        if state == "retrieved" and mm_id not in taken:
            world.object_to(f"MM {mm_id} counts as retrieved, and the VASP never took it")


def _reports(world: "World") -> None:
    """One final report for each recipient: owed once, told to whom it belongs, and true."""
    rows = world.database.connection.execute(
        "SELECT recipient.id, recipient.address, recipient.state, recipient.cause, mm.origin,"
        " json_extract(mm.details, '$.message_id') FROM mm JOIN recipient ON recipient.mm_id = mm.id"
    ).fetchall()
    given_up = {
        row[0]
        for row in world.database.connection.execute("SELECT recipient_id FROM event WHERE kind = 'task.given_up'")
    }
    for recipient_id, address, state, cause, origin, message_id in rows:
        owed = [one for one in world.watch.ledger.owed[recipient_id] if one["state"] in ENDS]
        handset = world.handsets.get(address)
        if state == "cancelled" and not owed:  # final and silent
            continue
        if not owed:
            if handset is None or not handset.denies:
                world.object_to(f"no report was ever owed about {address} of {message_id} ({origin}), who is {state}")
            continue
        (payload,) = owed
        if payload["state"] != state:
            world.object_to(f"the report about {address} says {payload['state']}, the state is {state}")
        word = status_of(RecipientState(state), Cause(cause or ""))
        told = _told(world, origin, payload["transaction_id"], message_id, address)
        wanted = {"mm7": word.mm7, "mm4": word.mm4, "mm1": word.mm1_word(_version_of_sender(world, message_id))}[origin]
        if not told:
            if recipient_id not in given_up and wanted:
                world.object_to(
                    f"the report about {address} of {message_id} ({origin}) never came: {json.dumps(payload)}"
                )
        elif {wanted.lower()} != {one.lower() for one in told}:
            world.object_to(f"{origin} was told {told} about {address}, who is {state}: {wanted}")


def _version_of_sender(world: "World", message_id: str) -> int:
    """What the handset speaks that sent an MM."""
    return next((one.version for one in world.handsets.values() if message_id in one.sent), VERSION_1_2)


def _told(world: "World", origin: str, transaction_id: str, message_id: str, address: str) -> list[str]:
    """The words that the originator heard."""
    if origin == "mm7":
        return [report.mm_status for known, report in world.vasp.reports if known == transaction_id]
    if origin == "mm4":
        return [one.mm_status_code.value for one in world.peer.reports if one.transaction_id == transaction_id]
    return [
        pdu.status.name
        for _, pdu in world.pushed_reports
        if pdu.message_id == message_id and _is_about(pdu, address) and pdu.status is not None
    ]


def _is_about(pdu: MDeliveryInd, address: str) -> bool:
    return any(one.startswith(address) for one in pdu.to)
