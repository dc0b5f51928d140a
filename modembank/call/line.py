"""What a call needs from the modem that carries it; `modem.Modem` implements it."""

from __future__ import annotations

from typing import Protocol

from modembank.media.records import AudioPlace


class Line(Protocol):
    """A modem with a usable SIM, as one call sees it. All methods raise AtError, ModemError or PortError."""

    @property
    def audio(self) -> AudioPlace | None:
        """Where its sound is, at the rate that it has now; None when the modem has none."""
        ...

    @property
    def atd_written(self) -> bool:
        """Whether the bytes of the last `dial`'s ATD reached the port: if so, a call may exist (I4)."""
        ...

    async def dial(self, number: str) -> None:
        """Arm the voice path, then write exactly one `ATD` (I4)."""
        ...

    async def answer(self) -> None:
        """Answer the incoming call (`ATA`)."""
        ...

    async def reject(self) -> None:
        """Refuse the incoming call."""
        ...

    async def hang_up(self) -> None:
        """Release the call and confirm it by `+CLCC`."""
        ...

    async def send_dtmf(self, digit: str) -> None:
        """Send one digit (`+VTS`)."""
        ...

    async def hold(self, on: bool) -> None:
        """Put the call on hold, or resume it (`+CHLD`)."""
        ...
