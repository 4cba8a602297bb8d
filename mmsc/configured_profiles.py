"""What the settings say about a VASP's dialect, in the words of the domain: for `configured.py`."""

from collections.abc import Mapping
from typing import Any, Final

from mmsc.domain.address import Rewrite
from mmsc.domain.mm7_profile import Mm7Profile
from mmsc.domain.neighbours import DeliverContent, TransferEncoding
from mmsc.settings import Settings
from mmsc.settings.profiles import values_of
from protocols import mm7

_STANDARD: Final = Mm7Profile()


def dialect_of(name: str, settings: Settings) -> dict[str, Any]:
    """The fields of `Vasp` that its dialect decides: those it has itself, and a profile of all others where one of
    these is not the standard's."""
    given = settings.vasp[name]
    values = values_of(given, settings.mm7_profile)
    namespace = values.pop("namespace", "")
    vasp = {
        "namespace": mm7.BASE + namespace if namespace in mm7.TAGS else namespace,
        "mm7_version": values.pop("mm7_version", ""),
        "errors": values.pop("errors", "auto"),
        "fault_http_status": values.pop("fault_http_status", 500),
        "deliver_content": DeliverContent(values.pop("deliver_content", "related")),
        "deliver_encoding": TransferEncoding(values.pop("deliver_encoding", "binary")),
        "rewrites_out": tuple(Rewrite(one.prefix, one.becomes) for one in values.pop("rewrites_out", ())),
        "relayed_reports": values.pop("relayed_reports", False) and given.interface == "mm7",
    }
    profile = Mm7Profile(**{key: _frozen(value) for key, value in values.items()})
    if profile == _STANDARD:
        return {**vasp, "profile": None}
    return {**vasp, "profile": Mm7Profile(name=given.profile, **{key: _frozen(value) for key, value in values.items()})}


def _frozen(value: Any) -> Any:
    """A table as pairs in its order: a record is compared and hashed."""
    if isinstance(value, Mapping):
        return tuple((key, _frozen(one)) for key, one in value.items())
    return value
