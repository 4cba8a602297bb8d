"""What `mmsc vasp` tells of a request: a line, or a JSON object; and the files that it saves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from lxml import etree

from mmsc.cli.folders import NumberedFolder, safe_name
from mmsc.domain.instant import Instant, to_datetime
from mmsc.lab.mm7_words import as_object, element_name, leaves, part_in_words, printable, spelt, spelt_all
from mmsc.lab.vasp_listener import Arrived
from protocols import mime, mm7
from protocols.errors import DecodeError
from protocols.mm7.soap import parse_xml

_STATUS_COLOURS: Final = {
    "Retrieved": "green",
    "Read": "green",
    "Forwarded": "green",
    "Deferred": "yellow",
    "Indeterminate": "yellow",
    "Deleted": "yellow",
}
_LONGEST_OPERATION: Final = len("DeliveryReportReq")
_STATUS_WIDTH: Final = len("Indeterminate")
_NUMBER_WIDTH: Final = len("+15550000001")


def line_of(arrived: Arrived) -> str:
    """One line. Colours are taken out again where it goes to no terminal."""
    at = to_datetime(Instant(arrived.at)).astimezone().strftime("%H:%M:%S.%f")[:-3]
    answer = click.style(f"-> {arrived.answer}", fg="green" if arrived.answer.is_success else "red")
    if arrived.envelope is None:
        return f"{at} {'unreadable':{_LONGEST_OPERATION}} {printable(arrived.problem)} {answer}"
    name = element_name(arrived.envelope.message)
    told = "  ".join(filter(None, _told(arrived.envelope)))
    again = click.style(" repeat", fg="yellow") if arrived.is_repeat else ""
    return f"{at} {click.style(f'{name:{_LONGEST_OPERATION}}', bold=True)} {told}{again} {answer}"


def _told(envelope: mm7.Envelope) -> Iterator[str]:
    message = envelope.message
    match message:
        case mm7.DeliveryReportReq() | mm7.ReadReplyReq():
            yield from _report(message)
        case mm7.DeliverReq():
            yield f"{spelt(message.sender)} to {spelt_all((*message.to, *message.cc, *message.bcc)) or 'nobody'}"
            yield f"LinkedID {printable(message.linked_id)}" if message.linked_id else ""
            yield repr(message.subject) if message.subject else ""
            yield ", ".join(map(part_in_words, leaves(envelope.content))) if envelope.content is not None else ""
        case _:
            yield "no VASP serves this"


def _report(message: mm7.DeliveryReportReq | mm7.ReadReplyReq) -> Iterator[str]:
    status = f"{printable(message.mm_status):{_STATUS_WIDTH}}"
    yield click.style(status, fg=_STATUS_COLOURS.get(message.mm_status, "red"))
    yield f"{spelt(message.recipient):{_NUMBER_WIDTH}}"
    yield f"MessageID {printable(message.message_id)}"
    if isinstance(message, mm7.DeliveryReportReq):
        yield printable(message.mm_status_extension)
    yield printable(message.status_text)


def object_of(arrived: Arrived, files: tuple[str, ...]) -> dict[str, object]:
    """For --json."""
    found: dict[str, object] = {"at": to_datetime(Instant(arrived.at)).isoformat(), "from": arrived.remote}
    envelope = arrived.envelope
    if envelope is None:
        return {**found, "problem": arrived.problem, "answer": str(arrived.answer)}
    found |= {
        "operation": element_name(envelope.message),
        "transactionID": envelope.transaction_id,
        "namespace": envelope.dialect.namespace,
        "repeat": arrived.is_repeat,
        "message": as_object(envelope.message),
    }
    if envelope.content is not None:
        found["parts"] = [_part(one) for one in leaves(envelope.content)]
    if arrived.findings:
        found["findings"] = [f"{one.rule}: {one.remark} ({one.clause})" for one in arrived.findings]
    if files:
        found["files"] = list(files)
    return {**found, "answer": str(arrived.answer)}


def _part(part: mime.MimePart) -> dict[str, object]:
    return {
        "contentType": str(part.content_type),
        "contentID": part.content_id,
        "contentLocation": part.content_location,
        "octets": len(part.data),
    }


def xml_of(envelope: mm7.Envelope) -> str:
    """The whole XML, indented; as it came where that cannot be done."""
    try:
        root = parse_xml(envelope.soap)
    except DecodeError:
        return envelope.soap.decode("utf-8", "replace")
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")


class Folder:
    """Where requests are saved: `0001-DeliverReq.xml` as it came, its parts `0001-1-photo.jpg`."""

    def __init__(self, path: Path) -> None:
        """Made when it is not there. Raises OSError."""
        self._folder = NumberedFolder(path)

    def save(self, envelope: mm7.Envelope) -> tuple[str, ...]:
        """The files that were written. Raises OSError."""
        stem = self._folder.next()
        names = [self._folder.write(f"{stem}-{element_name(envelope.message)}.xml", envelope.soap)]
        content = envelope.content
        for number, part in enumerate([] if content is None else leaves(content), 1):
            told = part.content_location or part.content_type.get("name") or part.content_id or "part"
            name = safe_name(told, part.content_type.media_type)
            names.append(self._folder.write(f"{stem}-{number}-{name}", part.data))
        return tuple(names)
