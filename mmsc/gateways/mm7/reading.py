"""What a VASP's answer says (TS 23.140 8.7.8), however it is written: the strict reader first, then whoever can find a
StatusCode.

VASPs answer with a Fault for everything, in SOAP 1.2, without a TransactionID, with a bare Status in the detail, as
text/plain, in a character set that they do not name. The status counts all the same: asked again for three days, they
would say nothing else. What was forgiven is told beside it.
"""

import codecs
import html
import re
from typing import Final, NamedTuple

from mmsc.net.http_client import HttpReply
from protocols import charset, mm7
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.mm7 import Status, StatusCode

_LONGEST_REMARK: Final = 200  # characters
_PLAIN_CODE: Final = re.compile(rb"<(?:[\w.-]+:)?StatusCode(?:\s[^<>]*)?>\s*([0-9]{4})\s*</")
_DECLARED: Final = re.compile(rb"""\s*(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WIDER: Final = {"gb2312": "gb18030", "gbk": "gb18030", "euc-kr": "cp949"}  # old names, written with the new letters


def _element(names: str, content: str) -> re.Pattern[str]:
    """An element of any namespace and case; no part of the pattern can be read in two ways, so that time is linear."""
    cdata = r"(?:<!\[CDATA\[\s*)?"
    return re.compile(rf"<(?:[\w.-]+:)?(?:{names})(?:\s[^<>]*)?>\s*{cdata}{content}", re.IGNORECASE)


_CODE: Final = _element("StatusCode", r"([0-9]{4})\s*(?:\]\]>\s*)?</")
_TEXT: Final = _element("StatusText", r"([^<\]]*)")
_FAULT: Final = re.compile(r"<(?:[\w.-]+:)?Fault[\s>]", re.IGNORECASE)
_FAULT_CODE: Final = _element("faultcode|Value", r"(?:[\w.-]+:)?(\w+)")  # SOAP 1.1 4.4, SOAP 1.2 part 1 5.4
_FAULT_TEXT: Final = _element("faultstring|Text|Reason", r"([^<\]]+)")
_OF_FAULT: Final = {  # whose fault it is: the same in both versions of SOAP
    "client": StatusCode.CLIENT_ERROR,
    "sender": StatusCode.CLIENT_ERROR,
    "server": StatusCode.SERVER_ERROR,
    "receiver": StatusCode.SERVER_ERROR,
}


class Answer(NamedTuple):
    """The status, and what its reader had to forgive ("": nothing)."""

    status: Status
    remark: str = ""


_SUCCESS: Final = Answer(Status(StatusCode.SUCCESS, StatusCode.SUCCESS.text))


def read_answer(reply: HttpReply) -> Answer | None:
    """None: nothing in it is a status."""
    body = reply.body
    found = _PLAIN_CODE.search(body, body.rfind(b"<", 0, body.find(b"StatusCode")))  # not at each tag before it
    if found is not None and found[1] == b"1000" and reply.status == 200 and body.find(b"Fault") < 0:
        return _SUCCESS  # what nearly every answer is; anything else is read properly
    if not body.strip():
        return None
    why = "no status in it"
    try:
        status = getattr(mm7.decode(reply.content_type, body).message.message, "status", None)
    except DecodeError as error:
        status, why = None, error.why
    if status is not None:
        return Answer(status)
    status = _anywhere(_text_of(reply))
    return None if status is None else Answer(status, f"no MM7 answer as it should be: {_short(why)}")


def _anywhere(text: str) -> Status | None:
    """A status in what is perhaps XML."""
    code = _CODE.search(text)
    if code is not None:
        words = _TEXT.search(text)
        known = StatusCode(int(code[1]))
        return Status(known, (words and _words(words[1])) or known.text)
    if _FAULT.search(text) is None:
        return None
    whose = _FAULT_CODE.search(text)
    words = _FAULT_TEXT.search(text)
    meant = _OF_FAULT.get(whose[1].lower()) if whose is not None else None
    return None if meant is None else Status(meant, (words and _words(words[1])) or meant.text)


def _text_of(reply: HttpReply) -> str:
    body = reply.body
    name = next((name for mark, name in _MARKS if body.startswith(mark)), "")
    try:
        return charset.decode(body, name or _declared(reply))
    except LookupError:  # no character set: the letters that matter are ASCII
        return body.decode("ascii", "replace")


def _declared(reply: HttpReply) -> str:
    """What the XML says of itself, else the Content-Type (RFC 7303 3), else the default."""
    found = _DECLARED.match(reply.body[:_LONGEST_REMARK])
    name = found[1].decode("ascii") if found is not None else ""
    if not name:
        try:
            name = ContentType.parse(reply.content_type).get("charset")
        except DecodeError:
            name = ""
    return _WIDER.get(name.lower(), name) or "utf-8"


def _words(text: str) -> str:
    return html.unescape(text[: 10 * _LONGEST_REMARK]).strip()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_REMARK else text[:_LONGEST_REMARK] + "..."
