"""`modembank hardware`: put udev rules and the systemd unit in place, and see whether they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modembank.cli.checks import Finding, Level, check_group, check_intruders
from modembank.cli.configuring import ConfigFile, name_config_file
from modembank.cli.doctor import report
from modembank.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from modembank.config import Settings

app = typer.Typer(help="Install udev rules and the service; check them.", no_args_is_help=True)

Prefix = Annotated[
    Path | None, typer.Option("--prefix", metavar="DIR", help="Treat DIR as / and write files only, for a package.")
]
Service = Annotated[bool, typer.Option("--service/--no-service", help="With the systemd unit and its user.")]


@app.command("install")
def install(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    prefix: Prefix = None,
    service: Service = True,
    as_json: AsJson = False,
) -> None:
    """Give the ports to the group dialout, keep ModemManager off the modems and the modems awake, add the service.

    Says what it does, does nothing twice, and keeps a file that it replaces as `.old`. The service is not started.
    """
    from modembank.service.hardware import check_may_write, plan_install

    plan = plan_install(prefix, with_service=service)
    if plan.steps and not dry_run:
        check_may_write(prefix)
    done = [step.says for step in plan.steps]
    if as_json and dry_run:
        print_json({"dry_run": True, "steps": list(done), "notes": list(plan.notes)})
        return
    for step, words in zip(plan.steps, done, strict=True):
        if not as_json:
            print(f"{'would ' if dry_run else ''}{words}", flush=True)
        if not dry_run:
            step.run()
    if as_json:
        print_json({"dry_run": False, "steps": list(done), "notes": list(plan.notes)})
        return
    if not done:
        print("Everything is in place already.")
    for note in plan.notes:
        print(f"→ {note}")


@app.command("check")
def check(prefix: Prefix = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Say whether the rules and the unit are in place and obeyed. Status 1 when something fails."""
    name_config_file(config)
    from modembank.config import load_settings

    report(list(_examine(prefix or Path("/"), load_settings())), as_json)


def _examine(root: Path, settings: Settings) -> Iterator[Finding]:
    from modembank.dialects import DIALECTS
    from modembank.dialects.udev import udev_rules
    from modembank.service.hardware import RULES, UNIT

    remedy = "sudo modembank hardware install"
    yield _same("udev rules", root / RULES, udev_rules(DIALECTS), remedy)
    unit = root / UNIT
    if unit.is_file():
        yield Finding(Level.OK, "service", str(unit))
    else:
        yield Finding(Level.WARN, "service", f"{unit} is not there; modembank serve runs without it", remedy)
    yield check_group()
    yield check_intruders()
    yield from _awake(settings.serial.sysfs_root)


def _same(name: str, path: Path, wanted: str, remedy: str) -> Finding:
    try:
        current = path.read_text()
    except OSError as error:
        return Finding(Level.FAIL, name, f"{path}: {error.strerror}", remedy)
    if current != wanted:
        return Finding(Level.FAIL, name, f"{path} is of another version", remedy)
    return Finding(Level.OK, name, str(path))


def _awake(sysfs_root: Path) -> Iterator[Finding]:
    """Does USB let the modems stay awake?"""
    from modembank.tty.discovery import survey

    for modem in survey(sysfs_root).modems:
        setting = sysfs_root / "bus/usb/devices" / modem.usb_path / "power/control"
        try:
            word = setting.read_text().strip()
        except OSError:
            continue  # an emulated modem, or a kernel without power management
        if word == "on":
            yield Finding(Level.OK, f"modem {modem.usb_path}", "USB keeps it awake")
        else:
            remedy = "sudo udevadm trigger, once the rules are in place; or unplug it and plug it in"
            yield Finding(Level.FAIL, f"modem {modem.usb_path}", f"USB may put it to sleep ({word})", remedy)
