"""What an event says, in one sentence: short for lists (`LONGEST` characters at most), long for the reason line.

The words are the field's own (states, statuses, names of PDUs), ours are plain: taken, answered, again, given up.
Each kind of `events.KINDS` has its row in `deliveries.py`, `changes.py` or `lab.py`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from mmsc.trace.data import Data
from mmsc.trace.sentences.changes import CHANGES
from mmsc.trace.sentences.deliveries import DELIVERIES
from mmsc.trace.sentences.lab import LAB
from mmsc.trace.sentences.words import LONGEST as LONGEST
from mmsc.trace.sentences.words import Words
from mmsc.trace.sentences.words import clipped as clipped
from mmsc.trace.sentences.words import clock_time as clock_time
from mmsc.trace.sentences.words import in_words as in_words
from mmsc.trace.sentences.words import octets as octets
from mmsc.trace.sentences.words import short_work as short_work
from mmsc.trace.sentences.words import state_word as state_word
from mmsc.trace.sentences.words import work as work
from mmsc.trace.stored import kind_of

SENTENCES: Final[Mapping[type, Callable[[Any], Words]]] = MappingProxyType({**DELIVERIES, **CHANGES, **LAB})


def short(data: Data) -> str:
    """At most `LONGEST` characters, without a full stop. Of a kind that this version does not know, its name."""
    maker = SENTENCES.get(type(data))
    return clipped(kind_of(data) if maker is None else maker(data)[0])


def long(data: Data) -> str:
    """The whole sentence or two, with what was answered and when the next attempt is planned (UTC)."""
    maker = SENTENCES.get(type(data))
    if maker is None:
        return f"{kind_of(data)}."
    text = maker(data)[1]
    return text if text.endswith((".", "?", "!")) else f"{text}."
