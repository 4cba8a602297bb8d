"""MM3 in: mails from the Internet to short codes and subscribers (TS 23.140 8.3.1; RFC 5321).

What can be known at RCPT is refused there: nothing is relayed, neither to other domains nor to other MMSCs. A mail is
answered 250 when its MM is durable. Nothing goes back to its writer but that answer: he asked SMTP for no report.
"""

import logging
from collections.abc import Sequence
from typing import Final

from mmsc.clock import Clock
from mmsc.domain.address import AddressKind, NotAnAddress
from mmsc.domain.message import Route
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.engine.ports import Numbers, Submit
from mmsc.gateways.mm3.translate import local_part, submission_of
from mmsc.net.forwarded import lies_in, networks_of
from mmsc.net.smtp import Handler
from protocols import mm3
from protocols.errors import DecodeError
from protocols.mm3 import Mm3Error

_log: Final = logging.getLogger(__name__)
_OK: Final = "250 2.1.5 ok"
_LONGEST_TEXT: Final = 200  # characters
_STATUS_OF: Final = {  # RFC 3463
    RefusalReason.TOO_LARGE: "552 5.3.4",
    RefusalReason.CONTENT_REFUSED: "554 5.6.1",
    RefusalReason.CONTENT_CORRUPT: "554 5.6.0",
    RefusalReason.TOO_MANY_RECIPIENTS: "554 5.5.3",
    RefusalReason.SENDER_NOT_ALLOWED: "550 5.7.1",
    RefusalReason.SENDER_UNRESOLVED: "550 5.1.7",
}


class Mm3Server(Handler):
    """The handler of the MM3 listener."""

    def __init__(self, submit: Submit, numbers: Numbers, clock: Clock, *, domain: str, networks: Sequence[str]) -> None:
        self._submit = submit
        self._numbers = numbers
        self._clock = clock
        self._domain = domain.lower()
        self.take_from(networks)

    def take_from(self, networks: Sequence[str]) -> None:
        """From now on mails of these networks alone. ValueError for what is none."""
        told = tuple(networks)
        networks_of(told)
        self._networks = told

    async def rcpt(self, remote: str, mail_from: str, address: str) -> str:
        """Refuse at once who cannot be served here."""
        if not lies_in(remote, self._networks):
            return "550 5.7.1 no mail is taken from there"
        if not mail_from:
            return "550 5.7.1 nothing that was sent from here can come back"  # RFC 5321 4.5.5: a bounce
        domain = address.rpartition("@")[2]
        if domain.lower() != self._domain:
            return f"550 5.7.1 {domain} is not served here"
        found = self._numbers.normalise(local_part(address))
        if isinstance(found, NotAnAddress):
            return f"550 5.1.3 {_one_line(found.because)}"
        route, target, why = self._numbers.route(found.address)
        if route is Route.VASP and not self._numbers.delivers(target):
            return f"550 5.1.1 {_one_line(why)}, which has no address for MM7_deliver"
        if route not in (Route.VASP, Route.SUBSCRIBER):
            return f"550 5.1.1 {_one_line(why)}: not served by mail"
        return _OK

    async def data(self, remote: str, mail_from: str, recipients: Sequence[str], octets: bytes) -> str:
        """Take a mail."""
        try:
            mail = mm3.decode(octets)
            if not self._is_of_the_internet(mail.from_):
                return f"550 5.7.1 From {_one_line(mail.from_)} is no mailbox of the Internet"
            submission = submission_of(mail, recipients, self._clock.now())
        except Mm3Error as error:
            return f"554 {error.status} {_one_line(error.why)}"
        except DecodeError as error:
            _log.info("mail of %.200s: %s", mail_from, error, extra={"remote": remote})
            return "554 5.6.0 the content cannot be read"
        outcome = await self._submit.accept(submission)
        if isinstance(outcome, Refused):
            return _refused(outcome)
        outcome.answered()
        return "250 2.0.0 taken"

    def _is_of_the_internet(self, from_: str) -> bool:
        """Whoever writes a mail may put anything there. Our numbers and short codes, bare or at our own domain, are
        those of subscribers and VASPs: a handset would show its text as theirs, and answer them."""
        found = self._numbers.normalise(from_)
        return isinstance(found, NotAnAddress) or found.address.kind is AddressKind.EMAIL  # what is none: see accept


def _refused(refused: Refused) -> str:
    because = _one_line(refused.because)
    if refused.reason.is_transient:
        return f"451 4.3.0 {because}"
    return f"{_STATUS_OF.get(refused.reason, '554 5.0.0')} {because}"


def _one_line(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in " ".join(text.split())[:_LONGEST_TEXT])
