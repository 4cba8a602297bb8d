"""A whole document: a PDU, a WAP push around one, or what `mmsc decode --json` said about either."""

from collections.abc import Mapping
from typing import Any, Final

from mmsc.trace.json_form.content import ContentReader, FileReader, default_type, to_json
from mmsc.trace.json_form.faults import JsonFormError, nearest
from mmsc.trace.json_form.pdu import class_of, fields_from_json, fields_to_json
from mmsc.trace.json_form.values import Json, Reader, content_type_to_json
from protocols import mm1
from protocols.content_type import ContentType
from protocols.errors import DecodeError, EncodeError
from protocols.wsp.push import APPLICATION_MMS_UA, MMS_MESSAGE, Push, encode_push

_PUSH_KEYS: Final = ("transaction_id", "content_type", "application_id")
_CLAUSE_PUSH: Final = "WAP-230-WSP 8.2.4.1"
_OFFERED: Final = "MMS PDUs of MM1 and WAP pushes are what can be encoded"


def written(message: mm1.Pdu | Push) -> dict[str, Json]:
    """The JSON form of a PDU or a push."""
    return _push_written(message) if isinstance(message, Push) else _pdu_written(message, 0)


def is_exact(message: mm1.Pdu | Push, octets: bytes) -> bool:
    """Whether we write these very octets for it."""
    try:
        return (encode_push(message) if isinstance(message, Push) else mm1.encode(message)) == octets
    except EncodeError:
        return False


def _push_written(push: Push) -> dict[str, Json]:
    head = {
        "transaction_id": push.transaction_id,
        "content_type": content_type_to_json(push.content_type),
        "application_id": push.application_id,
    }
    return {"push": head, "body": to_json(push.content_type, push.data, _exact_pdu, 0)}


def _pdu_written(pdu: mm1.Pdu, depth: int) -> dict[str, Json]:
    found = fields_to_json(pdu)
    body = getattr(pdu, "body", b"")
    content_type = getattr(pdu, "content_type", None)
    if content_type is not None and body:
        content = to_json(content_type, body, _exact_pdu, depth)
        found |= content if "parts" in content else {"body": content}
    return found


def _exact_pdu(octets: bytes, depth: int) -> Json:
    try:
        pdu = mm1.decode(octets).message
    except DecodeError:
        return None
    return _pdu_written(pdu, depth) if is_exact(pdu, octets) else None


def read(given: Json, read_file: FileReader) -> tuple[bytes, str]:
    """The octets of a document, and the way that led to them ("" where it was one itself: `HTTP` around the PDU, say).

    Raises JsonFormError, and EncodeError for a value that the wire has no form for."""
    return _Reading(read_file).document(given, [])


class _Reading:
    def __init__(self, read_file: FileReader) -> None:
        self._content = ContentReader(read_file, self.pdu)

    def document(self, given: Json, way: list[str]) -> tuple[bytes, str]:
        if not isinstance(given, dict):
            raise JsonFormError("the document", f"is no JSON object; {_OFFERED}")
        if "kind" in given:
            return self._view(given, way)
        if "push" in given:
            return self._push(given), ", ".join(way)
        if "pdu" in given:
            return self.pdu(given, "", 0), ", ".join(way)
        near = nearest(str(next(iter(given), "")), ("pdu", "push"))
        raise JsonFormError("the document", f'has neither "pdu" nor "push"{near}; {_OFFERED}')

    def _view(self, given: Mapping[str, Json], way: list[str]) -> tuple[bytes, str]:
        """What `mmsc decode --json` printed: the outermost thing in it that can be written."""
        kind = str(given["kind"])
        if isinstance(given.get("written"), dict):
            return self.document(given["written"], way)
        inside = given.get("inside")
        inner = [one for one in inside if isinstance(one, dict)] if isinstance(inside, list) else []
        if len(inner) == 1 and "kind" in inner[0]:
            return self._view(inner[0], [*way, kind])
        raise JsonFormError("the document", f"is a view of {kind}; {_OFFERED}")

    def _push(self, given: Mapping[str, Json]) -> bytes:
        for key in given:
            if key not in ("push", "body"):
                raise JsonFormError(key, f"a push has no such key{nearest(key, ('push', 'body'))}", _CLAUSE_PUSH)
        head, body = given["push"], given.get("body")
        if not isinstance(head, dict) or not isinstance(body, dict):
            raise JsonFormError("push", "push and body are objects", _CLAUSE_PUSH)
        for key in head:
            if key not in _PUSH_KEYS:
                raise JsonFormError(f"push.{key}", f"no such key{nearest(key, _PUSH_KEYS)}", _CLAUSE_PUSH)
        content_type = Reader("push.content_type", _CLAUSE_PUSH).content_type(head.get("content_type", MMS_MESSAGE))
        transaction_id = Reader("push.transaction_id", _CLAUSE_PUSH).number(head.get("transaction_id", 0))
        if transaction_id > 0xFF:
            raise JsonFormError("push.transaction_id", f"{transaction_id} is more than one octet", _CLAUSE_PUSH)
        application = head.get("application_id", APPLICATION_MMS_UA)
        if application is not None:
            application = Reader("push.application_id", "WAP-251-PushMessage 6.2.1").number(application)
        data = self._content.octets(body, content_type, "body", 0)
        return encode_push(Push(transaction_id, content_type, application, data))

    def pdu(self, given: Mapping[str, Json], where: str, depth: int) -> bytes:
        """The octets of a PDU's object."""
        cls = class_of(given, where)
        values = fields_from_json(cls, given, where)
        values |= self._body(cls, given, values.get("content_type"), where, depth)
        return mm1.encode(cls(**values))

    def _body(
        self, cls: type[mm1.Pdu], given: Mapping[str, Json], content_type: ContentType | None, where: str, depth: int
    ) -> dict[str, Any]:
        named = [key for key in ("parts", "body") if key in given]
        if not named:
            return {}
        if "body" not in cls.__dataclass_fields__:
            raise JsonFormError(f"{where}{named[0]}", f"{given['pdu']} has no content", cls.clause)
        if len(named) > 1:
            raise JsonFormError(f"{where}body", "either parts or body, not both", cls.clause)
        if named == ["parts"]:
            octets, parts = self._content.parts(given["parts"], f"{where}parts", depth)
            return {"body": octets, "content_type": content_type or default_type(parts)}
        if not isinstance(given["body"], dict):
            raise JsonFormError(f"{where}body", "no object", cls.clause)
        if content_type is None:
            raise JsonFormError(f"{where}Content-Type", "is missing", "OMA-TS-MMS_ENC 7.3.11")
        return {"body": self._content.octets(given["body"], content_type, f"{where}body", depth)}


__all__ = ["is_exact", "read", "written"]
