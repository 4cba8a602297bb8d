"""What the neighbours saw: what was accepted, what came of it, and which promise was broken.

Everything here is judged by identifiers on the wire, never by what the server's store says.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

MAXIMUM_PROBLEMS: Final = 50  # more are counted and not kept; each text once
FEWEST_A_LIFE: Final = 0.5  # accepted MMs for each kill, over the run: who only says "later" breaks no other promise

Report = tuple[str, str, str]  # transaction id, date, status: the same in every repeat


@dataclass(slots=True)
class Sent:
    """One MM as its originator made it. `key` is its subject; `octets` is the part that must arrive unchanged."""

    key: str
    recipients: frozenset[str]
    octets: bytes
    message_ids: set[str] = field(default_factory=set)
    res_owed: bool = False  # MM4: the originator asked for a MM4_forward.RES
    res_seen: bool = False


class Ledger:
    """Facts in, verdict out."""

    def __init__(self) -> None:
        self.sent: dict[str, Sent] = {}
        self.problems: list[str] = []
        self.problem_count = 0
        self.counts: defaultdict[str, int] = defaultdict(int)
        self._by_id: dict[str, Sent] = {}
        self._reports: defaultdict[tuple[str, str], set[Report]] = defaultdict(set)
        self._got: set[tuple[str, str]] = set()
        self._acknowledged: set[tuple[str, str]] = set()
        self._locations: dict[tuple[str, str], str] = {}
        self._transactions: dict[str, tuple[str, str]] = {}
        self._forwards: dict[tuple[str, str], str] = {}
        self._open: set[tuple[str, str]] = set()
        self._lives = 0
        self._accepted_now = 0

    # --- the originators ---

    def will_send(self, sent: Sent) -> None:
        """An MM is about to be submitted."""
        self.sent[sent.key] = sent

    def accepted(self, sent: Sent, message_id: str) -> None:
        """The server answered positively; a repeat must bring the same identifier."""
        self.counts["accepts"] += 1
        first = not sent.message_ids
        sent.message_ids.add(message_id)
        if len(sent.message_ids) > 1:
            self.problem(f"{sent.key}: a repeated submission got another MessageID: {sorted(sent.message_ids)}")
        other = self._by_id.setdefault(message_id, sent)
        if other is not sent:
            self.problem(f"{message_id}: one MessageID for {other.key} and {sent.key}")
        if first:
            self._accepted_now += 1
            self._open |= {(message_id, one) for one in sent.recipients if not self._reports[message_id, one]}

    def reported(self, message_id: str, recipient: str, report: Report) -> None:
        """A delivery report arrived."""
        self.counts["reports"] += 1
        known = self._reports[message_id, recipient]
        if report in known:
            self.counts["repeated reports"] += 1
        known.add(report)
        if len(known) > 1:
            self.problem(f"{message_id} {recipient}: reports differ: {sorted(known)}")
        if report[2] != "Retrieved":
            self.problem(f"{message_id} {recipient}: reported {report[2]}")
        self._open.discard((message_id, recipient))

    def life_ended(self) -> None:
        """Something was killed, or the run is over."""
        self._lives += 1
        self.counts["lives without an accepted MM"] += not self._accepted_now
        self._accepted_now = 0

    # --- the recipients ---

    def pushed(self, recipient: str, transaction_id: str, location: str) -> None:
        """An m-notification-ind arrived."""
        self.counts["pushes"] += 1
        path = location.partition("//")[2].partition("/")[2]  # nodes have their own addresses
        known = self._locations.setdefault((recipient, transaction_id), path)
        other = self._transactions.setdefault(path, (recipient, transaction_id))
        if known != path or other != (recipient, transaction_id):
            self.problem(f"push to {recipient}: {transaction_id} {path}, before {known} and {other}")

    def got(self, recipient: str, key: str, octets: bytes) -> None:
        """Somebody has an MM in hand."""
        self.counts["arrivals"] += 1
        if (recipient, key) in self._got:
            self.counts["repeated arrivals"] += 1
        self._got.add((recipient, key))
        sent = self.sent.get(key)
        if sent is None or recipient not in sent.recipients:
            self.problem(f"{recipient} got {key}, which is not for it")
        elif octets != sent.octets:
            self.problem(f"{recipient} got other octets than {key} has")

    def acknowledged(self, recipient: str, key: str) -> None:
        """The server answered positively to an acknowledgement."""
        self._acknowledged.add((recipient, key))

    def forwarded(self, recipient: str, message_id: str, transaction_id: str) -> None:
        """A MM4_forward.REQ arrived; its repeats carry the same transaction id."""
        self.counts["forwards"] += 1
        known = self._forwards.setdefault((message_id, recipient), transaction_id)
        if known != transaction_id:
            self.problem(f"{message_id} {recipient}: forwarded as {known} and as {transaction_id}")

    def answered(self, key: str) -> None:
        """A MM4_forward.RES arrived."""
        if key in self.sent:
            self.sent[key].res_seen = True

    # --- the verdict ---

    def problem(self, text: str) -> None:
        """A promise was broken."""
        self.problem_count += 1
        if len(self.problems) < MAXIMUM_PROBLEMS and text not in self.problems:
            self.problems.append(text)

    @property
    def open(self) -> int:
        """Recipients of accepted MMs about whom no report has come."""
        return len(self._open)

    @property
    def unanswered(self) -> list[str]:
        """Accepted forwards without the RES that was asked for."""
        return [one.key for one in self.sent.values() if one.message_ids and one.res_owed and not one.res_seen]

    @property
    def accepted_mms(self) -> list[Sent]:
        """What was answered positively."""
        return [one for one in self.sent.values() if one.message_ids]

    def judge(self) -> int:
        """Write down what is missing at the end; how many recipients of accepted MMs were lost."""
        for message_id, recipient in sorted(self._open):
            self.problem(f"lost: {message_id} ({self._by_id[message_id].key}) to {recipient} was never reported")
        lost = set(self._open)
        had: defaultdict[str, set[str]] = defaultdict(set)
        for recipient, key in self._got:
            had[key].add(recipient)
        for sent in self.accepted_mms:
            for recipient in sent.recipients - had[sent.key]:
                lost.add((next(iter(sent.message_ids)), recipient))
                self.problem(f"lost: {recipient} never got {sent.key}")
        for key in self.unanswered:
            self.problem(f"{key}: no MM4_forward.RES")
        for recipient, key in self._acknowledged - self._got:
            self.problem(f"{recipient} acknowledged {key} without having it")
        accepted = len(self.accepted_mms)
        if accepted < FEWEST_A_LIFE * self._lives:
            self.problem(
                f"only {accepted} MMs were accepted in {self._lives} lives, and {self.counts['refusals']} times an"
                ' originator was told "later": this run proves nothing'
            )
        return len(lost)
