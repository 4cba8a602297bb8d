"""Reading octets inside declared lengths, and writing them.

`OctetReader` never reads past the innermost declared end: overruns are found where they happen. It counts its steps,
so that a test can show that no input makes a decoder work more than in proportion to its length. What is odd but can be
read is told to it, so that a decoder has its findings in the order of the octets.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from protocols.errors import DecodeError, Finding, Truncated

MAXIMUM_FINDINGS: Final = 100  # about one message: who reads more of them has stopped reading


class OctetReader:
    """A cursor over immutable octets with a stack of declared ends."""

    __slots__ = ("data", "end", "findings", "offset", "steps")

    def __init__(self, data: bytes, offset: int = 0, end: int | None = None) -> None:
        self.data = data
        self.offset = offset
        self.end = len(data) if end is None else end
        self.steps = 0
        self.findings: list[Finding] = []

    def remark(self, finding: Finding) -> None:
        """Keep a finding; from the 101st on they are dropped."""
        if len(self.findings) < MAXIMUM_FINDINGS:
            self.findings.append(finding)

    @property
    def remaining(self) -> int:
        """Octets left before the innermost declared end."""
        return self.end - self.offset

    def at_end(self) -> bool:
        """True when nothing is left inside the innermost declared length."""
        return self.offset >= self.end

    def peek(self) -> int:
        """The next octet, not consumed. Raises `Truncated`."""
        if self.offset >= self.end:
            raise Truncated("an octet was expected, none is left", offset=self.offset)
        return self.data[self.offset]

    def octet(self) -> int:
        """The next octet. Raises `Truncated`."""
        self.steps += 1
        offset = self.offset
        if offset >= self.end:
            raise Truncated("an octet was expected, none is left", offset=offset)
        self.offset = offset + 1
        return self.data[offset]

    def take(self, count: int) -> bytes:
        """The next `count` octets. Raises `Truncated`."""
        self.steps += 1
        stop = self.offset + count
        if count < 0 or stop > self.end:
            raise Truncated(f"{count} octets declared, {self.remaining} left", offset=self.offset)
        octets = self.data[self.offset : stop]
        self.offset = stop
        return octets

    def take_rest(self) -> bytes:
        """Everything up to the innermost declared end."""
        return self.take(self.remaining)

    def take_until_nul(self) -> bytes:
        """Octets up to the next NUL, which is consumed and not returned. Raises `Truncated` when there is none."""
        self.steps += 1
        stop = self.data.find(b"\0", self.offset, self.end)
        if stop < 0:
            raise Truncated("text without its terminating NUL", offset=self.offset)
        octets = self.data[self.offset : stop]
        self.offset = stop + 1
        return octets

    def enter(self, count: int) -> int:
        """Narrow the reader to the next `count` octets, and give the end that `leave` wants back. Raises `Truncated`.

        As `within`, for readers that run for every value and forgive octets that are left over."""
        outer = self.end
        stop = self.offset + count
        if count < 0 or stop > outer:
            raise Truncated(f"{count} octets declared, {outer - self.offset} left", offset=self.offset)
        self.end = stop
        return outer

    def leave(self, outer: int) -> int:
        """Widen the reader again, behind the octets that were declared; how many of them were not read."""
        left = self.end - self.offset
        self.offset = self.end
        self.end = outer
        return left

    @contextmanager
    def within(self, count: int) -> Iterator[None]:
        """Narrow the reader to the next `count` octets; what is read inside must use them all.

        Raises `Truncated` when fewer are there, `DecodeError` when some are left over at the end of the block."""
        outer = self.end
        stop = self.offset + count
        if count < 0 or stop > outer:
            raise Truncated(f"{count} octets declared, {outer - self.offset} left", offset=self.offset)
        self.end = stop
        try:
            yield
            if self.offset != stop:
                raise DecodeError(f"{stop - self.offset} octets left over inside a declared length", offset=self.offset)
        finally:
            self.end = outer


class OctetWriter(bytearray):
    """Collects octets. Writing one costs no call of Python: most values of our protocols are an octet or a few."""

    __slots__ = ()

    octet = bytearray.append
    """Append one octet, 0..255."""

    put = bytearray.extend
    """Append octets as they are."""

    def getvalue(self) -> bytes:
        """All that was written."""
        return bytes(self)
