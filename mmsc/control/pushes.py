"""What the lab's phones saw of pushes that an SMSC of ours passed on: between these two there is no wire of ours."""

from collections.abc import Iterator, Sequence

from mmsc.lab.phones import Phones
from mmsc.trace.ladder import Pdu, Told
from mmsc.trace.view import every, reassembled

_PUSHED = "smpp"


def pushes_seen(phones: Phones | None, pdus: Sequence[Pdu]) -> list[Told]:
    """The pushes of these PDUs that came to a phone of the lab, by number and X-Mms-Transaction-ID; nothing without a
    lab."""
    wanted = {} if phones is None else dict(_pushes(pdus))
    found: list[Told] = []
    for number in dict.fromkeys(to for to, _ in wanted):
        phone = None if phones is None else phones.one(number)
        for line in () if phone is None else phone.lines.all():
            party = wanted.get((number, line.transaction_id)) if line.transaction_id else None
            if phone is not None and party is not None and line.interface == _PUSHED:
                at, real = line.at
                target = f"phone:{phone.number}"
                found.append(Told(source=party, target=target, name="WAP push", beneath="", at=at, at_real=real))
    return found


def _pushes(pdus: Sequence[Pdu]) -> Iterator[tuple[tuple[str, str], str]]:
    """((number, transaction), the SMSC's key) of each push, also of those in several segments."""
    segments: dict[str, list[Pdu]] = {}
    for one in pdus:
        if one.named.transaction:
            yield (one.named.to, one.named.transaction), one.party
        elif one.named.segment:
            segments.setdefault(one.named.segment, []).append(one)
    for members in segments.values():
        for whole in reassembled([one.view for one in members]):
            for row in (row for inner in every(whole) for row in inner.rows if row.name == "X-Mms-Transaction-ID"):
                yield (members[0].named.to, row.value), members[0].party
