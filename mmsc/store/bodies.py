"""Where bodies are: in the database, or the large ones in object storage, each body once however many MMs carry it.

An object is written before the unit that refers to it is committed, and removed after the last reference was. `object`
counts the references, in the same transactions that make and drop them, so the count is exact whatever dies when. What
a crash leaves behind is only ever an object that nobody refers to, and `sweep` finds it.

- A name is used once: digest and id. So a removal that comes late never meets an object that was written anew.
- An object that nobody refers to any more stays for `GRACE`. Whoever knows that it was referred to less than half of
  that ago need not write it again: there is time to commit.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, Protocol

from mmsc.domain.instant import HOUR
from mmsc.domain.message import Content, ContentId
from mmsc.store import content as sql
from mmsc.store.core import Lost, Statement, Store, StoreUnavailable, Unit

GRACE: Final = HOUR  # real time, µs, without references
STRAY_AFTER: Final = 24 * HOUR  # an object without a row is somebody's crash when it is older than that
SWEPT_AT_ONCE: Final = 200
_KNOWN: Final = 20_000  # digests remembered as referred to lately
_TRANSFERS: Final = 32  # objects on their way at once: each holds its body in memory

_REFER: Final = (
    "INSERT INTO object (digest, name, size, refs, touched_at) VALUES ($1, $2, $3, 1, $4)"
    " ON CONFLICT (digest) DO UPDATE SET refs = object.refs + 1, touched_at = excluded.touched_at"
)
_FORGET: Final = (
    "UPDATE object SET refs = refs - 1, touched_at = $2 WHERE digest = (SELECT object FROM content WHERE id = $1)"
)
# What an MMBox shows stays. Who puts it there counts in its row: the row is locked before anything is decided by it.
_LOCK: Final = "UPDATE content SET boxes = boxes WHERE id = $1"
_IN_NO_BOX: Final = "id = $1 AND coalesce(boxes, 0) = 0"
_FORGET_UNBOXED: Final = (
    f"UPDATE object SET refs = refs - 1, touched_at = $2 WHERE digest = (SELECT object FROM content WHERE {_IN_NO_BOX})"
)
_DROP: Final = f"DELETE FROM content WHERE {_IN_NO_BOX}"
_UNUSED: Final = "SELECT digest, name FROM object WHERE refs = 0 AND touched_at < $1 LIMIT $2"
_TAKE: Final = "DELETE FROM object WHERE digest = $1 AND refs = 0 AND touched_at < $2 RETURNING name"


class Objects(Protocol):
    """What bodies need of an object storage."""

    async def open(self) -> None:
        """Find out whether objects can be written. Raises `StoreRefused`."""
        ...

    async def put(self, name: str, body: bytes) -> None:
        """Write an object; returns when it is durable. Raises `StoreUnavailable`."""
        ...

    async def get(self, name: str) -> bytes | None:
        """The octets of an object, None when there is none. Raises `StoreUnavailable`."""
        ...

    async def delete(self, names: Sequence[str]) -> None:
        """Remove objects; those that are gone already are no error. Raises `StoreUnavailable`."""
        ...

    def listed(self) -> AsyncIterator[list[tuple[str, int]]]:
        """(name, when it was written in µs UTC) of all objects, some at a time. Raises `StoreUnavailable`."""
        ...


def forget(content_id: ContentId, real_now: int) -> tuple[Statement, ...]:
    """The body goes, its description stays: its row's and, in object storage, one reference less."""
    return Statement(_FORGET, (content_id, real_now)), sql.forget(content_id)


def drop(content_id: ContentId, real_now: int, *, elsewhere: bool = True) -> tuple[Statement, ...]:
    """The body goes with its row, unless an MMBox shows it. `elsewhere` False: it is known to be in the database, so no
    reference is dropped."""
    row = Statement(_DROP, (content_id,))
    if not elsewhere:
        return (row,)
    return Statement(_LOCK, (content_id,)), Statement(_FORGET_UNBOXED, (content_id, real_now)), row


class Bodies:
    """Writes and reads bodies. `objects` None: all of them are in the database."""

    def __init__(
        self, store: Store, objects: Objects | None, real_now: Callable[[], int], *, smallest_octets: int = 16_384
    ) -> None:
        """Bodies of fewer than `smallest_octets` stay in the database: an object costs more than a row."""
        self._store = store
        self._objects = objects
        self._real_now = real_now
        self._smallest_octets = smallest_octets
        self._known: OrderedDict[bytes, tuple[str, int]] = OrderedDict()
        self._transfers = asyncio.Semaphore(_TRANSFERS)

    @property
    def are_outside(self) -> bool:
        """Whether some bodies are in object storage."""
        return self._objects is not None

    def is_outside(self, content: Content) -> bool:
        """Whether this body goes to object storage."""
        return self._objects is not None and len(content.body) >= self._smallest_octets

    async def write(self, content_id: ContentId, content: Content) -> tuple[Statement, ...]:
        """The effects that write a body, wherever it goes. Raises `StoreUnavailable`."""
        if self.is_outside(content):
            return await self.put(content_id, content)
        return (sql.insert(content_id, content),)

    async def put(self, content_id: ContentId, content: Content) -> tuple[Statement, ...]:
        """Make the body durable outside; the effects that refer to it, for the unit of its MM. Raises
        `StoreUnavailable`."""
        digest, refer = await self._put(str(content_id), content)
        return sql.insert(content_id, content, digest), refer

    async def replace(self, content_id: ContentId, content: Content) -> tuple[Statement, ...]:
        """The effects that write another body over one, wherever either is. Raises `StoreUnavailable`."""
        let_go = (Statement(_FORGET, (content_id, self._real_now())),) if self.are_outside else ()
        if not self.is_outside(content):
            return *let_go, sql.replace(content_id, content)
        digest, refer = await self._put(f"{content_id}-{self._real_now()}", content)
        return *let_go, sql.replace(content_id, content, digest), refer

    async def _put(self, once: str, content: Content) -> tuple[bytes, Statement]:
        assert self._objects is not None, "asked first by is_outside"
        digest = hashlib.sha256(content.body).digest()
        name = await self._name_of(digest)
        if name is None:
            name = f"{digest.hex()[:2]}/{digest.hex()}-{once}"
            async with self._transfers:
                await self._objects.put(name, content.body)
        return digest, Statement(_REFER, (digest, name, len(content.body), self._real_now()))

    async def read(self, content_id: ContentId) -> Content | None:
        """A body, or None when retention took it. Raises `StoreUnavailable`, also when its object is gone or is not
        what was written: that is for the operator to mend, and no word of ours to the handset."""
        found = await sql.read(self._store, content_id)
        if not isinstance(found, sql.Elsewhere):
            return found
        if self._objects is None:
            raise StoreUnavailable(f"content {content_id} is in object storage, and store.objects.url is not set")
        async with self._transfers:
            body = await self._objects.get(found.name)
        if body is None:
            raise StoreUnavailable(f"content {content_id}: object {found.name} is gone")
        if hashlib.sha256(body).digest() != found.digest:
            raise StoreUnavailable(f"content {content_id}: object {found.name} is damaged")
        return Content(found.content_type, body, found.parts)

    async def sweep(self) -> int:
        """Remove some of the objects to which nobody refers any more; how many. Its row goes first: what a crash leaves
        in between is a stray."""
        if self._objects is None:
            return 0
        before = self._real_now() - GRACE
        names = []
        for digest, _ in await self._store.fetch(_UNUSED, before, SWEPT_AT_ONCE):
            taken = await self._store.commit(Unit(Statement(_TAKE, (digest, before)), ()))
            if not isinstance(taken, Lost):
                names.append(str(taken[0][0]))
        await self._objects.delete(names)
        return len(names)

    async def sweep_strays(self) -> int:
        """Walk through the whole storage and remove what no row names; how many. A crash between the object and its
        unit, or between a row's end and its object's, leaves one."""
        if self._objects is None:
            return 0
        count = 0
        async for some in self._objects.listed():
            old = [name for name, written in some if written < self._real_now() - STRAY_AFTER and _digest_of(name)]
            strays = [name for name in old if await self._name(_digest_of(name)) != name]
            await self._objects.delete(strays)
            count += len(strays)
        return count

    async def _name_of(self, digest: bytes) -> str | None:
        """The object of this body if it will certainly still be there when our unit is committed."""
        now = self._real_now()
        name, referred = self._known.get(digest, ("", 0))
        if referred <= now - GRACE // 2:
            row = await self._store.fetch_one("SELECT name, refs, touched_at FROM object WHERE digest = $1", digest)
            if row is None:
                return None
            name, refs, touched_at = str(row[0]), row[1], row[2]
            assert isinstance(touched_at, int)
            referred = now if refs else touched_at
            if referred <= now - GRACE // 2:
                return None
        self._known[digest] = (name, referred)
        self._known.move_to_end(digest)
        while len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        return name

    async def _name(self, digest: bytes) -> str | None:
        row = await self._store.fetch_one("SELECT name FROM object WHERE digest = $1", digest)
        return None if row is None else str(row[0])


def _digest_of(name: str) -> bytes:
    """The digest in a name of ours, b"" in another's."""
    digest, _, number = name.rpartition("/")[2].partition("-")
    try:
        return bytes.fromhex(digest) if len(digest) == 64 and number.isdecimal() else b""
    except ValueError:
        return b""
