"""The rules of the loop watchdog, and what systemd hears."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from modembank.service.systemd import Notifier
from modembank.service.watchdog import BEAT_S, STALL_S, TELLS, TELLS_WITHIN_S, LagWindow, LoopLag, Overdue, stacks


def test_the_lag_is_summed_up_over_a_bounded_window() -> None:
    window = LagWindow(size=100)
    assert window.sum_up() == LoopLag()
    window.add(9.0)
    for _ in range(98):
        window.add(0.001)
    window.add(0.3)
    assert window.sum_up() == LoopLag(last_ms=300.0, p99_ms=300.0, max_ms=9000.0, stalls=2)
    window.add(-0.001)  # a timer may come early by a clock tick
    assert window.sum_up() == LoopLag(last_ms=0.0, p99_ms=1.0, max_ms=300.0, stalls=2)


def _looks(overdue: Overdue, beat_s: Callable[[float], float], until_s: float, from_s: float = 0.0) -> int:
    """How often it tells when it looks every `BEAT_S`."""
    steps = range(int(from_s / BEAT_S), int(until_s / BEAT_S))
    return sum(overdue.look(beat_s(step * BEAT_S), step * BEAT_S) for step in steps)


def test_a_stall_is_told_once_and_stalls_in_a_row_not_all() -> None:
    overdue = Overdue()
    assert _looks(overdue, lambda now_s: now_s, 2.0) == 0
    assert _looks(overdue, lambda _: 2.0, 10.0, 2.0) == 1, "once, however long it lasts"
    assert _looks(overdue, lambda now_s: now_s - now_s % 0.5, 2.0 + TELLS_WITHIN_S, 10.0) == TELLS - 1
    assert _looks(overdue, lambda now_s: now_s - now_s % 0.5, 20.0 + TELLS_WITHIN_S, 3.0 + TELLS_WITHIN_S) == TELLS


def test_a_process_that_stood_still_as_a_whole_is_not_the_loops_fault() -> None:
    overdue = Overdue()
    assert not overdue.look(0.0, 0.0)
    assert not overdue.look(0.05, 30.0), "the look came late as well"
    assert not overdue.look(30.0, 30.05)
    assert overdue.look(30.0, 30.05 + STALL_S - 0.01)


def test_stacks_name_places_and_no_values() -> None:
    reached, leave = threading.Event(), threading.Event()

    def waits_with_a_secret(secret: str) -> None:
        reached.set()
        assert leave.wait(10), secret

    thread = threading.Thread(target=waits_with_a_secret, args=("hush",), name="holder")
    thread.start()
    try:
        assert reached.wait(10)
        told = stacks()
    finally:
        leave.set()
        thread.join()
    assert "holder:" in told
    assert "waits_with_a_secret" in told
    assert "hush" not in told


@pytest.fixture
def systemd(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


def test_systemd_hears_of_the_start_and_of_each_sign_of_life(systemd: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000000"})
    assert notifier.watchdog_s == 30.0
    notifier.ready()
    notifier.alive()
    assert [systemd.recv(100), systemd.recv(100)] == [b"READY=1", b"WATCHDOG=1"]


def test_an_abstract_socket_is_one() -> None:
    name = f"modembank-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(10)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert listening.recv(100) == b"READY=1"


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "1000000"}, None),  # nobody to tell
        ({"NOTIFY_SOCKET": "/nowhere"}, None),
        ({"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "0"}, None),
        ({"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "often"}, None),
        ({"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "1"}, None),
        ({"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1500000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
    ],
)
def test_the_watchdog_is_fed_only_where_it_is_asked_for(environment: dict[str, str], watchdog_s: float | None) -> None:
    notifier = Notifier(environment)
    assert notifier.watchdog_s == watchdog_s
    notifier.alive()  # nobody listens: no matter
