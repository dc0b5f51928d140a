"""Puts the files for real machines in place: udev rules and the systemd unit; and tells whether they are.

A plan is made first and can be shown: what is in place already needs no step, so that a second run does nothing.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import modembank
from modembank.dialects import DIALECTS
from modembank.dialects.udev import GROUP, udev_rules
from modembank.errors import InstallError

RULES = Path("etc/udev/rules.d/70-modembank.rules")
UNIT = Path("etc/systemd/system/modembank.service")
USER = "modembank"
STATE_DIR = "/var/lib/modembank"
COMMAND_S = 60.0  # udev's trigger visits every device
_EXEC = "ExecStart="


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Write `text`; what was there before is kept beside it, with `.old` at the end of its name."""

    path: Path
    text: str

    @property
    def says(self) -> str:
        """What the step does, in words."""
        return f"{'replace' if self.path.exists() else 'write'} {self.path}"

    def run(self) -> None:
        """Raises InstallError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists():
                self.path.replace(self.path.with_name(f"{self.path.name}.old"))
            self.path.write_text(self.text)
        except OSError as error:
            raise InstallError(f"{self.path} cannot be written: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Command:
    """Run a program of the system."""

    words: tuple[str, ...]
    why: str

    @property
    def says(self) -> str:
        """What the step does, in words."""
        return f"{self.why}: {' '.join(self.words)}"

    def run(self) -> None:
        """Raises InstallError."""
        try:
            done = subprocess.run(self.words, capture_output=True, text=True, timeout=COMMAND_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InstallError(f"`{' '.join(self.words)}` did not run: {error}") from None
        if done.returncode != 0:
            raise InstallError(f"`{' '.join(self.words)}` failed: {done.stderr.strip() or done.stdout.strip()}")


Step = WriteFile | Command


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, and what a person should know beside it."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]


def plan_install(prefix: Path | None, *, with_service: bool) -> Plan:
    """What this machine lacks. With a `prefix` only files are written, below it: for a package, or a test."""
    root = prefix or Path("/")
    rules = _file(root / RULES, udev_rules(DIALECTS))
    unit = _file(root / UNIT, unit_text(_program())) if with_service else []
    steps: list[Step] = [*rules, *unit]
    notes: list[str] = []
    if prefix is None:
        if rules:
            steps += _programs((("udevadm", "control", "--reload"), _TRIGGER), "let udev read the rules", notes)
        if with_service:
            steps += _users(notes)
        if unit:
            steps += _programs((("systemctl", "daemon-reload"),), "let systemd read the unit", notes)
        steps += _person(notes)
    if with_service and _program().is_relative_to(Path("/home")):
        notes.append("the unit may not look into /home: install modembank elsewhere, such as /opt/modembank")
    return Plan(tuple(steps), tuple(notes))


_TRIGGER = ("udevadm", "trigger", "--subsystem-match=usb", "--subsystem-match=tty")


def check_may_write(prefix: Path | None) -> None:
    """Raises InstallError: only root may do what the plan says."""
    if prefix is None and os.geteuid() != 0:
        raise InstallError("only root may write below /etc: run it with sudo, or look first with --dry-run")


def unit_text(program: Path) -> str:
    """The systemd unit, starting `program`. Raises InstallError when this installation does not have it."""
    package = Path(modembank.__file__).parent
    places = (package / "_hardware" / UNIT.name, package.parent / "hardware" / UNIT.name)
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise InstallError("this installation has no systemd unit; leave it out with --no-service")
    lines = found.read_text().splitlines()
    told = [f"{_EXEC}{program} serve" if line.startswith(_EXEC) else line for line in lines]
    return "\n".join(told) + "\n"


def _program() -> Path:
    """The command that is running, by its full name."""
    return Path(sys.executable).parent / "modembank"


def _file(path: Path, text: str) -> list[Step]:
    try:
        current = path.read_text() if path.exists() else None
    except OSError as error:
        raise InstallError(f"{path} cannot be read: {error.strerror}") from None
    return [] if current == text else [WriteFile(path, text)]


def _programs(commands: Sequence[tuple[str, ...]], why: str, notes: list[str]) -> list[Step]:
    program = commands[0][0]
    if shutil.which(program) is None:
        notes.append(f"{program} is not here: {why} yourself, or start the machine anew")
        return []
    return [Command(words, why) for words in commands]


def _users(notes: list[str]) -> list[Step]:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        words = ("useradd", "--system", "--user-group", "--home", STATE_DIR, "--shell", "/usr/sbin/nologin", USER)
        return _programs((words,), f"make the user {USER} for the service", notes)
    return []


def _person(notes: list[str]) -> list[Step]:
    """Let whoever called sudo open the ports too."""
    name = os.environ.get("SUDO_USER")
    if not name or name == "root":
        return []
    try:
        members = grp.getgrnam(GROUP).gr_mem
    except KeyError:
        notes.append(f"there is no group {GROUP} on this machine; make it, or change the group in {RULES}")
        return []
    if name in members:
        return []
    notes.append(f"{name} has to log in again before the group {GROUP} counts")
    return _programs((("usermod", "-aG", GROUP, name),), f"let {name} open the ports", notes)
