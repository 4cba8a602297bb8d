"""How long MM7 takes from octets to the domain's words: a SubmitReq with a 30 KB JPEG, held against the schema
(TS 23.140 8.7.1, 8.7.8), as for each submission. Processor time of this process; nothing is sent."""

import gc
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from benching.octets import PICTURE_OCTETS, SHORT_CODE, number_of
from mmsc.domain.message import Submission
from mmsc.domain.neighbours import Vasp
from mmsc.gateways.content import remarked
from mmsc.gateways.mm7.translate import submission_of
from mmsc.load.octets import picture
from protocols import mime, mm7
from protocols.content_type import ContentType

ROUNDS: Final = 5
PARSES: Final = 1000  # of a round
REQUESTS: Final = 40  # different ones: what has just come from a socket lies in the processor's cache
ENCODINGS: Final = ("binary", "base64")
_VASP: Final = Vasp(name="bench", vasp_id="bench", short_codes=(SHORT_CODE,))

Request = tuple[str, bytes]


def request(number: int, encoding: str, inner: str = "inner") -> Request:
    """(Content-Type, body): each has its own TransactionID, recipient and boundary; `inner` is that of the content."""
    medium = picture(PICTURE_OCTETS)
    smil = mime.OutPart(ContentType("application/smil"), b"<smil><body/></smil>", "smil", encoding="8bit")
    jpeg = mime.OutPart(ContentType(medium.media_type), medium.octets, "picture", medium.name, encoding)
    boundary = mime.choose_boundary((smil, jpeg), inner)
    related = (("type", "application/smil"), ("start", "<smil>"), ("boundary", boundary))
    written = mime.write_parts((smil, jpeg), boundary)
    content = mime.OutPart(ContentType("multipart/related", related), written, "content")
    message = mm7.SubmitReq(
        mm7_version="6.8.0",
        vasp_id="bench",
        vas_id="bench",
        sender_address=mm7.Address(SHORT_CODE, mm7.AddressForm.SHORT_CODE),
        to=(mm7.Address(number_of(number)),),
        message_class="Informational",
        delivery_report=True,
        priority="Normal",
        subject="Bench",
        content_href="cid:content",
    )
    spoken = mm7.dialect(mm7.BASE + mm7.LATEST)
    assert spoken is not None
    return mm7.encode_with_content(mm7.Envelope(f"bench-{number}", spoken, message), content, f"bench{number}")


def read(content_type: str, body: bytes) -> Submission:
    """Octets to the domain's words. Raises ValueError where something was odd: then it would not be the usual way."""
    decoded = mm7.decode(content_type, body)
    envelope = decoded.message
    if decoded.findings or not isinstance(envelope.message, mm7.SubmitReq):
        raise ValueError(f"not a SubmitReq without findings: {decoded.findings}")
    return remarked(submission_of(envelope, envelope.message, _VASP), decoded.findings)


def microseconds(requests: Sequence[tuple[Any, ...]], parses: int, work: Callable[..., object]) -> float:
    """Processor time of one of so many, without collecting garbage."""
    gc.collect()
    was_on = gc.isenabled()
    gc.disable()
    started = time.process_time()
    for request in itertools.islice(itertools.cycle(requests), parses):
        work(*request)
    taken = time.process_time() - started
    if was_on:
        gc.enable()
    return taken / parses * 1e6


def codec(parses: int = PARSES, rounds: int = ROUNDS) -> dict[str, Any]:
    """The best of all rounds, for each transfer encoding: of some requests again and again, as one VASP's client spells
    its boundaries, and (`fresh`) of requests that are read once and have boundaries that nobody had before."""
    result: dict[str, Any] = {"case": "codec", "in_flight": 1, "lost": 0}
    numbers = itertools.count()
    for encoding in ENCODINGS:
        requests = [request(number, encoding) for number in range(REQUESTS)]
        read(*requests[0])
        best = min(microseconds(requests, parses, read) for _ in range(rounds))
        fresh = min(_fresh(encoding, numbers, parses) for _ in range(rounds))
        result |= {f"{encoding}_us": round(best, 1), f"{encoding}_fresh_us": round(fresh, 1)}
    return result


def _fresh(encoding: str, numbers: Iterator[int], parses: int) -> float:
    batches = max(1, parses // REQUESTS)
    taken = 0.0
    gc.collect()
    was_on = gc.isenabled()
    gc.disable()
    for _ in range(batches):
        requests = [request(number, encoding, f"inner{number}") for number in itertools.islice(numbers, REQUESTS)]
        started = time.process_time()
        for content_type, body in requests:
            read(content_type, body)
        taken += time.process_time() - started
    if was_on:
        gc.enable()
    return taken / batches / REQUESTS * 1e6
