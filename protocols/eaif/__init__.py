"""EAIF: Nokia's External Application Interface, an MMS PDU (OMA-TS-MMS_ENC) over HTTP with headers of its own."""

from protocols.eaif.headers import (
    MAXIMUM_MESSAGE_ID,
    MAXIMUM_RECIPIENTS,
    MAXIMUM_VALUE,
    PREFIX,
    Headers,
    MessageType,
    read,
    write,
)

__all__ = [
    "MAXIMUM_MESSAGE_ID",
    "MAXIMUM_RECIPIENTS",
    "MAXIMUM_VALUE",
    "PREFIX",
    "Headers",
    "MessageType",
    "read",
    "write",
]
