"""The groups of operations, as OpenAPI and the console's page show them: in this order, each with a sentence."""

from typing import Final

TAGS: Final[dict[str, str]] = {
    "messages": "MMs: the list, one, its recipients and events, and what can be done about it.",
    "send": "Send an MM without a protocol of its own, or as a VASP, a handset or another MMSC would.",
    "wait": "Long polls: answered when something is so, or when the time is over.",
    "findings": "What clients get wrong, by rule and client.",
    "captures": "PDUs as they were on the wire.",
    "lanes": "What waits for whom, and why it does not move.",
    "runs": "Tags by which several people tell their MMs apart: the header `X-MMSC-Run`, or a VASP's `run`.",
    "phones": "Handsets of the lab: what they have, and how they behave.",
    "lab": "Neighbours that a lab brings: VASPs that submit and listen, the SMSC's moods.",
    "faults": "What goes wrong on purpose.",
    "clock": "Service time: pause, step, jump, speed.",
    "scenarios": "Files of steps and expectations, and their runs.",
    "vasps": "Value-added service providers on MM7 and EAIF.",
    "peers": "Foreign MMSCs on MM4.",
    "smscs": "SMSCs that the server binds to.",
    "subscribers": "Numbers of ours.",
    "routes": "Which number goes where.",
    "profiles": "Dialects of MM7.",
    "identities": "Which subscriber has which IP address, for labs without a gateway that adds the number.",
    "server": "The server itself: what it is, where it listens, what it offers.",
    "reset": "Begin again.",
}
