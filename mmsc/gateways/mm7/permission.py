"""What a VASP may submit, where less than what anybody may: senders, number of recipients, kinds of content (TS 23.140
8.7.1).

It says no with a reason of the domain; `translate.STATUS_OF` has the StatusCode for it. How fast is `rate.py`, how many
recipients altogether (credits) is the engine's, because it counts what was stored.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from mmsc.clock import host_now
from mmsc.domain.address import Normalised
from mmsc.domain.instant import Instant
from mmsc.domain.message import Content, Interface, Origin, Submission
from mmsc.domain.neighbours import Vasp
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.engine.ports import Numbers, Submit
from mmsc.gateways.mm7.rate import Buckets
from protocols.mm7 import StatusCode

_PRESENTATION: Final = "application/smil"  # says how the others are shown, and is always taken
_RECORDED_A_SECOND: Final = 20  # refusals of one VASP for one reason; what is more is counted in the next


def refusal_of(vasp: Vasp, submission: Submission, *, sender_given: bool, numbers: Numbers | None) -> Refused | None:
    """Why the VASP may not submit this, None when it may. `sender_given`: the SubmitReq names its sender."""
    if vasp.senders and sender_given:
        known = None if numbers is None else numbers.normalise(submission.sender, submission.origin.key)
        sender = known.address.value if isinstance(known, Normalised) else submission.sender
        if not _may_be_sender(vasp, sender):
            return Refused(RefusalReason.SENDER_NOT_ALLOWED, f"sender {sender} is none that this VASP may use", sender)
    if vasp.maximum_recipients:
        number = sum(not one.display_only for one in submission.recipients)
        if number > vasp.maximum_recipients:
            why = f"{number} recipients, the limit of this VASP is {vasp.maximum_recipients}"
            return Refused(RefusalReason.TOO_MANY_RECIPIENTS, why)
    if (
        vasp.report_without_url == "refuse"
        and not vasp.report_url
        and (submission.delivery_report or submission.read_report)
    ):
        return Refused(RefusalReason.REPORT_IMPOSSIBLE, "a report is asked for, and no address is known for it")
    return unwelcome(vasp, submission.content)


def status_of(refused: Refused, vasp: Vasp, usual: StatusCode) -> StatusCode:
    """3003 tells a VASP that may name one recipient to submit one by one; some take 2003 for an unknown recipient."""
    if refused.reason is RefusalReason.RECIPIENT_UNKNOWN:
        return StatusCode(vasp.unknown_recipient_status)
    if refused.reason is RefusalReason.TOO_MANY_RECIPIENTS and vasp.maximum_recipients == 1:
        return StatusCode.MULTIPLE_ADDRESSES_NOT_SUPPORTED
    return usual


def _may_be_sender(vasp: Vasp, sender: str) -> bool:
    """What we would put in for it, it may say itself."""
    wanted = sender.casefold()
    return any(
        wanted.startswith(pattern[:-1].casefold()) if pattern.endswith("*") else wanted == pattern.casefold()
        for pattern in (*vasp.senders, *vasp.short_codes, vasp.sender)
    )


def unwelcome(vasp: Vasp, content: Content | None) -> Refused | None:
    """Why the VASP may not send this content, nor put it in another's place; None when it may."""
    patterns = vasp.content_types
    for number, part in enumerate(content.parts if patterns and content is not None else (), 1):
        media = part.content_type.partition(";")[0].strip().lower()
        kinds = (media, f"{media.partition('/')[0]}/*", "*/*")
        if media != _PRESENTATION and not any(pattern.lower() in kinds for pattern in patterns):
            name = part.content_location or part.content_id or f"part {number}"
            why = f"{name[:100]} is {media[:100]}, this VASP may send {', '.join(patterns)}"
            return Refused(RefusalReason.CONTENT_REFUSED, why)
    return None


def too_fast(vasp: Vasp, wait: float) -> Refused:
    """It may submit the next one in `wait` seconds."""
    why = f"more than {vasp.messages_per_second:g} messages a second; the next one in {wait:.3g} s"
    return Refused(RefusalReason.TOO_FAST, why)


class Permission:
    """What VASPs may, for the interfaces by which they come, and the trace of what they may not."""

    def __init__(
        self, submit: Submit, numbers: Numbers | None = None, real_now: Callable[[], Instant] = host_now
    ) -> None:
        """Without `numbers` a VASP's `senders` are compared with what its request says, letter by letter."""
        self._submit = submit
        self._numbers = numbers
        self._rates = Buckets(real_now)
        self._recorded = Buckets(real_now)
        self._untold: dict[str, int] = {}

    def wait(self, vasp: Vasp) -> float:
        """One message more: 0.0, or the seconds that are missing."""
        if not vasp.messages_per_second:
            return 0.0
        return self._rates.wait(vasp.name, vasp.messages_per_second, vasp.burst)

    def refusal(self, vasp: Vasp, submission: Submission, *, sender_given: bool) -> Refused | None:
        """Why the VASP may not submit this, None when it may. `sender_given`: it names its sender itself."""
        return refusal_of(vasp, submission, sender_given=sender_given, numbers=self._numbers)

    async def refused(self, vasp: Vasp, submission: Submission, *, sender_given: bool) -> Refused | None:
        """Rate and refusal together, recorded at once: for interfaces with one word for both."""
        wait = self.wait(vasp)
        found = too_fast(vasp, wait) if wait else self.refusal(vasp, submission, sender_given=sender_given)
        record = None if found is None else self.record(vasp.name, found)
        if record is not None:
            await record(False)
        return found

    def record(self, neighbour: str, refused: Refused, run: str = "") -> Callable[[bool], Awaitable[None]] | None:
        """What writes a refusal into the trace, after the answer. Each is written up to a rate: then None, and it is
        counted in the next one, so that somebody who is refused all the time does not fill the store, whatever runs
        it names: the one that is written says its own."""
        key = f"{neighbour} {refused.reason}"
        if self._recorded.wait(key, _RECORDED_A_SECOND):
            self._untold[key] = self._untold.get(key, 0) + 1
            return None
        times = self._untold.pop(key, 0) + 1
        origin = Origin(Interface.MM7, neighbour)

        async def after(_: bool) -> None:
            await self._submit.note_refused(origin, refused, times=times, run=run)

        return after
