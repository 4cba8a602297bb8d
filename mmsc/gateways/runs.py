"""How a submission gets its run tag: from the request, else from what is configured for whoever submits."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from mmsc.domain.message import Submission
from mmsc.domain.runs import RUN, tag_of

HEADER: Final = "X-MMSC-Run"


def tagged(submission: Submission, headers: Mapping[str, str], own: str) -> Submission:
    """With the tag of the request's header, else with `own`; as it is where there is neither."""
    return with_tag(submission, headers.get(HEADER, "") or own)


def with_tag(submission: Submission, text: str) -> Submission:
    """With this tag; as it is where it says nothing."""
    tag = tag_of(text) if text else ""
    return replace(submission, details={**submission.details, RUN: tag}) if tag else submission
