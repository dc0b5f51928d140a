"""The steps that need no answer from a modem: log a device off the USB bus and on again, or cut its port's power.

Files of sysfs do the first, `uhubctl` or sysfs the second; both need rights that `hardware/` installs. A write there
may hang in the kernel, so that each is made in a thread that may be left behind.
Source: Linux Documentation/ABI/testing/sysfs-bus-usb (`authorized`, `<hub>-port<n>/disable`); uhubctl(8).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from modembank.errors import UsbStepError
from modembank.tty.abandon import run_abandonable
from modembank.tty.discovery import is_on_usb

_log = logging.getLogger(__name__)

OFF_S = 2.0  # a device must notice that it is off; capacitors empty within that
WRITE_LIMIT_S = 20.0  # unbinding a driver waits for its last transfer
TOOL_LIMIT_S = 60.0  # uhubctl switches off, waits, and tries the port a few times
_REAL = Path("/sys")
_USB_PLACE = re.compile(r"\d+-\d+(\.\d+)*")


@dataclass(frozen=True, slots=True)
class HubPort:
    """Where a device is plugged in: the hub as `usb1` or `1-1.4`, and its port from 1."""

    hub: str
    port: int

    @property
    def interface(self) -> str:
        """The hub's only interface; that of a root hub is called `1-0:1.0`."""
        return f"{self.hub.removeprefix('usb')}-0:1.0" if self.hub.startswith("usb") else f"{self.hub}:1.0"


def port_of(usb_path: str) -> HubPort | None:
    """The hub port of a device such as `1-1.4.2`; None for what is no place on a USB bus, as a serial port."""
    if not _USB_PLACE.fullmatch(usb_path):
        return None
    above, dot, port = usb_path.rpartition(".")
    if dot:
        return HubPort(above, int(port))
    bus, _, port = usb_path.partition("-")
    return HubPort(f"usb{bus}", int(port))


class UsbPower:
    """Resets devices and their ports below one sysfs."""

    def __init__(self, sysfs_root: Path = _REAL, *, off_s: float = OFF_S) -> None:
        self._devices = sysfs_root / "bus" / "usb" / "devices"
        self._off_s = off_s
        # The tool talks to the real bus, which is not where emulated modems are.
        self._tool = shutil.which("uhubctl") if sysfs_root == _REAL else None

    def can_reset(self, usb_path: str) -> bool:
        """Whether the device is there and may be logged off and on."""
        return is_on_usb(usb_path) and os.access(self._authorized(usb_path), os.W_OK)

    def can_cycle(self, usb_path: str) -> bool:
        """Whether the power of its port can be switched."""
        if not is_on_usb(usb_path):
            return False
        at = port_of(usb_path)
        return at is not None and (self._tool is not None or os.access(self._disable(at), os.W_OK))

    async def reset(self, usb_path: str) -> None:
        """Log the device off the bus and on again; its ports go and come back. Raises UsbStepError."""
        await self._off_and_on(self._authorized(usb_path), b"0", b"1")

    async def cycle(self, usb_path: str) -> None:
        """Cut the power of the device's port and give it back. Raises UsbStepError."""
        at = port_of(usb_path)
        if at is None:
            raise UsbStepError(f"{usb_path} is no place on a USB bus")
        if self._tool is not None:
            try:
                await self._run_tool(self._tool, at)
            except UsbStepError as error:
                if not os.access(self._disable(at), os.W_OK):
                    raise
                _log.warning("%s; the kernel's switch is tried instead", error)
            else:
                return
        await self._off_and_on(self._disable(at), b"1", b"0")

    def _authorized(self, usb_path: str) -> Path:
        return self._devices / usb_path / "authorized"

    def _disable(self, at: HubPort) -> Path:
        return self._devices / at.hub / at.interface / f"{at.hub}-port{at.port}" / "disable"

    async def _off_and_on(self, file: Path, off: bytes, on: bytes) -> None:
        try:
            await run_abandonable(lambda: _write(file, off), WRITE_LIMIT_S)
            try:
                await asyncio.sleep(self._off_s)
            finally:  # also when we are ended meanwhile: nothing else would switch it on again
                await run_abandonable(lambda: _write(file, on), WRITE_LIMIT_S)
        except TimeoutError:
            raise UsbStepError(f"the kernel did not come back from writing {file}; unplug the device") from None
        except OSError as error:
            raise UsbStepError(f"{file} could not be written: {error.strerror or error}") from None

    async def _run_tool(self, tool: str, at: HubPort) -> None:
        location = at.hub.removeprefix("usb")
        process = await asyncio.create_subprocess_exec(
            *(tool, "-l", location, "-p", str(at.port), "-a", "cycle", "-d", f"{self._off_s:g}"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(TOOL_LIMIT_S):
                _, said = await process.communicate()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise UsbStepError(f"uhubctl did not end within {TOOL_LIMIT_S:g} s") from None
        if process.returncode != 0:
            words = said.decode(errors="replace").strip().splitlines()
            raise UsbStepError(f"uhubctl could not switch port {at.port} of hub {location}: {(words or ['?'])[0]}")


def _write(file: Path, data: bytes) -> None:
    with file.open("wb", buffering=0) as open_file:
        open_file.write(data)
