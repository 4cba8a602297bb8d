"""How to send a first message to this very server: commands that can be copied, with its own addresses."""

import shlex

from aiohttp import web

from mmsc.console.frame import has
from mmsc.control import Control
from mmsc.domain.neighbours import Vasp
from protocols.records import record

_VASP = "demo"  # of a server without a file, whose password is no secret
_PASSWORD = "secret"
_SOAP = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns="http://www.3gpp.org/ftp/Specs/archive/'
    '23_series/23.140/schema/REL-6-MM7-1-4"><s:Header><TransactionID s:mustUnderstand="1">first</TransactionID>'
    "</s:Header><s:Body><SubmitReq><MM7Version>6.8.0</MM7Version>{who}<Recipients><To><Number>{to}</Number></To>"
    "</Recipients><DeliveryReport>true</DeliveryReport><Subject>Hello</Subject></SubmitReq></s:Body></s:Envelope>"
)


@record(frozen=True, slots=True)
class Step:
    """A command and what it is."""

    name: str
    command: str


def steps(request: web.Request, control: Control) -> list[Step]:
    """Those that this server can take now."""
    places = control.places()
    vasp, to = _vasp(control), _somebody(control)
    user = "" if vasp is None else f"{vasp.username}:{_PASSWORD if vasp.name == _VASP else 'PASSWORD'}"
    found: list[Step] = []
    if "mm7" in places:
        url = f"{places['mm7']}/mm7"
        head = f"curl {f'-u {shlex.quote(user)} ' if user else ''}-H 'Content-Type: text/xml; charset=utf-8'"
        soap = _SOAP.format(to=to, who=_identification(vasp))
        found.append(Step("MM7, by curl", f"{head} -H 'SOAPAction: \"\"' -d '{soap}' {url}"))
        who = f" --user {shlex.quote(user)}" if user else ""
        who += f" --vasp-id {shlex.quote(vasp.vasp_id)}" if vasp is not None and vasp.vasp_id else ""
        found.append(Step("MM7, with a text", f"mmsc submit --url {url}{who} --to {to} --subject Hello --text 'Hello'"))
    if has(request, "/api/v1/messages", "POST"):
        body = f'{{"to": ["{to}"], "subject": "Hello", "text": "Hello"}}'
        place = f"{request.scheme}://{request.host}/api/v1/messages"
        found.append(Step("REST, by curl", f"curl -H 'Content-Type: application/json' -d '{body}' {place}"))
    if "mm1" in places:
        sender = _somebody(control, 1)
        found.append(
            Step(
                "MM1, as a phone", f"mmsc handset send --number {sender} --mmsc {places['mm1']}/mms --to {to} --text Hi"
            )
        )
    return found[:3]


def _vasp(control: Control) -> Vasp | None:
    """One that has a login."""
    return next((vasp for vasp in control.engine.neighbours.vasps.values() if vasp.username), None)


def _identification(vasp: Vasp | None) -> str:
    if vasp is None or not vasp.vasp_id:
        return ""
    return f"<SenderIdentification><VASPID>{vasp.vasp_id}</VASPID></SenderIdentification>"


def _somebody(control: Control, place: int = 0) -> str:
    """A number that is known here, or one that may be."""
    known = [one.address.value for one in control.engine.neighbours.some_subscribers(2)]
    return known[place % len(known)] if known else f"+1555000000{place + 1}"
