"""What no single key can say: settings that contradict each other, and settings that are probably not meant."""

import ipaddress
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from mmsc.settings.database import database_contradictions
from mmsc.settings.model import HttpListener, Mm7, Place, Settings
from mmsc.settings.neighbours import Vasp
from mmsc.settings.profiles import profile_contradictions


def contradictions(settings: Settings) -> Iterator[str]:
    """Sentences about settings that cannot all be true; a server with one does not start."""
    yield from _names(settings)
    yield from profile_contradictions(settings)
    yield from _twice(settings)
    yield from _ports(settings)
    yield from _networks(settings)
    yield from _urls(settings)
    yield from database_contradictions(settings.store.postgres)
    yield from _paths(settings)
    yield from _template(settings.fallback.template)
    console = settings.console
    if console.enabled and not is_loopback(console.host) and not console.token:
        yield f"console.host = {console.host!r} is reachable from outside: set console.token (MMSC_CONSOLE__TOKEN)"
    limits = settings.limits
    if limits.default_validity_hours > limits.maximum_validity_hours:
        yield "limits.default_validity_hours is above limits.maximum_validity_hours"
    if settings.fallback.enabled and "{url}" not in settings.fallback.template:
        yield "fallback.template has no {url}: nobody could open the page"
    yield from _listener_tls(settings.mm7)
    conditions = (settings.mm7.delivery_condition_mms_capable, settings.mm7.delivery_condition_home_network)
    if conditions[0] and conditions[0] == conditions[1]:
        yield "mm7.delivery_condition_mms_capable and mm7.delivery_condition_home_network are the same number"
    for name, vasp in settings.vasp.items():
        yield from _identification(name, vasp, settings.mm7)
        yield from _tls(name, vasp)


def _identification(name: str, vasp: Vasp, mm7: Mm7) -> Iterator[str]:
    """How a VASP shows who it is."""
    has_ha1 = bool(vasp.ha1_md5 or vasp.ha1_sha256)
    if vasp.password and vasp.password_hash:
        yield f"vasp.{name} has both password and password_hash"
    if (vasp.password or vasp.password_hash or has_ha1) and not vasp.username:
        yield f"vasp.{name} has a password and no username"
    if has_ha1 and (vasp.password or vasp.authentication == "basic"):
        yield f"vasp.{name} has ha1_md5 or ha1_sha256 beside a password or with authentication = 'basic'"
    if vasp.authentication != "basic" and vasp.username and not (vasp.password or has_ha1):
        yield f"vasp.{name}.authentication = {vasp.authentication!r} needs password, ha1_md5 or ha1_sha256"
    if vasp.client_certificates and not (mm7.tls.client_ca or mm7.proxy_certificate_header):
        yield f"vasp.{name}.client_certificates: no certificate can be shown without mm7.tls.client_ca"
    if vasp.burst and not vasp.messages_per_second:
        yield f"vasp.{name}.burst means nothing without messages_per_second"


def _listener_tls(mm7: Mm7) -> Iterator[str]:
    tls = mm7.tls
    if (tls.key or tls.client_ca) and not tls.certificate:
        yield "mm7.tls.certificate is missing: without one nothing speaks TLS"
    if tls.client_certificate == "required" and not tls.client_ca:
        yield "mm7.tls.client_certificate = 'required' needs mm7.tls.client_ca"
    if mm7.proxy_certificate_header and not mm7.trusted_proxies:
        yield "mm7.proxy_certificate_header is believed only from mm7.trusted_proxies, and there are none"


def remarks(settings: Settings) -> Iterator[str]:
    """Sentences about settings that work and are probably not meant; `check-config` shows them."""
    for name, listener in _listeners(settings):
        if isinstance(listener, HttpListener) and _told_loopback(listener) and _has_foreign_neighbour(settings):
            yield f"{name}.public_url: neighbours off this host would be told {_told(listener)}"
        if not is_loopback(listener.host):
            yield f"{name}.host: {listener.host} is reachable from outside"
    kept = settings.retention
    if 0 < kept.message_hours < kept.body_hours:
        yield "retention.body_hours is above retention.message_hours: bodies go with their MMs"
    if 0 < kept.message_hours < settings.limits.repeat_window_hours:
        yield "retention.message_hours is below limits.repeat_window_hours: MMs are kept for that window"
    if not settings.smsc:
        yield "no smsc: no handset can be notified"
    for name, vasp in settings.vasp.items():
        if not (vasp.username or vasp.client_certificates or vasp.networks):
            yield f"vasp.{name} has no username: anybody may submit in its name"
        if not vasp.report_url:
            yield f"vasp.{name} has no report_url: it gets no delivery reports"
        yield from _odd_tls(name, vasp)
        if vasp.short_codes and not vasp.deliver_url and not vasp.report_url:
            yield f"vasp.{name} has short_codes and neither deliver_url nor report_url: MMs to them are refused"
    yield from _applications(settings)
    for name, peer in settings.peer.items():
        if not peer.prefixes and settings.numbers.default_peer != name:
            yield f"peer.{name} has no prefixes: nothing is routed to it"


def _applications(settings: Settings) -> Iterator[str]:
    """What is odd about VASPs on EAIF."""
    applications = {name: vasp for name, vasp in settings.vasp.items() if vasp.interface == "eaif"}
    for name, vasp in applications.items():
        of_mm7 = [key for key in ("vasp_id", "vas_ids", "namespace", "mm7_version") if getattr(vasp, key)]
        if of_mm7:
            yield f"vasp.{name} speaks EAIF: {', '.join(of_mm7)} would mean something to MM7 alone"
    first, *others = [name for name, vasp in applications.items() if not vasp.username] or [""]
    for name in others:
        yield f"vasp.{name} and vasp.{first} speak EAIF without a username: requests count as those of {first}"


def _tls(name: str, vasp: Vasp) -> Iterator[str]:
    if vasp.tls_key_file and not vasp.tls_certificate_file:
        yield f"vasp.{name} has a tls_key_file and no tls_certificate_file"
    if vasp.tls_ca_file and not vasp.tls_verify:
        yield f"vasp.{name} has a tls_ca_file, and tls_verify = false"


def _odd_tls(name: str, vasp: Vasp) -> Iterator[str]:
    https = any(url.startswith("https:") for url in (vasp.report_url, vasp.deliver_url))
    if https and not vasp.tls_verify:
        yield f"vasp.{name}.tls_verify is off: anybody on the way can read and answer what it is sent"
    keys = ("tls_ca_file", "tls_certificate_file", "tls_key_file")
    for key in (*keys, "tls_server_name"):
        if getattr(vasp, key) and not https:
            yield f"vasp.{name}.{key} is for https addresses, and it has none"
    for key in keys:
        if getattr(vasp, key) and not _is_file(getattr(vasp, key)):
            yield f"vasp.{name}.{key} = {getattr(vasp, key)!r}: there is no such file; what is for it waits"


def _is_file(path: str) -> bool:
    try:
        return Path(path).expanduser().is_file()
    except (RuntimeError, OSError):
        return False


def is_loopback(host: str) -> bool:
    """Whether only this host can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listeners(settings: Settings) -> Iterator[tuple[str, Place]]:
    for name in ("mm1", "mm3", "mm4", "mm7", "weblink", "console", "builtin_smsc"):
        listener: Place = getattr(settings, name)
        if listener.enabled:
            yield name, listener


def _told(listener: HttpListener) -> str:
    scheme = "https" if isinstance(listener, Mm7) and listener.tls.certificate else "http"
    return listener.public_url or f"{scheme}://{listener.host}:{listener.port}"


def _told_loopback(listener: HttpListener) -> bool:
    host = urlsplit(_told(listener)).hostname or ""
    return is_loopback(host) or host in ("0.0.0.0", "::")


def _has_foreign_neighbour(settings: Settings) -> bool:
    hosts = [peer.host for peer in settings.peer.values()] + [smsc.host for smsc in settings.smsc.values()]
    urls = [url for vasp in settings.vasp.values() for url in (vasp.report_url, vasp.deliver_url)]
    hosts += [urlsplit(url).hostname or "localhost" for url in urls]
    return any(not is_loopback(host) for host in hosts)


def _names(settings: Settings) -> Iterator[str]:
    known: dict[str, tuple[str, Collection[str]]] = {}
    known["numbers.default_peer"] = (settings.numbers.default_peer, settings.peer)
    known["numbers.default_smsc"] = (settings.numbers.default_smsc, settings.smsc)
    for number, subscriber in settings.subscriber.items():
        known[f'subscriber."{number}".smsc'] = (subscriber.smsc, settings.smsc)
    for key, (name, tables) in known.items():
        if name and name not in tables:
            yield f"{key} = {name!r}, but no such table is in the file"


def _twice(settings: Settings) -> Iterator[str]:
    taken: dict[str, str] = {}
    for name, values in _unique(settings):
        for value in values:
            if value in taken:
                yield f"{name} and {taken[value]} both claim {value.partition(' ')[2]}"
            taken[value] = name


def _unique(settings: Settings) -> Iterator[tuple[str, list[str]]]:
    for name, vasp in settings.vasp.items():
        yield f"vasp.{name}", [f"code {code}" for code in vasp.short_codes]
        if vasp.username:
            yield f"vasp.{name}", [f"username {vasp.username}"]
        else:
            yield f"vasp.{name}", [f"certificate {one.lower()}" for one in vasp.client_certificates]
    for name, peer in settings.peer.items():
        yield f"peer.{name}", [f"prefix {prefix}" for prefix in peer.prefixes] + [f"domain {peer.domain.lower()}"]
    for number, subscriber in settings.subscriber.items():
        yield f'subscriber."{number}"', [f"ip {_spelled(subscriber.ip) or subscriber.ip}"] if subscriber.ip else []


def _ports(settings: Settings) -> Iterator[str]:
    taken: list[tuple[str, Place]] = []
    for name, listener in _listeners(settings):
        for other, there in taken:
            if listener.port and listener.port == there.port and _in_the_way(listener.host, there.host):
                where = listener.host if listener.host == there.host else f"{listener.host} and {there.host}"
                yield f"{name}.port and {other}.port are both {listener.port} on {where}"
        taken.append((name, listener))


def _in_the_way(one: str, other: str) -> bool:
    """Whether nobody can listen on both hosts with one port: 0.0.0.0 is every IPv4 address, :: every IPv6 one."""
    try:
        first, second = (ipaddress.ip_address("127.0.0.1" if host == "localhost" else host) for host in (one, other))
    except ValueError:
        return one == other
    everywhere = first.is_unspecified or second.is_unspecified
    return first == second or (first.version == second.version and everywhere)


def _urls(settings: Settings) -> Iterator[str]:
    urls = {f"{name}.public_url": getattr(settings, name).public_url for name in ("mm1", "mm7", "weblink")}
    urls |= {f"vasp.{name}.report_url": vasp.report_url for name, vasp in settings.vasp.items()}
    urls |= {f"vasp.{name}.eaif_asynch_reply_to": vasp.eaif_asynch_reply_to for name, vasp in settings.vasp.items()}
    urls |= {f"vasp.{name}.deliver_url": vasp.deliver_url for name, vasp in settings.vasp.items()}
    urls |= {f"vasp.{name}.proxy_url": vasp.proxy_url for name, vasp in settings.vasp.items()}
    urls["delivery.vasp.proxy_url"] = settings.delivery.vasp.proxy_url
    for key, url in urls.items():
        try:
            _ = urlsplit(url).port  # refuses what is no port, and brackets without their pair
        except ValueError as error:
            yield f"{key}: {error}"  # without the URL: it may hold a password


def _paths(settings: Settings) -> Iterator[str]:
    paths = {"store.path": settings.store.path, "trace.captures_path": settings.trace.captures_path}
    paths |= {f"mm7.tls.{key}": getattr(settings.mm7.tls, key) for key in ("certificate", "key", "client_ca")}
    for key, path in {**paths, "cdr.folder": settings.cdr.folder}.items():
        try:
            Path(path).expanduser()
        except RuntimeError:
            yield f"{key} = {path!r}: there is no such home folder"


def _template(template: str) -> Iterator[str]:
    try:
        template.format(url="", sender="", subject="")
    except (LookupError, ValueError, AttributeError):
        yield f"fallback.template = {template!r}: only {{url}}, {{sender}} and {{subject}} may stand in braces"


def _networks(settings: Settings) -> Iterator[str]:
    lists: list[tuple[str, tuple[str, ...]]] = [
        ("mm1.identity_gateways", settings.mm1.identity_gateways),
        ("mm3.networks", settings.mm3.networks),
    ]
    lists += [("mm7.trusted_proxies", settings.mm7.trusted_proxies)]
    lists += [(f"peer.{name}.addresses", peer.addresses) for name, peer in settings.peer.items()]
    lists += [(f"vasp.{name}.networks", vasp.networks) for name, vasp in settings.vasp.items()]
    for key, networks in lists:
        for network in networks:
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError:
                yield f"{key}: {network!r} is neither an IP address nor a network"
    for number, subscriber in settings.subscriber.items():
        if subscriber.ip and not _spelled(subscriber.ip):
            yield f'subscriber."{number}".ip: {subscriber.ip!r} is neither an IP address nor a network'


def _spelled(text: str) -> str:
    """An address or network in one spelling, "" for what is neither."""
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        return ""
