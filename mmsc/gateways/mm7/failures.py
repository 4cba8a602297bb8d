"""What a VASP is told when a request fails by our own fault (TS 23.140 8.7.8.3).

3000 says that the server failed at a request that may be right: VASPs send it again. One that fails again and again
will fail the next time, too: then 4005 says that it must not be resent. Counted are the last failures alone, so nothing
is kept of requests that go well.
"""

import logging
from collections import OrderedDict
from typing import Final

from mmsc.domain.neighbours import Vasp
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.gateways.mm7.answers import OPERATION_OF, error_about, failed
from mmsc.gateways.mm7.permission import Permission
from mmsc.net.http import HttpAnswer
from protocols.mm7 import Envelope, Mm7Error, StatusCode

MAXIMUM_ATTEMPTS: Final = 3  # of one request that are told 3000; the next is told 4005
_REMEMBERED: Final = 1000  # requests that failed, those of longest ago forgotten first
_WHY: Final = "the server failed, and has it in its log"
_FOR_GOOD: Final = f"the server fails each time ({MAXIMUM_ATTEMPTS} so far), and has it in its log: do not resend"
_log: Final = logging.getLogger(__name__)


class Failures:
    """The requests that failed lately, and the answers to them."""

    def __init__(self, permission: Permission) -> None:
        """`permission` writes refusals into the trace."""
        self._permission = permission
        self._attempts: OrderedDict[tuple[str, str], int] = OrderedDict()

    def unreadable(self, vasp: Vasp | None, exchange: int) -> HttpAnswer:
        """3000 about a request that our reader failed at. To be called where the exception is handled."""
        _log.exception("MM7: the reader failed", extra={"exchange": exchange})
        return self._recorded(failed(Mm7Error(StatusCode.SERVER_ERROR, where="HTTP body", why=_WHY), vasp), vasp, _WHY)

    def unserved(self, envelope: Envelope, vasp: Vasp | None, exchange: int) -> HttpAnswer:
        """3000 or 4005 about a request that could be read. To be called where the exception is handled."""
        operation = OPERATION_OF.get(type(envelope.message), "Body")
        _log.exception("MM7 %s: the handler failed", operation, extra={"exchange": exchange})
        is_final = self._attempt("" if vasp is None else vasp.name, envelope.transaction_id) > MAXIMUM_ATTEMPTS
        code, why = (StatusCode.SERVICE_ERROR, _FOR_GOOD) if is_final else (StatusCode.SERVER_ERROR, _WHY)
        return self._recorded(failed(error_about(envelope, code, operation, why), vasp), vasp, why)

    def _attempt(self, vasp: str, transaction_id: str) -> int:
        key = (vasp, transaction_id)
        number = self._attempts.pop(key, 0) + 1
        self._attempts[key] = number
        if len(self._attempts) > _REMEMBERED:
            self._attempts.popitem(last=False)
        return number

    def _recorded(self, answer: HttpAnswer, vasp: Vasp | None, why: str) -> HttpAnswer:
        answer.after = self._permission.record(
            "" if vasp is None else vasp.name, Refused(RefusalReason.SERVER_FAILED, why)
        )
        return answer
