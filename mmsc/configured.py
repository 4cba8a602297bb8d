"""What the settings say, in the words of the rooms. For `app.py` and the commands; nobody else knows the settings."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from mmsc import configured_faults
from mmsc import configured_neighbours as tables
from mmsc.cdr.happened import House
from mmsc.cdr.lines import CSV, JSON_LINES
from mmsc.cdr.writer import ChargingPolicy
from mmsc.domain.address import Address, AddressKind, NotAnAddress, NumberPlan
from mmsc.domain.changes import ChangePolicy
from mmsc.domain.instant import DAY, HOUR, MINUTE, SECOND
from mmsc.domain.limits import Limits
from mmsc.domain.mmbox import BoxPolicy
from mmsc.domain.neighbours import MmsFlag, Subscriber, Vasp
from mmsc.domain.notification import NotificationPolicy
from mmsc.domain.retry import RetryPolicy
from mmsc.domain.vasp_policy import PartialSuccess, VaspPolicy
from mmsc.engine.delivery import DeliveryPolicy
from mmsc.engine.directory import Neighbour
from mmsc.engine.door import DoorLimits
from mmsc.engine.engine import EnginePolicy
from mmsc.engine.housekeeping import RetentionPolicy
from mmsc.engine.lanes import LaneLimits
from mmsc.engine.planning import SubmitPolicy
from mmsc.engine.retrieval import RetrievalPolicy
from mmsc.engine.routing import RoutingPolicy
from mmsc.gateways.mm7.vasp import AdmissionPolicy
from mmsc.gateways.sms.esme import EsmeTimers
from mmsc.net.forwarded import Proxies
from mmsc.net.http import HttpLimits
from mmsc.net.http_calling import Way
from mmsc.net.http_client import ClientLimits
from mmsc.net.tls import TlsOptions
from mmsc.net.tls_server import TlsFiles
from mmsc.settings import Settings, cdr_path
from mmsc.settings.model import HttpListener, Trace
from mmsc.settings.neighbours import Delivery
from mmsc.trace.ring import RingLimits
from mmsc.trace.rings import CaptureLimits

_WAITING_ROUNDS: Final = 8  # of what a neighbour takes at once: so many of its jobs may wait in memory
_KINDS: Final = {
    AddressKind.SHORT_CODE: "a short code",
    AddressKind.EMAIL: "an e-mail address",
    AddressKind.IP: "an IP address",
}


def engine_policy(settings: Settings) -> EnginePolicy:
    """All that can be set about the engine."""
    return EnginePolicy(
        plan=number_plan(settings),
        routing=routing_policy(settings),
        submit=SubmitPolicy(
            domain=settings.node.domain,
            limits=limits(settings),
            repeat_window=_hours(settings.limits.repeat_window_hours),
            reply_charging=settings.mm1.reply_charging,
            door=DoorLimits(
                maximum=settings.limits.maximum_submissions,
                maximum_of_one=settings.limits.maximum_submissions_of_one,
            ),
        ),
        delivery=delivery_policy(settings),
        boxes=box_policy(settings),
        changes=ChangePolicy(after_notification=settings.mm7.cancel_after_notification == "allow"),
        retrieval=RetrievalPolicy(
            retrieve_grace=_seconds(settings.mm1.retrieve_grace_seconds),
            require_identity=settings.mm1.require_identity,
            fallback=settings.fallback.enabled,
        ),
        lane=LaneLimits(
            backlog=settings.lanes.backlog,
            rounds=_WAITING_ROUNDS,
            first_pause=settings.lanes.first_pause_seconds,
            longest_pause=settings.lanes.longest_pause_seconds,
        ),
        retention=retention_policy(settings),
        default_smsc=settings.numbers.default_smsc,
        smallest_object=settings.store.objects.smallest_octets,
    )


def box_policy(settings: Settings) -> BoxPolicy:
    """What subscribers may keep in the network."""
    given = settings.mmbox
    return BoxPolicy(
        enabled=given.enabled,
        default_store=given.default_store,
        quota_messages=given.quota_messages,
        quota_octets=given.quota_octets,
        view_messages=given.view_messages,
        view_octets=given.view_octets,
        locations=given.maximum_locations,
    )


def retention_policy(settings: Settings) -> RetentionPolicy:
    """What is kept for how long."""
    given = settings.retention
    return RetentionPolicy(
        bodies=_hours(given.body_hours),
        messages=_hours(given.message_hours),
        boxes=round(settings.mmbox.keep_days * DAY),
        maximum_octets=given.maximum_octets,
        warn_free_octets=given.warn_free_octets,
        every=_seconds(given.every_seconds),
        retrieve_grace=_seconds(settings.mm1.retrieve_grace_seconds),
        repeat_window=_hours(settings.limits.repeat_window_hours),
    )


def number_plan(settings: Settings) -> NumberPlan:
    """How numbers are written where this MMSC stands; the VASPs' short codes are never local numbers."""
    numbers = settings.numbers
    return NumberPlan(
        country_code=numbers.country_code,
        national_prefix=numbers.national_prefix,
        national_length=numbers.national_length,
        international_prefixes=numbers.international_prefixes,
        short_codes=frozenset(code for vasp in settings.vasp.values() for code in vasp.short_codes),
        short_code_maximum_digits=numbers.short_code_maximum_digits,
    )


def routing_policy(settings: Settings) -> RoutingPolicy:
    """Which numbers are ours, and who takes what nobody else does."""
    numbers = settings.numbers
    return RoutingPolicy(
        own_prefixes=numbers.own_prefixes,
        own_domains=(settings.node.domain.lower(),),
        unknown_subscribers_served=numbers.unknown_subscribers_served,
        default_peer=numbers.default_peer,
    )


def limits(settings: Settings) -> Limits:
    """What one MM may cost."""
    given = settings.limits
    return Limits(
        maximum_octets=given.maximum_octets,
        maximum_recipients=given.maximum_recipients,
        maximum_parts=given.maximum_parts,
        maximum_subject_characters=given.maximum_subject_characters,
        maximum_forward_counter=given.maximum_forward_counter,
        default_validity=_hours(given.default_validity_hours),
        maximum_validity=_hours(given.maximum_validity_hours),
    )


def delivery_policy(settings: Settings) -> DeliveryPolicy:
    """When what is tried again."""
    return DeliveryPolicy(
        notification=NotificationPolicy(
            renotify_after=settings.notification.renotify_after_seconds,
            unacknowledged_after=settings.notification.unacknowledged_after_seconds,
            unacknowledged_report=settings.notification.unacknowledged_report,
            gets_ignored=settings.notification.ignore_gets,
            fallback=settings.fallback.enabled,
            fallback_after=settings.fallback.after_seconds,
        ),
        push_retry=_retry(settings.delivery.smsc),
        forward_retry=_retry(settings.delivery.peer),
        report_retry=_retry(settings.delivery.vasp),
        resend_after=settings.mm4.resend_after_seconds,
        report_grace=_hours(settings.mm4.report_grace_hours),
    )


def vasp_policy(settings: Settings) -> VaspPolicy:
    """What is decided about the wishes of all VASPs."""
    given = settings.mm7
    return VaspPolicy(
        mms_capable_condition=given.delivery_condition_mms_capable,
        home_network_condition=given.delivery_condition_home_network,
        application_addressing=given.application_addressing,
        content_class_refused=given.content_class_mismatch == "refuse",
        partial_success=PartialSuccess(given.partial_success),
    )


def agreed(settings: Settings) -> dict[str, str]:
    """Digests of what nodes on one database should have in common: whichever of them carries on with an MM."""
    common: dict[str, object] = {
        "node.domain": settings.node.domain,
        "limits": settings.limits,
        "numbers": settings.numbers,
        "notification": settings.notification,
        "fallback": settings.fallback,
        "delivery": settings.delivery,
        "neighbours": sorted((*settings.vasp, *settings.peer, *settings.smsc)),
    }
    return {name: hashlib.sha256(msgspec.json.encode(one)).hexdigest()[:16] for name, one in common.items()}


def neighbours(settings: Settings, hash_password: Callable[[str], str]) -> tuple[Neighbour, ...]:
    """The neighbours of the file; passwords of VASPs become hashes here and are known nowhere else."""
    found: list[Neighbour] = [tables.vasp(name, settings, hash_password) for name in settings.vasp]
    found += [tables.peer(name, settings) for name in settings.peer]
    found += [tables.smsc(name, settings) for name in settings.smsc]
    plan = number_plan(settings)
    for number, given in settings.subscriber.items():
        known = plan.normalise(number)
        address = getattr(known, "address", None) or Address.of(number)
        found.append(Subscriber(address=address, mms=MmsFlag(given.mms), smsc=given.smsc, ip=given.ip, run=given.run))
    return tuple(found)


def misread(settings: Settings) -> Iterator[str]:
    """Sentences about subscribers that the number plan of the same file reads as something else, or as one another, and
    about faults that are none."""
    yield from configured_faults.misread(settings)
    plan, taken = number_plan(settings), dict[str, str]()
    for number in settings.subscriber:
        key, known = f'subscriber."{number}"', plan.normalise(number)
        if isinstance(known, NotAnAddress):
            yield f"{key} is no number: {known.because}"
        elif known.address.kind is not AddressKind.PHONE:
            yield f"{key} is no number, but {_KINDS[known.address.kind]}"
        elif known.address.value in taken:
            yield f"{key} and {taken[known.address.value]} are both {known.address}"
        else:
            taken[known.address.value] = key


def esme_timers(settings: Settings) -> EsmeTimers:
    """How long an SMSC may take."""
    return EsmeTimers(response=settings.delivery.smsc.timeout_seconds)


def capture_limits(settings: Settings) -> CaptureLimits:
    """What the captures may cost."""
    trace = settings.trace
    return CaptureLimits(
        total=RingLimits(
            maximum_octets=trace.captures_maximum_octets, maximum_age=_hours(trace.captures_maximum_hours)
        ),
        shares=dict((Trace().captures_shares | trace.captures_shares).items()),
        longest=dict(trace.captures_longest_octets.items()),
        off=frozenset(trace.captures_off),
    )


def charging(settings: Settings) -> ChargingPolicy:
    """Whose charging records go where, when some are written."""
    given = settings.cdr
    peers = {name: peer.domain for name, peer in settings.peer.items()}
    return ChargingPolicy(
        house=House(settings.node.domain, settings.node.name, peers),
        folder=cdr_path(settings),
        endings=(JSON_LINES, CSV) if given.format == "both" else (given.format,),
        rotate_after=round(given.rotate_minutes * MINUTE),
        rotate_octets=given.rotate_octets,
        write_seconds=given.write_seconds,
    )


def vasp_client_limits(settings: Settings, vasp: Vasp) -> ClientLimits:
    """What one VASP may cost when it answers."""
    given = settings.delivery.vasp
    return ClientLimits(
        connections=vasp.concurrency,
        connect_seconds=given.connect_seconds,
        total_seconds=given.timeout_seconds,
        maximum_body_octets=given.maximum_answer_octets,
    )


def vasp_way(vasp: Vasp) -> Way:
    """How a VASP's addresses are reached."""
    tls = TlsOptions(
        ca_file=vasp.tls_ca_file,
        certificate_file=vasp.tls_certificate_file,
        key_file=vasp.tls_key_file,
        server_name=vasp.tls_server_name,
        verify=vasp.tls_verify,
        minimum_version=vasp.tls_minimum_version,
    )
    return Way(tls=tls, proxy_url=vasp.proxy_url)


def http_limits(listener: HttpListener, stop_seconds: float = 5.0) -> HttpLimits:
    """What clients of one HTTP interface may cost."""
    return HttpLimits(
        maximum_connections=listener.maximum_connections,
        maximum_body_octets=listener.maximum_body_octets,
        maximum_header_octets=listener.maximum_header_octets,
        request_seconds=listener.request_seconds,
        idle_seconds=listener.idle_seconds,
        stop_seconds=stop_seconds,
    )


def public_url(listener: HttpListener, port: int, scheme: str = "http") -> str:
    """What others are told to call, without a slash at the end; `port` is the one that was taken."""
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    return (listener.public_url or f"{scheme}://{host}:{port}").rstrip("/")


def tls_files(settings: Settings) -> TlsFiles | None:
    """What the MM7 listener needs to speak TLS; None when it speaks plain HTTP."""
    given = settings.mm7.tls
    if not given.certificate:
        return None
    certificate, key, client_ca = (
        str(Path(one).expanduser()) if one else "" for one in (given.certificate, given.key, given.client_ca)
    )
    return TlsFiles(
        certificate=certificate,
        key=key,
        client_ca=client_ca,
        client_required=given.client_certificate == "required",
        minimum_version=given.minimum_version,
    )


def admission_policy(settings: Settings) -> AdmissionPolicy:
    """How VASPs show who they are."""
    given = settings.mm7
    return AdmissionPolicy(
        realm=given.realm,
        digest_algorithms=given.digest_algorithms,
        nonce_age=_seconds(given.nonce_seconds),
        proxies=Proxies(
            given.trusted_proxies, header=given.proxy_header, certificate_header=given.proxy_certificate_header
        ),
    )


def logins(settings: Settings) -> dict[str, tuple[str, str]]:
    """The VASPs that the console can send as: those whose password the settings tell, not its hash alone."""
    return {name: (one.username, one.password) for name, one in settings.vasp.items() if one.username and one.password}


def _retry(given: Delivery) -> RetryPolicy:
    return RetryPolicy(waits=given.waits_seconds, lifetime=_hours(given.lifetime_hours))


def _hours(hours: float) -> int:
    return round(hours * HOUR)


def _seconds(seconds: float) -> int:
    return round(seconds * SECOND)
