"""A scenario of what happened: drafted from messages of a server, with wildcards where another run will differ."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import yaml

from mmsc.client import ApiError, Client, Json
from mmsc.client.patterns import spelling

_SHOWN_EVENTS: Final = ("recipient.moved", "attempt.failed", "task.given_up", "fault.hit", "link.sent", "mm.read")
_SHOWN_FIELDS: Final = ("after", "task", "lane", "fault", "read")
_VASP_FIELDS: Final = ("MMStatus", "MMStatusExtension", "Recipient", "Sender", "StatusText", "Subject")
_OTHER_EVERY_TIME: Final = ("MessageID", "LinkedID", "Date", "TimeStamp")  # proposed as `*`, or as what was saved
_SHORTEST_WITHIN: Final = 60.0  # seconds
_HEAD: Final = """\
# Drafted from what happened. `*` stands where another run will differ; take out what does not matter.
"""


def record(client: Client, mm_ids: Sequence[str]) -> str:
    """YAML, ready to be edited. Raises ApiError for a message that is not there, OSError."""
    details = [client.message(mm_id) for mm_id in mm_ids]
    subjects = [str(one["row"].get("subject") or one["row"]["mm_id"]) for one in details]
    steps: list[Json] = []
    for number, detail in enumerate(details, 1):
        name = f"m{number}" if len(details) > 1 else ""
        steps += _sent(client, detail, name)
        steps += _followed(client, detail, name)
    document = {
        "name": f"{', '.join(subjects)[:80]}, as it was",
        "description": "What this shows, and why it matters.",
        "steps": steps,
    }
    return _HEAD + _written(document)


def latest(client: Client, minutes: float, limit: int = 10) -> list[str]:
    """The messages of the last minutes, oldest first, at most `limit`."""
    rows = client.messages(f"since:{max(1, round(minutes))}m", limit=limit)["rows"]
    return [str(row["mm_id"]) for row in reversed(rows)]


def _written(document: Json) -> str:
    made: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
    return made


def _sent(client: Client, detail: Json, name: str) -> Iterator[Json]:
    """How the message came in."""
    row = detail["row"]
    addresses = [str(one["address"]) for one in detail["recipients"]]
    what: Json = {
        "to": addresses if len(addresses) > 1 else "".join(addresses),
        "subject": row.get("subject") or "",
        "text": "The text of the message.",
        "delivery_report": bool(detail.get("delivery_report")),
    }
    origin = row.get("origin", "")
    if origin == "mm7":
        what |= {"vasp": row.get("neighbour") or "demo", "read_reply": bool(detail.get("read_report"))}
        verb: Json = {"submit": _named(what, name) | {"answer": {"status_code": 1000, "message_id": "*"}}}
    elif origin == "mm1":
        given = {"number": row.get("sender", ""), "does": "send", "read_report": bool(detail.get("read_report"))}
        verb = {"phone": {**given, **_named(what, name)}}
    else:
        verb = {"note": f"the message came by {origin} from {row.get('neighbour') or row.get('sender', '')}"}
    yield verb


def _named(what: Json, name: str) -> Json:
    return {**what, "as": name} if name else what


def _followed(client: Client, detail: Json, name: str) -> Iterator[Json]:
    """What followed, in order of service time: events that matter, and what VASPs got."""
    row = detail["row"]
    mm_id = str(row["mm_id"])
    whose = {str(one["id"]): str(one["address"]) for one in detail["recipients"]}
    before = _moment(row["at_service"])
    for one in client.events(mm_id):
        if one["kind"] in _SHOWN_EVENTS:
            at = _moment(one["at_service"])
            yield {"expect": _event(one, whose, name) | _within((at - before).total_seconds())}
            before = at
    yield from _reports(client, row, name)


def _event(one: Json, whose: Mapping[str, str], name: str) -> Json:
    fields = {key: one["data"][key] for key in _SHOWN_FIELDS if one["data"].get(key)}
    made: Json = {"event": one["kind"]}
    if one.get("recipient_id") in whose:
        made["number"] = whose[one["recipient_id"]]
    return {**made, **({"of": name} if name else {}), **({"fields": fields} if fields else {})}


def _reports(client: Client, row: Json, name: str) -> Iterator[Json]:
    try:
        vasps: list[str] = client.lab()["vasps"]
    except ApiError:
        return  # no lab: nobody knows what VASPs got
    for vasp in vasps:
        for one in client.received(vasp=vasp):
            if one["message"].get("MessageID") == row.get("message_id"):
                made: Json = {"vasp_got": one["name"], "vasp": vasp, "fields": _fields(one["message"], name)}
                yield {"expect": made}


def _fields(message: Mapping[str, Any], name: str) -> Json:
    fields: Json = {}
    for key, value in message.items():
        if key == "MessageID" and not name:
            fields[key] = "$message_id"
        elif key in _OTHER_EVERY_TIME:
            fields[key] = "*"
        elif any(spelling(key) == spelling(one) for one in _VASP_FIELDS):
            fields[key] = value.get("Value", value) if isinstance(value, Mapping) else value
    return fields


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _within(seconds: float) -> Json:
    """Half as long again as it took."""
    return {"within": f"{round(seconds * 1.5)} s"} if seconds * 1.5 > _SHORTEST_WITHIN else {}
