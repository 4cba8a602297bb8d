"""What a VASP's profile does to what is written to it: its style, its codes, its HTTP headers (TS 23.140 8.7.8)."""

from dataclasses import fields
from functools import lru_cache
from typing import Final

from mmsc.domain.mm7_profile import Mm7Profile
from mmsc.domain.neighbours import Vasp
from protocols.mm7 import Dialect, StatusCode, Style

_STYLE_FIELDS: Final = tuple(one.name for one in fields(Style))
_QUOTES: Final = '""'  # SOAPAction: the intent is what the request's address says (SOAP 1.1 6.1.1)


def style_of(vasp: Vasp | None) -> Style | None:
    """How the VASP is written to, None for the standard's way."""
    return None if vasp is None or vasp.profile is None else _style(vasp.profile)


@lru_cache(maxsize=256)
def _style(profile: Mm7Profile) -> Style:
    return Style(**{name: getattr(profile, name) for name in _STYLE_FIELDS})


def told_code(vasp: Vasp | None, code: StatusCode, where: str = "") -> StatusCode:
    """The code as the VASP is told it; `where` is the element that it is about."""
    if vasp is None or vasp.profile is None or not vasp.profile.status_codes:
        return code
    known = dict(vasp.profile.status_codes)
    return StatusCode(known.get(f"{int(code)} {where}", known.get(str(int(code)), int(code))))


def answer_headers(vasp: Vasp | None) -> tuple[tuple[str, str], ...]:
    """HTTP headers of our answers to the VASP."""
    return () if vasp is None or vasp.profile is None else vasp.profile.http_headers


def request_headers(vasp: Vasp, content_type: str, spoken: Dialect) -> dict[str, str]:
    """HTTP headers of our requests to the VASP."""
    if vasp.profile is None:
        return {"Content-Type": content_type, "SOAPAction": _QUOTES}
    actions = {"quoted": _QUOTES, "empty": "", "namespace": spoken.namespace}
    action = actions.get(vasp.profile.soap_action)
    soap_action = {} if action is None else {"SOAPAction": action}
    return {"Content-Type": content_type, **soap_action, **dict(vasp.profile.http_headers)}


def server_id_for(vasp: Vasp, ours: str) -> str:
    """Our MMSRelayServerID, as the VASP is told it."""
    return ours if vasp.profile is None else vasp.profile.server_id or ours
