"""`modembank hardware`: files into a prefix, commands for the machine itself planned and not run."""

from __future__ import annotations

import configparser
import json
import os
import sys
from pathlib import Path

import pytest

from modembank.dialects import DIALECTS
from modembank.dialects.udev import udev_rules
from modembank.errors import InstallError
from modembank.service.hardware import RULES, UNIT, Command, check_may_write, plan_install
from tests.tty.test_discovery import EC25_TTYS, plug


def test_a_dry_run_writes_nothing(run, tmp_path):
    done = run("hardware", "install", "--dry-run", "--prefix", str(tmp_path / "root"))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"would write {tmp_path / 'root' / file}" for file in (RULES, UNIT)]
    assert not (tmp_path / "root").exists()


def test_install_into_a_prefix_twice(run, tmp_path):
    root = tmp_path / "root"
    done = run("hardware", "install", "--prefix", str(root))
    assert done.returncode == 0, done.stderr
    assert (root / RULES).read_text() == udev_rules(DIALECTS)
    unit = configparser.RawConfigParser(strict=False)
    unit.read_string((root / UNIT).read_text())
    assert unit["Service"]["ExecStart"] == f"{Path(sys.executable).parent / 'modembank'} serve"
    assert unit["Service"]["DevicePolicy"] == "closed"
    again = run("hardware", "install", "--prefix", str(root))
    assert again.stdout.startswith("Everything is in place already.")
    assert sorted(path.name for path in root.rglob("*") if path.is_file()) == [RULES.name, UNIT.name]


def test_what_is_replaced_is_kept(run, tmp_path):
    root = tmp_path / "root"
    (root / RULES).parent.mkdir(parents=True)
    (root / RULES).write_text("# mine\n")
    done = run("hardware", "install", "--no-service", "--json", "--prefix", str(root))
    assert json.loads(done.stdout)["steps"] == [f"replace {root / RULES}"]
    assert (root / f"{RULES}.old").read_text() == "# mine\n"
    assert not (root / UNIT).exists()


def test_a_place_that_cannot_be_written_is_one_sentence(run, tmp_path):
    (tmp_path / "file").write_text("")
    done = run("hardware", "install", "--prefix", str(tmp_path / "file"))
    assert done.returncode == 1
    assert "cannot be" in done.stderr and "Traceback" not in done.stderr


def test_without_root_nothing_is_tried(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(InstallError, match="sudo"):
        check_may_write(None)
    check_may_write(Path("somewhere"))


def test_on_the_machine_itself_programs_follow_the_files(monkeypatch, tmp_path):
    for name in ("udevadm", "systemctl", "useradd", "usermod"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 0\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SUDO_USER", "somebody")
    plan = plan_install(None, with_service=True)
    words = [" ".join(step.words) for step in plan.steps if isinstance(step, Command)]
    assert "udevadm control --reload" in words and "systemctl daemon-reload" in words
    assert words.index("udevadm control --reload") < words.index(
        "udevadm trigger --subsystem-match=usb --subsystem-match=tty"
    )
    assert "usermod -aG dialout somebody" in words
    assert any("log in again" in note for note in plan.notes)


def test_a_machine_without_udev_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    plan = plan_install(None, with_service=False)
    assert not any(isinstance(step, Command) for step in plan.steps)
    assert any(note.startswith("udevadm is not here") for note in plan.notes)


@pytest.mark.parametrize("words", [("false",), ("no-such-program",)])
def test_a_program_that_fails_is_one_sentence(words):
    with pytest.raises(InstallError, match=words[0]):
        Command(words, "try").run()


def test_check_compares_with_what_is_installed(run, tmp_path):
    root, sys_root = tmp_path / "root", tmp_path / "sys"
    plug(sys_root, "1-1", ("2c7c", "0125"), EC25_TTYS)
    power = sys_root / "bus/usb/devices/1-1/power"
    power.mkdir()
    (power / "control").write_text("auto\n")
    env = {"MODEMBANK_SERIAL__SYSFS_ROOT": str(sys_root)}

    def findings() -> dict[str, tuple[str, str]]:
        done = run("hardware", "check", "--json", "--prefix", str(root), env=env)
        return {one["check"]: (one["level"], one["remedy"]) for one in json.loads(done.stdout)["findings"]}

    before = findings()
    assert before["udev rules"] == ("fail", "sudo modembank hardware install")
    assert before["modem 1-1"][0] == "fail"
    assert run("hardware", "install", "--prefix", str(root)).returncode == 0
    (power / "control").write_text("on\n")
    after = findings()
    assert {after[name][0] for name in ("udev rules", "service", "modem 1-1")} == {"ok"}
    (root / RULES).write_text("# older\n")
    assert findings()["udev rules"][0] == "fail"
