"""MM1 beside python-messaging in the same run: an m-retrieve-conf with SMIL and a JPEG of 30 KB, octets to fields and
parts and back (OMA-TS-MMS_ENC 6.3). Processor time of this process; nothing is sent.

Ours tells findings and where each field is, as always. The message has no field that python-messaging does not know."""

import array
from importlib.util import find_spec
from typing import Any, Final

from benching.codec import microseconds
from benching.octets import PICTURE_OCTETS, number_of
from mmsc.load.octets import picture
from protocols import mm1
from protocols.content_type import ContentType
from protocols.wsp.multipart import Part, PartIndex, encode_multipart, index_multipart

ROUNDS: Final = 5
OURS: Final = 2000  # of a round
THEIRS: Final = 40
MESSAGES: Final = 40  # different ones
MISSING: Final = "python-messaging is missing: .venv/bin/python -m pip install python-messaging, or scripts/test"
_SMIL: Final = b'<smil><body><par dur="5000ms"><img src="picture.jpg"/></par></body></smil>'
_TYPE: Final = ContentType("application/vnd.wap.multipart.related", (("type", "application/smil"), ("start", "<smil>")))


def message(number: int) -> tuple[mm1.MRetrieveConf, list[Part]]:
    """The fields of one, and its parts."""
    medium = picture(PICTURE_OCTETS, number)
    parts = [
        Part(ContentType("application/smil"), _SMIL, "smil", "smil.xml"),
        Part(ContentType(medium.media_type), medium.octets, "picture", medium.name),
    ]
    conf = mm1.MRetrieveConf(
        mms_version=mm1.VERSION_1_0,
        transaction_id=f"bench-{number}",
        message_id=f"{number:08x}@mmsc.example",
        date=1700000000 + number,
        from_=f"{number_of(number)}/TYPE=PLMN",
        to=(f"{number_of(number + 1)}/TYPE=PLMN",),
        subject="A picture from the lake",
        message_class=mm1.MessageClass.PERSONAL,
        priority=mm1.Priority.NORMAL,
        delivery_report=False,
        content_type=_TYPE,
    )
    return conf, parts


def ours_encode(conf: mm1.MRetrieveConf, parts: list[Part]) -> bytes:
    """Fields and parts to octets."""
    return mm1.encode_head(conf) + encode_multipart(parts)


def ours_decode(octets: bytes) -> tuple[Any, tuple[PartIndex, ...]]:
    """The PDU with findings, every field's octets, and where the parts are."""
    read = mm1.decode(octets)
    return (read, read.fields), index_multipart(octets, read.body_offset)


def theirs_decode(octets: "array.array[int]") -> Any:
    """python-messaging's message."""
    from messaging.mms.message import MMSMessage

    return MMSMessage.from_data(octets)


def theirs_encode(subject: str, sender: str, recipient: str, data: str) -> bytes:
    """The like of it by python-messaging, which adds SMIL of its own, and has no writer for Date and Priority."""
    from messaging.mms.message import DataPart, MMSMessage, MMSMessagePage

    whole, page, part = MMSMessage(), MMSMessagePage(), DataPart()
    part.set_data(data, "image/jpeg")
    part.headers["Content-Location"] = "picture.jpg"
    page.image = (part, 0, 0)
    whole.headers |= {"Message-Type": "m-retrieve-conf", "From": sender, "To": recipient, "Subject": subject}
    whole.add_page(page)
    return bytes(whole.encode())


def compare(octets: bytes, parts: list[Part]) -> None:
    """Raises ValueError where the two read something else: then their times could not be compared."""
    found = theirs_decode(array.array("B", octets))
    read, index = ours_decode(octets)
    if read[0].findings or found.headers["Message-ID"] != read[0].message.message_id:
        raise ValueError("the two decoders read another message")
    ours = [octets[one.data_offset : one.data_offset + one.data_length] for one in index]
    if not [bytes(one.data) for one in found.data_parts] == ours == [one.data for one in parts]:
        raise ValueError("the two decoders read other parts")


def mm1_codec(ours: int = OURS, theirs: int = THEIRS, rounds: int = ROUNDS) -> dict[str, Any]:
    """The best of all rounds, each side in turn, and how many times as fast as theirs ours is; without
    python-messaging only ours, and `missing`."""
    written = [message(number) for number in range(MESSAGES)]
    octets = [(ours_encode(*one),) for one in written]
    result: dict[str, Any] = {"case": "mm1", "in_flight": 1, "lost": 0, "octets": len(octets[0][0])}
    beside = find_spec("messaging") is not None
    arrays = [(array.array("B", one),) for (one,) in octets]
    asked = [
        (str(conf.subject), str(conf.from_), conf.to[0], parts[1].data.decode("latin-1")) for conf, parts in written
    ]
    if beside:
        compare(octets[0][0], written[0][1])
        if len(theirs_encode(*asked[0])) < PICTURE_OCTETS:
            raise ValueError("python-messaging wrote no picture")
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        times.setdefault("decode_us", []).append(microseconds(octets, ours, ours_decode))
        times.setdefault("encode_us", []).append(microseconds(written, ours, ours_encode))
        if beside:
            times.setdefault("their_decode_us", []).append(microseconds(arrays, theirs, theirs_decode))
            times.setdefault("their_encode_us", []).append(microseconds(asked, theirs, theirs_encode))
    best = {name: min(several) for name, several in times.items()}
    result |= {name: round(value, 1) for name, value in best.items()}
    if not beside:
        return result | {"missing": MISSING}
    for name in ("decode", "encode"):
        result[f"{name}_ratio"] = round(best[f"their_{name}_us"] / best[f"{name}_us"], 1)
    return result
