"""How to send a first message to this very server: commands that can be copied, with its own addresses."""

import shlex

from aiohttp import web

from mmsc.console.frame import has
from mmsc.control import Control
from protocols.records import record

_VASP = "demo"  # of a server without a file, whose password is no secret
_PASSWORD = "secret"
_SOAP = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns="http://www.3gpp.org/ftp/Specs/archive/'
    '23_series/23.140/schema/REL-6-MM7-1-4"><s:Header><TransactionID s:mustUnderstand="1">first</TransactionID>'
    "</s:Header><s:Body><SubmitReq><MM7Version>6.8.0</MM7Version><Recipients><To><Number>{to}</Number></To>"
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
    user, to = _user(control), _somebody(control)
    found: list[Step] = []
    if "mm7" in places:
        url = f"{places['mm7']}/mm7"
        head = f"curl {f'-u {shlex.quote(user)} ' if user else ''}-H 'Content-Type: text/xml; charset=utf-8'"
        found.append(Step("MM7, by curl", f"{head} -H 'SOAPAction: \"\"' -d '{_SOAP.format(to=to)}' {url}"))
        who = f" --user {shlex.quote(user)}" if user else ""
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


def _user(control: Control) -> str:
    for vasp in control.engine.neighbours.vasps.values():
        if vasp.username:
            return f"{vasp.username}:{_PASSWORD if vasp.name == _VASP else 'PASSWORD'}"
    return ""


def _somebody(control: Control, place: int = 0) -> str:
    """A number that is known here, or one that may be."""
    known = [one.address.value for one in control.engine.neighbours.some_subscribers(2)]
    return known[place % len(known)] if known else f"+1555000000{place + 1}"
