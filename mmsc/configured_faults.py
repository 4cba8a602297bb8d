"""What the settings say about faults and magic numbers, in the words of `mmsc.faults`."""

from collections.abc import Iterator

import msgspec

from mmsc.faults.catalogue import UnknownFault, WrongParameter, checked
from mmsc.faults.magic import MagicTable
from mmsc.faults.parameters import Setting
from mmsc.faults.plan import Plan
from mmsc.settings import Settings
from mmsc.settings.faults import Fault


def setting_of(given: Fault) -> Setting:
    """A table of the file."""
    return msgspec.convert(msgspec.to_builtins(given), Setting)


def misread(settings: Settings) -> Iterator[str]:
    """Sentences about tables that no fault has, or that say what it cannot be told."""
    for name, given in settings.faults.items():
        try:
            checked(name, setting_of(given))
        except (UnknownFault, WrongParameter) as error:
            yield f"faults.{name}: {error}"


def take_over(plan: Plan, settings: Settings) -> None:
    """The faults and magic numbers of the settings are those from now on."""
    magic = settings.magic
    known = plan.magic
    if not magic.enabled:
        plan.enchant(None)
    elif known is None or known.prefix != magic.prefix:
        plan.enchant(MagicTable(magic.prefix))
    plan.take_over({name: setting_of(given) for name, given in settings.faults.items()})
