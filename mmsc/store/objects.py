"""Object storage that speaks S3: one object is one body, written once and never changed.

What it answers is believed as S3 promises it: a put that was answered is durable and is what the next get finds. Every
failure is `StoreUnavailable`: whoever asked is told "later".
"""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Final

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from mmsc.store.core import StoreRefused, StoreUnavailable
from protocols.records import record

LISTED_AT_ONCE: Final = 200
_PROBE: Final = "probe"  # an object that a start writes, to find out whether it may
_FIRST_PAUSE: Final = timedelta(milliseconds=50)
_LONGEST_PAUSE: Final = timedelta(seconds=1)


@record(frozen=True, slots=True, kw_only=True)
class S3Options:
    """Where the bucket is, and who we are there. `url` is s3://BUCKET or s3://BUCKET/PREFIX; `endpoint` is empty for
    Amazon's own. Empty keys: what the environment says (AWS_ACCESS_KEY_ID, the instance's role ...)."""

    url: str
    endpoint: str = ""
    region: str = "us-east-1"
    access_key_id: str = ""
    secret_access_key: str = ""
    timeout_seconds: float = 10.0
    attempts: int = 3


class S3Objects:
    """Implements `bodies.Objects` with obstore."""

    def __init__(self, options: S3Options) -> None:
        """StoreRefused when the options name no bucket."""
        self._options = options
        given = {
            "endpoint": options.endpoint,
            "region": options.region,
            "access_key_id": options.access_key_id,
            "secret_access_key": options.secret_access_key,
        }
        timeout = timedelta(seconds=options.timeout_seconds)
        try:
            self._bucket = S3Store.from_url(
                options.url,
                config={name: value for name, value in given.items() if value},  # type: ignore[arg-type] # names of a TypedDict
                client_options={
                    "allow_http": options.endpoint.startswith("http://"),
                    "timeout": timeout,
                    "connect_timeout": timeout,
                },
                retry_config={
                    "max_retries": options.attempts - 1,
                    "retry_timeout": timeout * options.attempts,
                    "backoff": {"init_backoff": _FIRST_PAUSE, "max_backoff": _LONGEST_PAUSE, "base": 2},
                },
            )
        except (BaseError, ValueError) as error:
            raise StoreRefused(f"store.objects: {options.url!r} cannot be used: {_first_line(error)}") from error

    async def open(self) -> None:
        """Write and remove a small object."""
        try:
            await obstore.put_async(self._bucket, _PROBE, b"")
            await obstore.delete_async(self._bucket, _PROBE)
        except (BaseError, OSError) as error:
            raise StoreRefused(f"store.objects: {self._options.url} takes no objects: {_first_line(error)}") from error

    async def put(self, name: str, body: bytes) -> None:
        """Write an object."""
        try:
            await obstore.put_async(self._bucket, name, body, use_multipart=False)
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error

    async def get(self, name: str) -> bytes | None:
        """Read an object."""
        try:
            found = await obstore.get_async(self._bucket, name)
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error

    async def delete(self, names: Sequence[str]) -> None:
        """Remove objects."""
        if not names:
            return
        try:
            await obstore.delete_async(self._bucket, list(names))
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error

    async def listed(self) -> AsyncIterator[list[tuple[str, int]]]:
        """Names and times, as the storage says them."""
        try:
            async for some in obstore.list(self._bucket, chunk_size=LISTED_AT_ONCE):
                yield [(one["path"], round(one["last_modified"].timestamp() * 1_000_000)) for one in some]
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"object storage: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    """What obstore says is a page; its first lines say what happened."""
    return " ".join(str(error).split())[:300]
