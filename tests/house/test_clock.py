"""The service clock: pause, step, speed, and what survives a restart."""

import pytest

from mmsc.clock import MAXIMUM_SPEED, VIRTUAL_START, Clock, ClockState, HostTime, VirtualClock, host_now
from mmsc.domain.instant import DAY, SECOND, Instant, later


def test_service_time_is_real_time_until_somebody_changes_it() -> None:
    clock = Clock()
    before = host_now()
    assert before <= clock.now() <= host_now()
    assert clock.offset_seconds() == 0


class Host:
    """Two clocks of a host: one that is set, one that is not."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_700_000_000 * 10**9, 77 * 10**9
        self.time = HostTime(lambda: self.wall, lambda: self.steady)

    def passes(self, seconds: int, *, and_is_set_by: int = 0) -> None:
        self.wall += (seconds + and_is_set_by) * 10**9
        self.steady += seconds * 10**9


def test_time_goes_on_though_the_hosts_clock_is_set_back(caplog: pytest.LogCaptureFixture) -> None:
    """Else leases, pauses of lanes and whatever waits would last so much longer."""
    host = Host()
    start = host.time()
    host.passes(0, and_is_set_by=-3600)
    assert host.time() == start
    assert "set back by 3600.0 s" in caplog.text
    host.passes(60)
    assert host.time() == later(start, 60)
    host.passes(0, and_is_set_by=-60)
    assert host.time() == later(start, 60)
    host.passes(1)
    assert host.time() == later(start, 61)


@pytest.mark.parametrize(("forward", "seen"), [(1800, 5), (3600, 5), (7200, 3605)])
def test_a_clock_set_back_and_forth_leaves_time_where_it_was(forward: int, seen: int) -> None:
    """It is never behind the host's clock, and no more ahead of it than it has to be."""
    host = Host()
    start = host.time()
    host.passes(0, and_is_set_by=-3600)
    host.time()
    host.passes(5, and_is_set_by=forward)
    assert host.time() == later(start, seen)
    host.passes(5)
    assert host.time() == later(start, seen + 5)


def test_a_host_that_slept_is_believed() -> None:
    """The steady clock of some hosts stands still meanwhile."""
    host = Host()
    start = host.time()
    host.passes(0, and_is_set_by=8 * 3600)
    assert host.time() == later(start, 8 * 3600)


def test_a_moment_is_both_times_at_once() -> None:
    clock = VirtualClock()
    clock.pause()
    clock.advance(60)
    assert clock.moment() == (clock.now(), clock.real_now()) == (VIRTUAL_START, later(VIRTUAL_START, 60))


def test_pause_holds_and_resume_goes_on_from_there() -> None:
    clock = VirtualClock()
    start = clock.now()
    clock.pause()
    clock.advance(60)
    assert clock.now() == start
    assert clock.real_now() == later(start, 60)
    clock.resume()
    clock.advance(5)
    assert clock.now() == later(start, 5)


def test_step_moves_service_time_only_and_only_forward() -> None:
    clock = VirtualClock()
    start = clock.now()
    clock.step(86400)
    assert clock.now() == start + DAY
    assert clock.real_now() == start
    assert clock.offset_seconds() == 86400
    with pytest.raises(ValueError, match="forward"):
        clock.step(-1)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_speed_counts_from_the_moment_it_is_set() -> None:
    clock = VirtualClock()
    start = clock.now()
    clock.advance(10)
    clock.set_speed(60)
    clock.advance(10)
    assert clock.now() == later(start, 610)
    clock.set_speed(1)
    clock.advance(10)
    assert clock.now() == later(start, 620)


@pytest.mark.parametrize("speed", [0, -1, MAXIMUM_SPEED * 2, float("nan")])
def test_a_speed_that_is_no_speed_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        VirtualClock().set_speed(speed)


def test_waiting_is_told_in_real_seconds() -> None:
    clock = VirtualClock()
    due = later(clock.now(), 120)
    assert clock.real_seconds_until(due) == 120
    clock.set_speed(60)
    assert clock.real_seconds_until(due) == 2
    clock.pause()
    assert clock.real_seconds_until(due) is None
    clock.step(121)
    assert clock.real_seconds_until(due) == 0


def test_watchers_hear_every_change_until_they_leave() -> None:
    clock = VirtualClock()
    heard: list[int] = []
    leave = clock.watch(lambda: heard.append(clock.now()))
    clock.pause()
    clock.step(1)
    clock.resume()
    clock.set_speed(2)
    clock.advance(1)
    assert len(heard) == 5
    leave()
    leave()
    clock.step(1)
    assert len(heard) == 5


def test_a_restart_goes_on_where_the_clock_was_and_never_back() -> None:
    real = Instant(1_000 * SECOND)
    saved: list[ClockState] = []
    first = Clock(real=lambda: real, save=saved.append)
    first.set_speed(10)
    first.step(3600)
    real = Instant(1_010 * SECOND)
    at_stop = first.now()
    real = Instant(1_020 * SECOND)
    second = Clock(real=lambda: real, state=saved[-1])
    assert second.now() == at_stop + 100 * SECOND
    assert second.state.speed == 10
