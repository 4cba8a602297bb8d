"""VASPs, peers and SMSCs of the settings as the rooms know them. For `configured.py`."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, Final

import msgspec

from mmsc.configured_profiles import dialect_of
from mmsc.domain.address import Rewrite
from mmsc.domain.neighbours import (
    FallbackReport,
    Peer,
    Repeats,
    Smsc,
    UnknownLinkedId,
    Vasp,
    VaspInterface,
)
from mmsc.domain.vasp_policy import PartialSuccess
from mmsc.gateways.mm7.digest import ha1_of
from mmsc.settings import Settings
from mmsc.settings import neighbours as given
from mmsc.settings.neighbours import Rewrite as RewriteSettings

_VASP_KEYS: Final = {field.name for field in fields(Vasp)} & {
    field.name for field in msgspec.structs.fields(given.Vasp)
}


def vasp(name: str, settings: Settings, hash_password: Callable[[str], str]) -> Vasp:
    """`[vasp.NAME]`; its password becomes what HTTP Basic and Digest need of it, and is known nowhere else."""
    made = _vasp(name, settings, hash_password)
    table = settings.vasp[name]
    if not table.deliver_profile:
        return made
    other = msgspec.structs.replace(table, profile=table.deliver_profile, deliver_profile="")
    others = msgspec.structs.replace(settings, vasp={**settings.vasp, name: other})
    return replace(made, delivered_as=_vasp(name, others, lambda _: made.password_hash))


def _vasp(name: str, settings: Settings, hash_password: Callable[[str], str]) -> Vasp:
    table = settings.vasp[name]
    values: dict[str, Any] = {key: getattr(table, key) for key in _VASP_KEYS}  # as they are, but for those below
    return Vasp(
        name=name,
        **{
            **values,
            **secrets(table, settings.mm7.realm, hash_password),
            "proxy_url": _proxy_url(table.proxy_url, settings),
            "unknown_linked_id": UnknownLinkedId(table.unknown_linked_id),
            "repeats": Repeats(table.repeats),
            "fallback_report": FallbackReport(table.fallback_report),
            "coded_addresses": tuple(sorted(table.coded_addresses.items())),
            "partial_success": None if table.partial_success == "server" else PartialSuccess(table.partial_success),
            "interface": VaspInterface(table.interface),
            "rewrites": _rewrites(table.rewrites),
            **dialect_of(name, settings),
        },
    )


def secrets(table: given.Vasp, realm: str, hash_password: Callable[[str], str]) -> dict[str, str]:
    """What is kept of a password, by the kinds of login that are wanted (RFC 7617; RFC 7616 3.4.2)."""
    password, basic, digest = table.password, table.authentication != "digest", table.authentication != "basic"

    def ha1(algorithm: str, written: str) -> str:
        made = password and digest
        return ha1_of(algorithm, table.username, realm, password) if made else written.lower()

    return {
        "password_hash": hash_password(password) if password and basic else table.password_hash,
        "ha1_md5": ha1("MD5", table.ha1_md5),
        "ha1_sha256": ha1("SHA-256", table.ha1_sha256),
    }


def _proxy_url(own: str, settings: Settings) -> str:
    """A VASP's own proxy, else the one of all; "" for none."""
    return (own or settings.delivery.vasp.proxy_url).removeprefix("direct")


def peer(name: str, settings: Settings) -> Peer:
    """`[peer.NAME]`."""
    table = settings.peer[name]
    return Peer(
        name=name,
        domain=table.domain,
        host=table.host,
        port=table.port,
        prefixes=table.prefixes,
        addresses=table.addresses,
        ack_request=table.ack_request,
        mm4_version=table.mm4_version,
        maximum_octets=table.maximum_octets,
        repeats=Repeats(table.repeats),
        unknown_recipient=table.unknown_recipient,
        rewrites=_rewrites(table.rewrites),
        rewrites_out=_rewrites(table.rewrites_out),
        concurrency=table.concurrency,
    )


def smsc(name: str, settings: Settings) -> Smsc:
    """`[smsc.NAME]`."""
    table = settings.smsc[name]
    return Smsc(
        name=name,
        host=table.host,
        port=table.port,
        system_id=table.system_id,
        password=table.password,
        system_type=table.system_type,
        bind=table.bind,
        source=table.source,
        source_ton=table.source_ton,
        source_npi=table.source_npi,
        window=table.window,
        sessions=table.sessions,
        push_form=table.push_form,
        data_coding=table.data_coding,
        receipts=table.receipts,
        rewrites_out=_rewrites(table.rewrites_out),
    )


def _rewrites(tables: tuple[RewriteSettings, ...]) -> tuple[Rewrite, ...]:
    return tuple(Rewrite(table.prefix, table.becomes) for table in tables)
