"""SMTP listeners put together from their settings: MM3 and MM4."""

from mmsc.clock import Clock
from mmsc.domain.neighbours import Peer
from mmsc.engine.engine import Engine
from mmsc.gateways.mm3.server import Mm3Server
from mmsc.gateways.mm4.server import Mm4Server
from mmsc.net.smtp import SmtpLimits, SmtpSender
from mmsc.reloading import Live
from mmsc.settings import Settings
from mmsc.settings.model import Mm3, Mm4
from mmsc.trace.captures import WireTap


def mm3_server(engine: Engine, settings: Settings, live: Live, clock: Clock) -> Mm3Server:
    """What takes mails from the Internet."""
    server = Mm3Server(
        engine.submit, engine.numbers, clock, domain=settings.node.domain, networks=settings.mm3.networks
    )
    live.values.append(lambda now: server.take_from(now.mm3.networks))
    return server


def mm4_server(engine: Engine, settings: Settings, live: Live, clock: Clock) -> Mm4Server:
    """What takes mails from other MMSCs."""
    server = Mm4Server(
        *(engine.submit, engine.peer_reports, engine.numbers, engine.neighbours, clock),
        domain=settings.node.domain,
        unknown_peers=settings.mm4.unknown_peers,
    )
    live.values.append(lambda now: setattr(server, "unknown_peers", now.mm4.unknown_peers))
    return server


def mm4_sender(peer: Peer, hostname: str, tap: WireTap, timeout_seconds: float) -> SmtpSender:
    """The connections to a peer."""
    return SmtpSender(
        peer.host,
        peer.port,
        hostname=hostname,
        tap=tap,
        timeout_seconds=timeout_seconds,
        connections=peer.concurrency,
    )


def smtp_limits(settings: Mm3 | Mm4, stop_seconds: float) -> SmtpLimits:
    """What a client of this listener may cost."""
    return SmtpLimits(
        maximum_sessions=settings.maximum_connections,
        maximum_octets=settings.maximum_octets,
        maximum_recipients=settings.maximum_recipients,
        command_seconds=settings.command_seconds,
        mail_seconds=settings.mail_seconds,
        stop_seconds=stop_seconds,
    )
