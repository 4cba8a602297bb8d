"""The page of the records, made from the tables: `RECORDS.md` beside this file is its text (a test compares)."""

from collections.abc import Iterator
from typing import Final

from mmsc.cdr.lines import COLUMNS
from mmsc.cdr.records import MM_STATUS, RECORD_TYPES, REQUEST_STATUS
from mmsc.cdr.triggers import coverage

_NEVER: Final = "not written: this server has nothing that causes it"

_HEAD: Final = """# Charging data records

Made from the tables in `records.py` and `triggers.py` (TS 32.298 MMSChargingDataTypes; triggers TS 32.270).

## The files

`NODE-NUMBER-TIME.jsonl` or `.csv`: the node's name, a number that has no gaps, the time of the first record in UTC. A
file that is being written ends with `.open`; a whole one never changes, and nothing of ours removes it.
`localSequenceNumber` has no gaps either: it goes on over all files of a node, and over restarts.

- JSON lines: one object a line, the record's fields in the order of their tags. A field that a record has not is left
  out; a mandatory one is always there, if need be as an empty text.
- CSV: RFC 4180 in UTF-8 with a header. One file for all types, because the order of events and the sequence number run
  through all of them, and a loader needs one table; the columns are the union of all fields of all 33 types, so that a
  later version that writes more types changes no column. An empty cell is a field that the record has not.

## Values

| Kind | JSON | CSV |
|---|---|---|
| recordType | the name, `"7S"` | `7S` |
| address | `{"mSISDN": "+15550100123"}`, `eMail-address` or `shortCode`; with `"mMSRecipientType": "tO"`, `cC`, `bCC` | `+15550100123`, `to:+15550100123` |
| list of addresses | a list | `to:+15550100123;cc:4488` |
| MMS Relay/Server | its domain | the same |
| time | UTC with milliseconds, `"2026-11-26T19:30:00.123Z"`, of the service clock | the same |
| BOOLEAN | `true`, `false`; senderVisibility is true for Show | `true`, `false` |
| requestStatusCode | the number | the number |
| ENUMERATED (mmStatusCode, priority, chargedparty ...) | the word | the word |
| mmComponentType | list of `{"component": "media", "type": "image/jpeg", "size": 30000}`, the subject first | `media:image/jpeg:30000;...` |
| chargeInformation, recordExtensions | an object of texts | `name:value;...` |

In a cell `%`, `;` and `:` inside an item are percent-encoded. messageSize is the octets of all media together, which
both sides of an interface agree about. messageReference names the MM as its recipient has it and is not its URL, which
is the key to its content. recordExtensions has the `eventID` of the trace and the `node`; of a 7S whose ChargedParty is ThirdParty,
for whom chargedparty has no word, also `chargedParty` and `chargedPartyID`.
"""  # noqa: E501 # rows of a table


def _lines() -> Iterator[str]:
    yield _HEAD
    yield "requestStatusCode: " + ", ".join(f"{number} {word}" for number, word in REQUEST_STATUS.items()) + "."
    yield ""
    words = (f"{word} {number}" if number is not None else f"{word} (no number)" for word, number in MM_STATUS.items())
    yield f"mmStatusCode: {', '.join(words)}."
    yield ""
    yield "## Which are written when"
    yield ""
    yield "| Type | Name | Written when |"
    yield "|---|---|---|"
    written = coverage()
    for one in RECORD_TYPES:
        yield f"| {one.number} | {one.name} | {written.get(one.name, _NEVER)} |"
    yield ""
    yield "## Columns of the CSV"
    yield ""
    yield ", ".join(COLUMNS)
    yield ""
    yield "## Fields"
    yield ""
    yield "Each with its tag; `?` is optional."
    yield ""
    yield "| Name | Fields |"
    yield "|---|---|"
    for one in RECORD_TYPES:
        fields = ", ".join(f"{each.name} {each.tag}{'' if each.mandatory else '?'}" for each in one.fields)
        yield f"| {one.name} | {fields} |"


def page() -> str:
    """The text."""
    return "\n".join(_lines()) + "\n"
