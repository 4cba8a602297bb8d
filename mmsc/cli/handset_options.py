"""What the commands of `mmsc handset` share: whose handset it is, how it reaches the MMSC, and what a failure is."""

import asyncio
import functools
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import click

from mmsc.cli.mm7_times import Time
from mmsc.cli.option_groups import F, option, under
from mmsc.cli.progress import telling
from mmsc.lab.mm7_words import printable

if TYPE_CHECKING:
    from mmsc.lab.handset import Handset
    from protocols.mm1 import Moment, Pdu

DEMO_URL: Final = "http://127.0.0.1:8801/"
VERSIONS: Final = {"1.0": 0x10, "1.1": 0x11, "1.2": 0x12, "1.3": 0x13}
_NUMBER: Final = re.compile(r"\+?[0-9]{1,20}", re.ASCII)
_PLACE: Final = re.compile(r"[^\s/:]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}", re.ASCII)
_DURATION: Final = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?", re.ASCII)
_SECONDS: Final = (86_400, 3600, 60, 1)
T = TypeVar("T")


class Refused(click.ClickException):
    """The MMSC answered, and did not take it."""

    exit_code = 1


class NoAnswer(click.ClickException):
    """Nothing came, or nothing that is the PDU's conf."""

    exit_code = 3


class Number(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """A telephone number."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As it came."""
        if not _NUMBER.fullmatch(str(value)):
            self.fail(f"{value!r} is no number such as +15550000001", param, ctx)
        return str(value)


class Recipient(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """An address as OMA-TS-MMS_ENC 8 writes it; +NUMBER alone is a global number (/TYPE=PLMN)."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """With its type."""
        from mmsc.lab.handset import address

        text = str(value)
        if not text or any(char.isspace() and char != " " for char in text) or not text.isprintable():
            self.fail(f"{text!r} is no address: +NUMBER, MAIL@DOMAIN, a short code", param, ctx)
        return address(text)


class Url(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """http or https."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As it came."""
        text = str(value)
        try:
            parts = urlsplit(text)
            right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            right = False
        if not right or any(char.isspace() for char in text):
            self.fail(f"{text!r} is no http://HOST:PORT/PATH", param, ctx)
        return text


class Place(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """HOST:PORT."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As it came."""
        text = str(value)
        if text and (not _PLACE.fullmatch(text) or int(text.rpartition(":")[2]) > 65535):
            self.fail(f"{text!r} is no HOST:PORT", param, ctx)
        return text


class When(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """A time as MM1 has it: seconds from now, or since 1970 (OMA-TS-MMS_ENC 7.3.14, 7.3.20)."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Moment":
        """From what MM7's commands take, too: 'in 2h', PT2H, 'now+2h', 2026-12-24T18:00:00Z."""
        from datetime import datetime

        from protocols.mm1 import Moment

        if isinstance(value, Moment):
            return value
        text = Time().convert(value, param, ctx)
        if text[:1] not in ("P", "-"):
            return Moment(int(datetime.fromisoformat(text).timestamp()), relative=False)
        found = _DURATION.fullmatch(text)
        if found is None:
            self.fail(f"{value!r}: a duration of days, hours, minutes and seconds ahead, such as 'in 2h'", param, ctx)
        return Moment(sum(int(one or 0) * unit for one, unit in zip(found.groups(), _SECONDS, strict=True)))


def _profile_named(context: click.Context, parameter: click.Parameter, value: str) -> str:
    from mmsc.lab.handset_profiles import profile_named

    try:
        profile_named(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from error
    return value


agent_options: Final = under(
    "Handset",
    option("--mmsc", "mmsc_url", type=Url(), default=DEMO_URL, show_default=True, help="The MMSC's MM1 address."),
    option("--number", type=Number(), required=True, help="Its own number, such as +15550000001."),
    option(
        "--profile",
        default="lab",
        show_default=True,
        callback=_profile_named,
        metavar="NAME",
        help="Its family: lab, lab-1.0, lab-1.1, lab-1.3, aosp, aosp-append, mmsd, answers-location, unacknowledging, "
        "forgetful.",
    ),
    option("--mms-version", type=click.Choice(list(VERSIONS)), help="X-Mms-MMS-Version.  [default: the profile's]"),
    option("--user-agent", default="", help="User-Agent.  [default: the profile's]"),
    option(
        "--identity-header",
        default="X-MSISDN",
        show_default=True,
        metavar="NAME",
        help="The header with the number, as an operator's gateway writes it; empty for none.",
    ),
    option("--proxy", type=Place(), default="", help="The WAP gateway that requests go to, with whole addresses."),
)
json_option: Final = option("--json", "as_json", is_flag=True, help="JSON instead of lines for people.")


def shared_options(command: F) -> F:
    """The options of every command that only asks the MMSC something."""
    decorated: F = agent_options(under("Output", json_option)(command))
    return decorated


def handset_of(given: Mapping[str, Any], **more: Any) -> "Handset":
    """The handset that the options describe; `more` as for Handset."""
    from mmsc.lab.handset import Handset
    from mmsc.lab.handset_profiles import profile_named
    from mmsc.lab.user_agent import unique_ids

    transaction_id = given.get("transaction_id") or ""
    return Handset(
        given["number"],
        given["mmsc_url"],
        profile=profile_named(given["profile"]),
        version=VERSIONS.get(given["mms_version"] or "", 0),
        user_agent=given["user_agent"],
        identity_header=given["identity_header"],
        proxy=given["proxy"],
        transaction_ids=(lambda: transaction_id) if transaction_id else unique_ids(),
        **more,
    )


def ask(given: Mapping[str, Any], work: "Callable[[Handset], Awaitable[T]]") -> T:
    """Do something with the handset, and tell what it remarks. Raises NoAnswer, and UsageError for what MM1 has no
    form for."""
    from mmsc.lab.handset_http import FAILURES, why
    from mmsc.lab.handset_inbox import News
    from mmsc.lab.user_agent import NoConf
    from protocols.errors import EncodeError

    def heard(news: News, item: object) -> None:
        if news is News.FAILURE:
            click.secho(f"note: {printable(str(item))}", fg="yellow", err=True)

    async def asked() -> T:
        async with handset_of(given, heard=heard) as phone, telling(lambda seconds: f"asking the MMSC, {seconds} s"):
            return await work(phone)

    try:
        return asyncio.run(asked())
    except NoConf as error:
        kind = Refused if error.refused else NoAnswer
        raise kind(f"no answer to the request: {printable(str(error))}") from error
    except EncodeError as error:
        raise click.UsageError(str(error)) from error
    except FAILURES as error:
        raise NoAnswer(f"{given['mmsc_url']}: {printable(why(error))}") from error


def tell_conf(given: Mapping[str, Any], conf: "Pdu") -> None:
    """A conf, in a line or as JSON. Raises Refused where its status is no success."""
    import json

    from mmsc.cli.handset_words import as_object, conf_line, is_success

    good = is_success(conf)
    if given["as_json"]:
        click.echo(json.dumps(as_object(conf), ensure_ascii=False))
    elif good:
        click.echo(conf_line(conf))
    if not good:
        raise Refused(conf_line(conf))


def keyboard(command: Callable[..., Any]) -> Callable[..., Any]:
    """An interrupted command ends with 130, without a traceback."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except KeyboardInterrupt:
            raise SystemExit(130) from None

    return run
