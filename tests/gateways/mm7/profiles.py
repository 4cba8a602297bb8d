"""What the MM7 gateway writes to a VASP with a ready profile: one scene of each kind, for goldens and comparisons."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy

from mmsc import configured
from mmsc.domain.address import Address, NumberPlan
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import TaskKind
from mmsc.domain.neighbours import Subscriber, Vasp
from mmsc.gateways.content import build
from mmsc.gateways.mm7.answers import Context, answered, failed
from mmsc.gateways.mm7.courier import Mm7Courier
from mmsc.gateways.mm7.deliver import DeliverCourier, Knowledge
from mmsc.net.http import HttpAnswer
from mmsc.net.http_client import HttpReply
from mmsc.settings import Settings
from mmsc.settings import neighbours as given
from protocols import mm7
from protocols.content_type import ContentType
from protocols.mm7 import StatusCode
from protocols.records import record
from protocols.wsp.multipart import Part
from tests.gateways.mm7.test_deliver import job_of

CODES = frozenset({"4488"})
KOREA = NumberPlan(country_code="82", national_prefix="0", national_length=0, short_codes=CODES)
CHINA = NumberPlan(country_code="86", national_length=11, short_codes=CODES)
ELSEWHERE = NumberPlan(short_codes=CODES)
PLANS = {"lgt": KOREA, "ktf": KOREA, "skt": KOREA, "china-mobile": CHINA, "china-unicom": CHINA}
KINDS = ("submit-rsp", "fault", "delivery-report-req", "deliver-req")
_CONTENT = build(
    [
        Part(ContentType("application/smil", (("name", "s.smil"),)), b"<smil/>", "s", "s.smil"),
        Part(ContentType("text/plain", (("charset", "utf-8"), ("name", "t.txt"))), "Grüße".encode(), "t", "t.txt"),
    ]
)


@record(frozen=True, slots=True)
class Written:
    """A request or an answer: its HTTP status (0 for a request), its headers and its body."""

    status: int
    content_type: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def vasp_with(profile: str, **settings: Any) -> Vasp:
    """A VASP with this profile, out of the settings."""
    table = given.Vasp(profile=profile, report_url="http://vasp/", vasp_id="news", short_codes=("4488",), **settings)
    [vasp] = configured.neighbours(Settings(vasp={"news": table}), str)
    assert isinstance(vasp, Vasp)
    return vasp


def number_of(profile: str) -> str:
    """A handset where the profile is at home."""
    plan = PLANS.get(profile, ELSEWHERE)
    return {"82": "+821054702550", "86": "+8613161608360"}.get(plan.country_code, "+15550100123")


def written(kind: str, profile: str, **settings: Any) -> Written:
    """What a VASP with this profile gets."""
    vasp = vasp_with(profile, **settings)
    if kind in ("submit-rsp", "fault"):
        return _answer(kind, vasp)
    return asyncio.run(_request(kind, vasp, number_of(profile)))


def _answer(kind: str, vasp: Vasp) -> Written:
    spoken = mm7.dialect(vasp.namespace or mm7.BASE + mm7.LATEST)
    assert spoken is not None
    version = vasp.mm7_version or spoken.version
    if kind == "fault":
        where, why = "Header/TransactionID", "it is missing"
        error = mm7.Mm7Error(
            StatusCode.VALIDATION_ERROR,
            where=where,
            why=why,
            transaction_id="t-1",
            spoken=spoken,
            mm7_version=version,
        )
        return _of(failed(error, vasp))
    context = Context("t-1", spoken, version, vasp, "SubmitReq")
    return _of(answered(context, StatusCode.PARTIAL_SUCCESS, "7255: <nobody> & 世界", "m-1@mms.example"))


def _of(answer: HttpAnswer) -> Written:
    return Written(answer.status, answer.content_type, tuple(answer.headers), answer.body)


class _Client:
    """Takes one request."""

    def __init__(self) -> None:
        self.sent: list[Written] = []

    async def send(self, method: str, url: str, *, headers: dict[str, str], body: bytes, **about: Any) -> HttpReply:
        others = tuple((name, value) for name, value in headers.items() if name != "Content-Type")
        self.sent.append(Written(0, headers["Content-Type"], others, body))
        return HttpReply(status=204, headers=CIMultiDictProxy(CIMultiDict()), body=b"")


async def _request(kind: str, vasp: Vasp, number: str) -> Written:
    client = _Client()
    handset = Subscriber(
        address=Address.of(number),
        user_agent="Phone/1",
        profile_url="http://phone.example/1.xml",
        seen_at=Instant(1_790_000_000 * SECOND),
    )
    plan = PLANS.get(vasp.profile.name if vasp.profile else "", ELSEWHERE)
    directory: Any = SimpleNamespace(vasps={"news": vasp}, subscriber=lambda address: handset)
    courier = Mm7Courier(directory, lambda _: client, server_id="mms.example")  # type: ignore[arg-type,return-value]
    if kind == "delivery-report-req":
        await courier.deliver(_report_job(number))
    else:
        numbers: Any = SimpleNamespace(normalise=lambda text, neighbour: plan.normalise(text, ()))
        contents: Any = SimpleNamespace(content=_content)
        dialects: Any = SimpleNamespace(last_of=lambda name: ("", ""))
        knowledge = Knowledge(directory, contents, numbers, dialects, "mms.example")
        job = job_of(sender=Address.of(number), subject="Grüße, 世界")
        await DeliverCourier(courier, knowledge).deliver(job)
    return client.sent[0]


async def _content(content_id: object) -> Any:
    return _CONTENT


def _report_job(number: str) -> Any:
    job = job_of(number, sender=Address.of("4488"), shown_to=())
    payload = {"state": "retrieved", "cause": "", "date": str(1_790_000_000 * SECOND), "transaction_id": "t-1"}
    return job._replace(kind=TaskKind.REPORT_MM7, payload=payload)


def standard_message(kind: str, profile: str) -> mm7.Message:
    """What the same scene says in the standard's spelling, in the namespace and version of the profile."""
    vasp = vasp_with(profile)
    plain = replace(vasp, profile=None, rewrites_out=())
    is_answer = kind in ("submit-rsp", "fault")
    found = _answer(kind, plain) if is_answer else asyncio.run(_request(kind, plain, number_of(profile)))
    return mm7.decode(found.content_type, found.body).message.message
