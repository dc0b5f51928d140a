"""The seam under the AT channel: what it needs of a serial port, whichever library opens it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Protocol

BAUD = 115_200  # means nothing on USB, and is what a module on a plain serial port starts with


class SerialBackend(StrEnum):
    """The libraries that can carry a port."""

    SERIALX = "serialx"
    PYSERIAL_ASYNCIO = "pyserial-asyncio"


class TransportSink(Protocol):
    """Who listens to a port."""

    def data_received(self, data: bytes) -> None:
        """Bytes came, in any chunks."""

    def connection_lost(self, error: Exception | None) -> None:
        """The port is gone; called once, also after `close`."""


class Transport(Protocol):
    """An open port."""

    def write(self, data: bytes) -> None:
        """Queue bytes; never blocks. Raises PortLostError."""

    def close(self) -> None:
        """Let the port go; never blocks and may be called twice."""


class TransportOpener(Protocol):
    """Opens a port: 8N1, raw, exclusive."""

    async def __call__(self, path: Path, sink: TransportSink, baud: int = BAUD) -> Transport:
        """Raises PortMissingError, PortBusyError, PortLostError, TooManyPortsError."""
