"""One whole emulator: the rack, its modems, the network and the directory they show themselves in."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from modembank.emulator import signals
from modembank.emulator.cards import Cards
from modembank.emulator.families import choose
from modembank.emulator.identity import MAX_MODEMS, Sim
from modembank.emulator.journal import Journal
from modembank.emulator.message_centre import MESSAGE_PARTIES
from modembank.emulator.modem import Modem, Rack
from modembank.emulator.network import Network, NetworkOptions
from modembank.emulator.ports import PortHub
from modembank.emulator.signals import Frames
from modembank.emulator.switches import Switches
from modembank.emulator.sysfs import SysTree
from modembank.errors import EmulatorError

LOCK_NAME = "emulator.lock"
OURS = ("dev", "sys", "alsa", "heard", "control.sock")


@dataclass(frozen=True, slots=True)
class WorldOptions:
    """What an emulator is made of; times in seconds."""

    directory: Path
    modems: int = 16
    family: str = "quectel-ec25"
    scenario: Path | None = None
    chaos: int | None = None
    chaos_every_s: float = 5.0
    seed: int = 1
    speech_file: Path | None = None
    reenumerate_s: float = 2.0
    sim_busy_s: float = 0.5
    network: NetworkOptions = field(default_factory=NetworkOptions)


class Directory:
    """The emulator's directory, locked for its lifetime.

    Raises:
        EmulatorError: another emulator runs in it, or it holds something that is not an emulator's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        lock = self.path / LOCK_NAME
        if not lock.exists() and any((self.path / name).exists() for name in OURS):
            raise EmulatorError(f"{path} holds files that are not an emulator's; choose another directory")
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise EmulatorError(f"an emulator is already running in {path}; stop it or choose another") from None
        self._clean()
        for name in ("dev", "sys", "heard"):
            (self.path / name).mkdir()

    def close(self) -> None:
        """Remove what the emulator showed; what it heard stays, and the lock file that marks the place as ours."""
        self._clean(keep="heard")
        os.close(self._lock)

    def _clean(self, keep: str = "") -> None:
        for name in OURS:
            path = self.path / name
            if path.is_dir() and name != keep:
                shutil.rmtree(path)
            elif not path.is_dir():
                path.unlink(missing_ok=True)


class World:
    """All of an emulator but its control socket."""

    def __init__(self, options: WorldOptions) -> None:
        if not 1 <= options.modems <= MAX_MODEMS:
            raise EmulatorError(f"the number of modems must be between 1 and {MAX_MODEMS}")
        families = choose(options.family)
        self.options = options
        self.on_calm: Callable[[], None] = lambda: None
        """Ends a scenario or chaos; whoever plays one sets it."""
        self.speech = _speech_source(options.speech_file)
        self.directory = Directory(options.directory)
        self.journal = Journal()
        self._hub = PortHub()
        self.network = Network(options.network, self.journal, self.speech)
        sys = SysTree(self.directory.path / "sys")
        self.drawer: dict[str, Sim] = {}  # SIMs outside the modems, by ICCID
        self.home: dict[int, str] = {}  # the ICCID that a modem lost last
        cards = Cards(self.directory.path / "alsa", self._hub)
        self._switches = Switches()
        dev = self.directory.path / "dev"
        rack = Rack(dev, sys, self._hub, cards, self.network, self.journal, self._switches)
        self.modems = [
            Modem(rack, options.seed, index, families[index % len(families)]) for index in range(options.modems)
        ]
        try:
            for modem in self.modems:
                modem.faults.reenumerate_s = options.reenumerate_s
                modem.faults.sim_busy_s = options.sim_busy_s
                modem.plug_in()
        except OSError as error:
            self.close()
            raise EmulatorError(f"this machine has no ptys or files left for so many modems: {error}") from error

    def modem(self, index: object) -> Modem:
        """Return a modem by its index.

        Raises:
            EmulatorError: there is none.
        """
        if not isinstance(index, int) or not 0 <= index < len(self.modems):
            raise EmulatorError(f"there is no modem {index}; they are numbered 0 to {len(self.modems) - 1}")
        return self.modems[index]

    def parties(self) -> dict[str, str]:
        """Return the far parties' numbers by name."""
        return {plan.name: plan.number for plan in self.network.plans.values()} | MESSAGE_PARTIES

    def close(self) -> None:
        """Take everything away."""
        for modem in self.modems:
            modem.ailments.vanish()
        self._hub.close()
        self._switches.close()
        self.directory.close()


def _speech_source(path: Path | None) -> Callable[[], Frames]:
    if path is None:
        return functools.partial(signals.speech_like)
    frames = signals.read_wav(path)
    return functools.partial(_same, frames)


def _same(frames: Frames) -> Frames:
    return frames
