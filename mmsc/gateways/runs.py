"""How a submission gets its run tag: from the request, else from what is configured for whoever submits."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from mmsc.domain.message import Submission
from mmsc.domain.runs import RUN, tag_of

HEADER: Final = "X-MMSC-Run"
_IN_MAIL: Final = re.compile(rb"^X-MMSC-Run:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


def tagged(submission: Submission, headers: Mapping[str, str], own: str) -> Submission:
    """With the tag of the request's header, else with `own`; as it is where there is neither."""
    return with_tag(submission, headers.get(HEADER, "") or own)


def asked_for(headers: Mapping[str, str], own: str) -> str:
    """The tag of the request's header, else `own`, as it is kept; "" for none."""
    text = headers.get(HEADER, "") or own
    return tag_of(text) if text else ""


def in_mail(octets: bytes) -> str:
    """What the header of a mail says, "" where there is none (RFC 5322 2.2; one that is folded has its first line)."""
    found = _IN_MAIL.search(octets, 0, max(0, octets.find(b"\r\n\r\n")) or len(octets))
    return "" if found is None else found[1].decode("ascii", "replace")


def with_tag(submission: Submission, text: str) -> Submission:
    """With this tag; as it is where it says nothing."""
    tag = tag_of(text) if text else ""
    return replace(submission, details={**submission.details, RUN: tag}) if tag else submission
