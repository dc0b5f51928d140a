"""What systemd is told, when it runs this process: ready, and alive.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


class Notifier:
    """Sends states to `NOTIFY_SOCKET`; without one it says nothing. Never waits, never fails."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environment) if address else None
        """How often systemd wants to hear that we live, at least; None when it does not ask."""

    def ready(self) -> None:
        """The start is complete."""
        self._tell("READY=1")

    def alive(self) -> None:
        """Feed systemd's watchdog."""
        self._tell("WATCHDOG=1")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as link:
            link.setblocking(False)
            try:
                link.sendto(state.encode(), self._address)
            except OSError as error:
                log.debug("systemd was not told %s: %s", state, error)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    pid, limit_us = environment.get("WATCHDOG_PID", ""), environment.get("WATCHDOG_USEC", "")
    if pid and pid != str(os.getpid()):
        return None  # meant for a parent
    return int(limit_us) / 1e6 if limit_us.isdecimal() and int(limit_us) > 0 else None
