"""Addresses that a VASP knows only in coded form (TS 23.140 8.7.1, addressCoding encrypted or obfuscated): the
operator's settings say which numbers they are. The VASP never learns one: reports name the recipient as it did."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from mmsc.domain.coded import CODED, names_of
from mmsc.domain.message import RecipientSpec, Submission
from mmsc.domain.neighbours import Vasp
from protocols.mm7 import Address, AddressForm, Mm7Error, StatusCode, SubmitReq

_UNKNOWN: Final = "no number is known behind this"
_LONGEST: Final = 200  # characters of an addressCoding or id


def is_coded(request: SubmitReq) -> bool:
    """Whether the request names anybody in coded form."""
    for addresses in (request.to, request.cc, request.bcc):
        for one in addresses:
            if one.coding:
                return True
    return request.sender_address is not None and bool(request.sender_address.coding)


def decoded(submission: Submission, request: SubmitReq, vasp: Vasp) -> dict[str, Any]:
    """The recipients and the sender with numbers in place of coded addresses, and the details with what is needed to
    name them again. Whom no setting knows cannot be served, and whoever is known only in coded form is shown to nobody.
    Raises Mm7Error 2002 for a sender that no setting knows."""
    numbers = dict(vasp.coded_addresses)
    names: dict[str, tuple[str, ...]] = {}
    found: list[RecipientSpec] = []
    for spec, address in zip(submission.recipients, _addresses(request), strict=True):
        if not address.coding:
            found.append(spec)
            continue
        number = _number(address, numbers)
        if number:
            names[number] = _name(address)
            found.append(replace(spec, text=number, hidden=True))
        else:
            found.append(replace(spec, hidden=True, obstacle=f"{_UNKNOWN} {_bounded(address.coding)} address"))
    sender = _sender(request, numbers, names) or submission.sender
    details = {**submission.details, CODED: json.dumps(names, ensure_ascii=False)} if names else submission.details
    return {"recipients": tuple(found), "sender": sender, "details": details}


def _sender(request: SubmitReq, numbers: Mapping[str, str], names: dict[str, tuple[str, ...]]) -> str:
    address = request.sender_address
    if address is None or not address.coding:
        return ""
    number = _number(address, numbers)
    if not number:
        where = "SubmitReq/SenderIdentification/SenderAddress"
        raise Mm7Error(StatusCode.ADDRESS_ERROR, where=where, why=f"{_UNKNOWN} {_bounded(address.coding)} address")
    names[number] = _name(address)
    return number


def _name(address: Address) -> tuple[str, ...]:
    return address.value, address.form.value, _bounded(address.coding), _bounded(address.id)


def as_named(number: str, details: Mapping[str, str]) -> Address | None:
    """The recipient, or the sender, as the MM's VASP named it; None for one that it named by its number."""
    name = names_of(details).get(number)
    if name is None:
        return None
    value, form, coding, key = name
    return Address(value, AddressForm(form), False, coding, key)


def _bounded(text: str) -> str:
    if len(text) > _LONGEST:
        why = f"addressCoding or id of {len(text)} characters, the limit is {_LONGEST}"
        raise Mm7Error(StatusCode.ADDRESS_ERROR, where="SubmitReq/Recipients", why=why)
    return text


def _number(address: Address, numbers: Mapping[str, str]) -> str:
    return numbers.get(address.value) or (numbers.get(address.id, "") if address.id else "")


def _addresses(request: SubmitReq) -> Iterator[Address]:
    yield from request.to
    yield from request.cc
    yield from request.bcc
