"""Makes events and the units they travel in: an event is durable exactly when what it tells is."""

from collections.abc import Callable, Sequence

from mmsc.clock import Clock, Moment
from mmsc.ids import Ids
from mmsc.store import events as sql
from mmsc.store.core import Statement, Unit
from mmsc.trace.captures import about
from mmsc.trace.events import Data, Event


class Chronicle:
    """Numbers events, puts them into units, and publishes them once their unit is durable."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        publish: Callable[[Event], None],
        beside: Callable[[Sequence[Event]], Sequence[Statement]] | None = None,
    ) -> None:
        """`beside` names what else is written in the unit of some events (charging)."""
        self._clock = clock
        self._ids = ids
        self._publish = publish
        self._beside = beside

    @property
    def charges(self) -> bool:
        """Whether charging records are made of what is written."""
        return self._beside is not None

    def event(
        self,
        data: Data,
        *,
        mm_id: int | None = None,
        recipient_id: int | None = None,
        task_id: int | None = None,
        moment: Moment | None = None,
    ) -> Event:
        """An event of `moment`, which is now. A request whose answer is under way is about the same MM."""
        if mm_id is not None:
            about(mm_id)
        service, real = moment or self._clock.moment()
        return Event(self._ids.new_id(real), mm_id, recipient_id, task_id, service, real, data)

    def unit(
        self,
        guard: Statement | None,
        effects: Sequence[Statement],
        events: Sequence[Event],
        then: Callable[[], None] | None = None,
        otherwise: Callable[[], None] | None = None,
        octets: int = 0,
    ) -> Unit:
        """A unit that writes `events` with `effects`; after the commit they are published, then `then` is called.
        `otherwise` is called instead when nothing was written."""

        def after() -> None:
            for event in events:
                self._publish(event)
            if then is not None:
                then()

        beside = self._beside(events) if self._beside is not None else ()
        return Unit(guard, (*effects, *[sql.insert(event) for event in events], *beside), after, otherwise, octets)

    def note(self, data: Data, *, mm_id: int | None = None, recipient_id: int | None = None) -> Unit:
        """A unit that only records."""
        return self.unit(None, (), (self.event(data, mm_id=mm_id, recipient_id=recipient_id),))
