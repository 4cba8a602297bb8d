"""Who a VASP is: HTTP Basic or Digest credentials, a client certificate, or its VASPID alone; and where it asks from.

Whatever is set for a VASP must hold: its login, its certificate, its networks. Basic passwords are kept hashed
(`passwords.py`), and verified ones are remembered (a hash a request would cap the rate). Digest needs another secret:
see `digest.py`.
"""

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import field
from typing import Final

from mmsc.clock import host_now
from mmsc.domain.instant import Instant
from mmsc.domain.neighbours import Vasp, VaspInterface
from mmsc.engine.ports import Directory
from mmsc.gateways.mm7.digest import ALGORITHMS, NONCE_AGE, Digest, Nonces
from mmsc.gateways.mm7.passwords import PasswordChecks
from mmsc.net.forwarded import Proxies, Source, lies_in
from mmsc.net.http import HttpRequest
from protocols.records import record

_REMEMBERED: Final = 10_000
_MM7: Final = VaspInterface.MM7  # taken once: an enumeration searches for its member each time that it is named


@record(frozen=True, slots=True, kw_only=True)
class AdmissionPolicy:
    """How VASPs may show who they are. `nonce_age` is in microseconds."""

    realm: str = "MM7"
    digest_algorithms: tuple[str, ...] = ALGORITHMS
    nonce_age: int = NONCE_AGE
    proxies: Proxies = field(default_factory=Proxies)


@record(frozen=True, slots=True)
class Unidentified:
    """Nobody we know: the HTTP status to answer, its challenges, and why in words. `is_new` is a client that may do
    nothing but answer the challenge: this is how Digest begins, and no refusal."""

    status: int
    why: str
    challenges: tuple[str, ...] = ()
    is_new: bool = False


class Vasps:
    """Finds the VASP behind a request."""

    def __init__(
        self,
        directory: Directory,
        policy: AdmissionPolicy | None = None,
        real_now: Callable[[], Instant] = host_now,
    ) -> None:
        policy = policy or AdmissionPolicy()
        self._directory = directory
        self._realm = policy.realm
        self._proxies = policy.proxies
        self._digest = Digest(policy.realm, policy.digest_algorithms, Nonces(real_now, policy.nonce_age))
        self._verified: OrderedDict[bytes, tuple[str, str, str]] = OrderedDict()  # digest: name, username, hash
        self._checks = PasswordChecks()

    async def identify(self, request: HttpRequest) -> Vasp | Unidentified | None:
        """The VASP that a login or a certificate shows; None when its VASPID has to tell (`open_one`). Whether it may
        ask from there is another question (`objection`)."""
        authorization = request.headers.get("Authorization", "")
        if authorization:
            return await self._by_login(request, authorization)
        source = self._proxies.source(request)
        if source.certificate is not None:
            for vasp in self._without_login():
                if vasp.client_certificates and _shows_certificate(vasp, source):
                    return vasp
        if self._without_login():
            return None
        return self._challenged("no credentials")

    async def _by_login(self, request: HttpRequest, authorization: str) -> Vasp | Unidentified:
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() != "digest":
            vasp = await self.by_credentials(authorization)
            return vasp or self._challenged(f"{scheme[:20]!r} credentials that are not those of a VASP")
        target = "" if self._proxies.are_trusted(request.remote) else _target(request)
        verdict = self._digest.verdict(rest, request.method, target, self._directory.vasps)
        if verdict.vasp is not None:
            return verdict.vasp
        return Unidentified(400, verdict.why) if verdict.malformed else self._challenged(verdict.why, verdict.stale)

    def _challenged(self, why: str, stale: bool = False) -> Unidentified:
        """401 with a challenge for each scheme that a VASP could answer (RFC 9110 11.6.1), the strongest first."""
        vasps = self._directory.vasps
        challenges = self._digest.challenges(vasps, stale=stale)
        is_new = stale or (bool(challenges) and why == "no credentials")
        if not challenges or any(vasp.password_hash for vasp in vasps.values()):
            challenges.append(f'Basic realm="{self._realm}", charset="UTF-8"')
        return Unidentified(401, why, tuple(challenges), is_new)

    def address_of(self, request: HttpRequest) -> str:
        """From where a request comes, for people: the client's address, or that of the proxy that does not tell it."""
        return self._proxies.source(request).address or f"behind {request.remote}"

    def objection(self, vasp: Vasp, request: HttpRequest | None) -> str:
        """Why the VASP may not ask like this, "" when it may: its certificate, the address that it asks from. No
        request shows neither."""
        if not (vasp.client_certificates or vasp.networks):
            return ""
        source = Source("") if request is None else self._proxies.source(request)
        if vasp.client_certificates and not _shows_certificate(vasp, source):
            return f"{source.certificate or 'no client certificate'}: not a certificate of this VASP"
        if vasp.networks and not lies_in(source.address, vasp.networks):
            return f"{source.address or 'an unknown address'} is none of this VASP's networks"
        return ""

    async def by_credentials(self, authorization: str) -> Vasp | None:
        """The VASP whose HTTP Basic credentials these are (RFC 7617), None when they are wrong."""
        key = hashlib.sha256(authorization.encode("utf-8", "surrogateescape")).digest()
        name, *known = self._verified.get(key, ("",))
        vasp = self._directory.vasps.get(name)
        if vasp is not None and [vasp.username, vasp.password_hash] == known:
            return vasp
        username, password = _login(authorization)
        vasp = next((one for one in self._directory.vasps.values() if username and one.username == username), None)
        if vasp is None:
            return None
        if not await self._checks.matches(password, vasp.password_hash):
            return None
        self._verified[key] = (vasp.name, vasp.username, vasp.password_hash)
        while len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return vasp

    def open_one(self, vasp_id: str, request: HttpRequest | None = None) -> Vasp | None:
        """The VASP without credentials that has this VASPID, else one that takes any; None when it may not ask from
        there. One that is known by certificate or network goes before one that takes everybody."""
        return next((one for one in self._open_ones(vasp_id) if not self.objection(one, request)), None)

    def why_none(self, vasp_id: str, request: HttpRequest) -> str:
        """Why `open_one` finds nobody."""
        found = self._open_ones(vasp_id)
        return self.objection(found[0], request) if found else f"VASPID {vasp_id[:100]!r} is not known without a login"

    def _without_login(self) -> list[Vasp]:
        return [one for one in self._directory.vasps.values() if not one.username and one.interface is _MM7]

    def _open_ones(self, vasp_id: str) -> list[Vasp]:
        open_ones = self._without_login()
        named = [one for one in open_ones if one.vasp_id and one.vasp_id == vasp_id]
        others = [one for one in open_ones if not one.vasp_id]
        others.sort(key=lambda one: not (one.client_certificates or one.networks))
        return named or others


def _shows_certificate(vasp: Vasp, source: Source) -> bool:
    shown = source.certificate
    return shown is not None and any(shown.is_named(name) for name in vasp.client_certificates)


def _target(request: HttpRequest) -> str:
    return f"{request.path}?{request.query}" if request.query else request.path


def _login(authorization: str) -> tuple[str, str]:
    """(username, password) of HTTP Basic credentials, a username of "" when they are none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, no UTF-8, or not even ASCII
        return "", ""
    return (username, password) if colon else ("", "")
