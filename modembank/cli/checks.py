"""What `modembank doctor` looks at: each check returns findings with a remedy."""

from __future__ import annotations

import grp
import os
import resource
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from modembank.errors import ModembankError

if TYPE_CHECKING:
    from modembank.config import Settings
    from modembank.tty.discovery import ModemPorts

PYTHON_NEEDED = (3, 11)
# A modem takes about four descriptors (two ports, a UDP socket, a margin); below this some tens of modems fail.
OPEN_FILES_WANTED = 4096
# Programs that open every new serial port and talk to it, with what to do about each.
INTRUDERS = {
    "ModemManager": "sudo modembank hardware install keeps it off; or: sudo systemctl disable --now ModemManager",
    "brltty": "sudo apt remove brltty (it takes serial adapters for Braille displays)",
}
CLOCK_KEEPERS = frozenset({"systemd-timesyn", "chronyd", "ntpd", "openntpd", "ntpsec"})
SERIAL_GROUPS = ("dialout", "uucp")


class Level(StrEnum):
    """How bad a finding is: `fail` keeps calls from working, `warn` may."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report; `remedy` is empty when all is well."""

    level: Level
    check: str
    detail: str
    remedy: str = ""


def check_python() -> Finding:
    """Is Python new enough?"""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] >= PYTHON_NEEDED:
        return Finding(Level.OK, "python", version)
    return Finding(Level.FAIL, "python", version, f"install Python {'.'.join(map(str, PYTHON_NEEDED))} or newer")


def check_open_files() -> Finding:
    """May a process open enough files for a rack?"""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    detail = "no limit" if soft == resource.RLIM_INFINITY else f"limit {soft}"
    if soft == resource.RLIM_INFINITY or soft >= OPEN_FILES_WANTED:
        return Finding(Level.OK, "open files", detail)
    remedy = f"ulimit -n {OPEN_FILES_WANTED}, or LimitNOFILE={OPEN_FILES_WANTED} in the systemd unit"
    return Finding(Level.WARN, "open files", f"{detail}, enough for about {soft // 4} modems", remedy)


def check_core() -> Finding:
    """Was the audio core built?"""
    from modembank.plane import binding

    if binding.available():
        return Finding(Level.OK, "audio core", "built")
    remedy = "sudo apt-get install gcc libc6-dev, then make setup; calls work without it, at twice the processor time"
    return Finding(Level.WARN, "audio core", "not built: calls take the Python path", remedy)


def check_intruders(proc: Path = Path("/proc")) -> Finding:
    """Does a program run that meddles with modems?"""
    running = sorted(set(_programs(proc)) & INTRUDERS.keys())
    if not running:
        return Finding(Level.OK, "other programs", "none that meddles with modems")
    remedy = "; ".join(INTRUDERS[name] for name in running)
    return Finding(Level.FAIL, "other programs", f"{' and '.join(running)} open every modem", remedy)


def check_clock(proc: Path = Path("/proc"), run: Path = Path("/run")) -> Finding:
    """Is the clock kept right? Records carry its time; durations do not depend on it."""
    if (run / "systemd/timesync/synchronized").exists():
        return Finding(Level.OK, "clock", "synchronised")
    keepers = sorted(set(_programs(proc)) & CLOCK_KEEPERS)
    if keepers:
        return Finding(Level.OK, "clock", f"kept by {keepers[0]}")
    remedy = "timedatectl set-ntp true, or install chrony; in a container this is the host's matter"
    return Finding(Level.WARN, "clock", "nothing seems to keep it", remedy)


def check_modems(settings: Settings) -> list[Finding]:
    """Which modems are plugged in, and may we open their ports?"""
    from modembank.service.wirings import wirings_of
    from modembank.tty.discovery import scan
    from modembank.tty.wiring import wire

    found = wire(scan(settings.serial.sysfs_root, settings.serial.dev_root), wirings_of(settings.serial))
    if not found:
        remedy = "plug one in (lsusb shows it?), or try without: modembank demo"
        return [Finding(Level.WARN, "modems", f"none under {settings.serial.sysfs_root}", remedy), check_group()]
    names = ", ".join(f"{ports.usb_path} ({ports.dialect})" for ports in found)
    return [Finding(Level.OK, "modems", f"{len(found)}: {names}"), *(_ports(ports) for ports in found)]


def check_group() -> Finding:
    """May this user open serial ports at all?"""
    if os.geteuid() == 0:
        return Finding(Level.OK, "serial permission", "root may open every port")
    own = {grp.getgrgid(gid).gr_name for gid in os.getgroups() if _known_group(gid)}
    if own & set(SERIAL_GROUPS):
        return Finding(Level.OK, "serial permission", f"member of {', '.join(sorted(own & set(SERIAL_GROUPS)))}")
    remedy = "sudo usermod -aG dialout $USER, then log in again"
    return Finding(Level.WARN, "serial permission", "this user is not in the group dialout", remedy)


def check_port(settings: Settings) -> Finding:
    """Can the server listen?"""
    http = settings.http
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    try:
        socket.create_server((http.host, http.port), family=family).close()
    except OSError as error:
        remedy = "stop the program that holds it (is modembank running already?) or set http.port"
        return Finding(Level.WARN, "address", f"{http.host} port {http.port}: {error.strerror}", remedy)
    return Finding(Level.OK, "address", f"{http.host} port {http.port} is free")


def check_page() -> Finding:
    """Is the softphone page built?"""
    import modembank

    if (Path(modembank.__file__).parent / "web/dist/index.html").is_file():
        return Finding(Level.OK, "page", "built")
    return Finding(Level.WARN, "page", "not built; the API works without it", "make setup")


def check_opus() -> Finding:
    """Can calls use Opus?"""
    from modembank.media import opus

    if opus.available():
        return Finding(Level.OK, "libopus", "found")
    return Finding(Level.WARN, "libopus", "not found; calls use G.711", "sudo apt install libopus0")


async def check_database(settings: Settings) -> Finding:
    """Is the database there, with the schema of this version?"""
    from modembank.cli.database import describe
    from modembank.store.database import Database

    if settings.database_url.startswith("sqlite") and not settings.database.url:
        file = settings.data_dir / "modembank.db"
        if not file.exists():
            return Finding(Level.OK, "database", f"{file} will be made by the first modembank serve")
    try:
        database = Database(settings.database_url)
        await database.open()
        try:
            state = await database.check()
        finally:
            await database.close()
    except ModembankError as error:
        return Finding(Level.FAIL, "database", str(error), "mend database.url, or start the database server")
    if state.ok:
        return Finding(Level.OK, "database", describe(state))
    return Finding(Level.WARN, "database", describe(state), "modembank db upgrade")


def _ports(ports: ModemPorts) -> Finding:
    check = f"modem {ports.usb_path}"
    for port in (ports.at, ports.audio):
        if port is not None and not os.access(port, os.R_OK | os.W_OK):
            remedy = "sudo usermod -aG dialout $USER, then log in again; or sudo modembank hardware install"
            return Finding(Level.FAIL, check, f"this user may not open {port}", remedy)
    sound = ports.card or ports.audio
    if sound is None:
        return Finding(Level.WARN, check, "no audio port: no voice", "see docs/how-to/sound-cards.md")
    return Finding(Level.OK, check, f"commands on {ports.at}, audio on {sound}")


def _programs(proc: Path) -> Iterator[str]:
    for folder in proc.iterdir():
        if folder.name.isdecimal():
            try:
                yield (folder / "comm").read_text().strip()
            except OSError:  # ended while we looked
                continue


def _known_group(gid: int) -> bool:
    try:
        grp.getgrgid(gid)
    except KeyError:
        return False
    return True
