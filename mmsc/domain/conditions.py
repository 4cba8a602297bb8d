"""DeliveryCondition (TS 23.140 8.7.1): what must hold of a recipient for an MM to be delivered to him. What does not is
discarded for him, and reported so. Which number of a SubmitReq means which is the operator's setting."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

CONDITIONS: Final = "conditions"  # in an MM's details: those it came with, in these words


class DeliveryCondition(StrEnum):
    """The two that the standard names."""

    MMS_CAPABLE = "mms_capable"  # no web link, nothing for a handset without MMS
    HOME_NETWORK = "home_network"  # nobody at another MMSC


WHY_INCAPABLE: Final = "delivery condition: MMS-capable terminals only"
WHY_FOREIGN: Final = "delivery condition: the home network only"


def kept(conditions: Iterable[DeliveryCondition]) -> str:
    """As it stands in an MM's details, "" for none."""
    return " ".join(sorted(set(map(str, conditions))))


def requires(details: Mapping[str, str], condition: DeliveryCondition) -> bool:
    """Whether an MM with these details asks for it."""
    return CONDITIONS in details and condition in details[CONDITIONS].split()
