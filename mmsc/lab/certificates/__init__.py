"""Certificates for a lab's https, good and bad: TLS as a test subject.

Their keys are public, so they protect nothing: whoever trusts `ca.pem` outside a lab trusts everybody. The CA's own key
was not kept. `scripts/lab_certificates.py` makes them anew; they last until 2037.
"""

import ssl
import warnings
from contextlib import ExitStack
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Final

_FOLDER: Final = resources.files(__name__)


class LabTls(StrEnum):
    """How a lab's server speaks TLS: well, or with one fault that a client must notice."""

    GOOD = "good"
    EXPIRED = "expired"  # on 2021-01-01
    NOT_YET_VALID = "not-yet-valid"  # before 2037
    WRONG_NAME = "wrong-name"  # elsewhere.example
    MISSING_INTERMEDIATE = "missing-intermediate"  # its issuer is not the CA, and is not sent
    UNKNOWN_CA = "unknown-ca"
    OLD_VERSION = "old-version"  # TLS 1.1 at most, which RFC 8996 retired


def server_context(how: LabTls) -> ssl.SSLContext:
    """The context of a server that is so. Raises ValueError where this machine's OpenSSL cannot be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    name = LabTls.GOOD if how is LabTls.OLD_VERSION else how
    with ExitStack() as stack:
        context.load_cert_chain(stack.enter_context(resources.as_file(_FOLDER / f"{name}.pem")))
    if how is LabTls.OLD_VERSION:
        _retire(context)
    return context


def _retire(context: ssl.SSLContext) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # they are old: that is the point
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("DEFAULT@SECLEVEL=0")
    except (ValueError, ssl.SSLError) as error:
        raise ValueError(f"OpenSSL here speaks no TLS 1.1 ({error})") from error


def authority() -> Path:
    """The CA's certificate in PEM, to be trusted in a lab. For wheels that are not unpacked it would have no path."""
    return Path(str(_FOLDER / "ca.pem"))
