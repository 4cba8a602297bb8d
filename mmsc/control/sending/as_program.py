"""The same MM by REST: `POST /api/v1/messages`."""

import msgspec

from mmsc.control.sending.draft import Draft
from mmsc.control.sending.wire import Wire

_FIELDS = (
    *("sender", "to", "cc", "bcc", "subject", "text", "attachments", "presentation", "message_class", "priority"),
    *("delivery_report", "read_report", "expiry", "earliest", "run"),
)


def rest_request(draft: Draft, url: str) -> Wire:
    """Ready to be posted."""
    blank = Draft()
    said = {name: getattr(draft, name) for name in _FIELDS if getattr(draft, name) != getattr(blank, name)}
    body = msgspec.json.format(msgspec.json.encode(said), indent=2)
    headers = (("Content-Type", "application/json"),)
    return Wire(interface="rest", url=url, headers=headers, body=body)
