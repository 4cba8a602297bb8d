"""What an operator decides about the wishes of VASPs: settings, in domain words (TS 23.140 8.7.1)."""

from enum import StrEnum

from mmsc.domain.conditions import DeliveryCondition
from protocols.records import record


class PartialSuccess(StrEnum):
    """What becomes of a submission when some of its recipients cannot be served."""

    ACCEPT = "accept"  # the others are: 1100
    REFUSE_ANY = "refuse_any"  # nobody is: 2002
    SINGLE_ONLY = "single_only"  # several recipients are refused whoever they are: 3003


@record(frozen=True, slots=True, kw_only=True)
class VaspPolicy:
    """For all VASPs; a VASP's own `partial_success` wins. A condition's number of 0 means that none stands for it."""

    mms_capable_condition: int = 1
    home_network_condition: int = 2
    application_addressing: bool = True
    content_class_refused: bool = False  # a content that is not of its declared class: refused, not remarked
    partial_success: PartialSuccess = PartialSuccess.ACCEPT

    def condition(self, number: int) -> DeliveryCondition | None:
        """What a DC of a SubmitReq means here, None for one that is a matter of agreements we know nothing of."""
        if number == self.mms_capable_condition:
            return DeliveryCondition.MMS_CAPABLE
        return DeliveryCondition.HOME_NETWORK if number == self.home_network_condition else None
