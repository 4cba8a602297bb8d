"""REST: a captured request again, edited or not."""

from dataclasses import replace
from typing import Annotated, Any, Final

import msgspec

from mmsc.control.replaying import NotAllowed, Replay, Replaying, Unreplayable
from mmsc.control.replaying.targets import target_of
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem
from mmsc.trace.pcapng import name_of

_HEX: Final = r"^([0-9A-Fa-f]{2})*\Z"


class ReplayWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to send again. What is not given stays as captured; `body_hex` and `body_text` are the whole body, one of
    them. Secrets were masked and can be given anew: `authorization` (HTTP), `system_id` and `password` (SMPP)."""

    exchange: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,19}\Z")]
    target: Annotated[str, msgspec.Meta(max_length=300)] = ""
    tls: bool = False
    head: str | None = None
    body_hex: Annotated[str, msgspec.Meta(pattern=_HEX)] | None = None
    body_text: str | None = None
    correct_lengths: bool = True
    authorization: str = ""
    system_id: str = ""
    password: str = ""


class ReplayDone(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. Octets are in hexadecimal; `talk` is an SMTP session line by line. `masked` names secrets that
    the capture did not have."""

    target: str
    sent: str
    answer: str
    answer_name: str
    talk: str
    problem: str
    milliseconds: float
    masked: list[str]


async def _replay(call: Call) -> Answer:
    service: Replaying | None = call.control.replaying
    if service is None:
        raise Problem(404, "no captures are kept: trace.captures is false")
    wanted: ReplayWanted = call.body
    try:
        replay = _edited(await service.draft(int(wanted.exchange)), wanted)
        done = await service.send(replay)
    except Unreplayable as error:
        raise Problem(404, str(error)) from error
    except NotAllowed as error:
        raise Problem(403, str(error)) from error
    except ValueError as error:
        raise Problem(422, str(error)) from error
    return Answer(
        ReplayDone(
            target=replay.place,
            sent=done.sent.hex(),
            answer=done.answer.hex(),
            answer_name=name_of(replay.interface, done.answer),
            talk=done.talk,
            problem=done.problem,
            milliseconds=round(done.milliseconds, 3),
            masked=list(replay.masked),
        )
    )


def _edited(draft: Replay, wanted: ReplayWanted) -> Replay:
    changes: dict[str, Any] = {}
    if wanted.target:
        host, port = target_of(wanted.target, draft.port)
        changes |= {"host": host, "port": port}
    if wanted.head is not None:
        changes["head"] = wanted.head
    if wanted.body_hex is not None:
        changes["body"] = bytes.fromhex(wanted.body_hex)
    elif wanted.body_text is not None:
        changes["body"] = wanted.body_text.encode()
    return replace(
        draft,
        tls=wanted.tls,
        correct=wanted.correct_lengths,
        authorization=wanted.authorization,
        system_id=wanted.system_id,
        password=wanted.password,
        **changes,
    )


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/replay",
        summary="Send a captured request again, edited or not",
        tag="captures",
        handle=_replay,
        body=ReplayWanted,
        answers={200: ReplayDone},
        problems=(403, 404, 422),
        description="To this server or any on loopback; to others when console.replay_hosts names them.",
    ),
)
