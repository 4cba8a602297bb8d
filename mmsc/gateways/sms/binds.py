"""The sessions of all SMSCs: opened, kept up by their `Esme`, and changed one SMSC at a time while the others go on."""

import asyncio
from collections.abc import Callable, Mapping

from mmsc.domain.neighbours import Smsc
from mmsc.gateways.sms.courier import SmsCourier
from mmsc.gateways.sms.esme import Esme, EsmeTimers


class Binds:
    """`run` until cancelled; what ends one session by an error ends all of them, loudly."""

    def __init__(
        self, courier: SmsCourier, new_session: Callable[[Smsc], Esme], smscs: Mapping[str, Smsc], timers: EsmeTimers
    ) -> None:
        """The sessions are there for the courier from now on, and bound some time after `run` began."""
        self._sessions = courier.sessions
        self._new_session = new_session
        self._timers = timers
        self._smscs: dict[str, Smsc] = {}
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._group: asyncio.TaskGroup | None = None
        for smsc in smscs.values():
            self._make(smsc)

    async def run(self) -> None:
        """Keep every session up."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for name in tuple(self._smscs):
                self._start(name)
            group.create_task(asyncio.Event().wait(), name="smscs")  # there may be none

    async def take_over(self, smscs: Mapping[str, Smsc], timers: EsmeTimers) -> None:
        """From now on these. An SMSC that is the same keeps its sessions; one that is gone or different is unbound when
        what is under way was answered, and then bound anew: some take one bind at a time."""
        self._timers = timers
        for sessions in self._sessions.values():
            for session in sessions:
                session.timers = timers
        stale = [name for name, smsc in self._smscs.items() if smscs.get(name) != smsc]
        await asyncio.gather(*map(self._end, stale))
        for name in smscs.keys() - self._smscs.keys():
            self._make(smscs[name])
            self._start(name)

    def state(self) -> dict[str, tuple[int, int]]:
        """For each SMSC how many sessions it has, and how many of them are bound."""
        sessions = self._sessions
        return {name: (len(sessions[name]), sum(one.bound for one in sessions[name])) for name in self._smscs}

    async def close(self) -> None:
        """Unbind everywhere."""
        await asyncio.gather(*(one.close() for sessions in self._sessions.values() for one in sessions))

    def _make(self, smsc: Smsc) -> None:
        self._smscs[smsc.name] = smsc
        self._sessions[smsc.name] = [self._new_session(smsc) for _ in range(smsc.sessions)]
        for session in self._sessions[smsc.name]:
            session.timers = self._timers

    def _start(self, name: str) -> None:
        if self._group is None:
            return  # `run` will
        self._tasks[name] = [
            self._group.create_task(session.run(), name=f"smsc {name} {number}")
            for number, session in enumerate(self._sessions[name], 1)
        ]

    async def _end(self, name: str) -> None:
        del self._smscs[name]
        sessions, tasks = self._sessions.pop(name), self._tasks.pop(name, [])
        await asyncio.gather(*(session.leave() for session in sessions))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
