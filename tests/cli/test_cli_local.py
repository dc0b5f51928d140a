"""Commands that need no server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modembank import __version__
from modembank.cli.app import app
from modembank.cli.checks import Level, check_clock, check_intruders, check_modems, check_port
from modembank.config import HttpSettings, SerialSettings, Settings

COMMANDS = [
    "serve",
    "demo",
    "emulate",
    "modems",
    "sims",
    "call",
    "at",
    "keys",
    "db",
    "detect",
    "doctor",
    "hardware",
    "config",
]


def test_help_names_every_command(run):
    done = run("--help")
    assert done.returncode == 0
    assert all(f" {name} " in done.stdout for name in COMMANDS)
    assert run("--version").stdout == f"{__version__}\n"


def test_each_command_explains_itself_and_speaks_json():
    """In this process: what is said does not depend on how the command was started."""
    parents = {
        "keys": ["create", "list", "revoke"],
        "db": ["upgrade", "check"],
        "config": ["show"],
        "hardware": ["install", "check"],
    }
    for command in COMMANDS:
        for sub in parents.get(command, [""]):
            words = [command, *sub.split(), "--help"]
            done = CliRunner().invoke(app, words)
            assert done.exit_code == 0, words
            assert "--json" in done.output, words


def test_help_does_not_load_the_service():
    """A quick `--help` is a matter of what is imported, which does not depend on the machine's load."""
    heavy = ("fastapi", "sqlalchemy", "aiortc", "av", "numpy", "uvicorn", "pydantic", "httpx2", "phonenumbers")
    code = f"import sys, modembank.cli.app; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_wrong_usage_is_status_2(run):
    done = run("call")
    assert done.returncode == 2
    assert "number" in done.stderr.lower()


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"MODEMBANK_HTTP__PORT": "70000"}, "MODEMBANK_HTTP__PORT"),
        ({"MODEMBANK_CONFIG": "/nowhere.toml"}, "/nowhere.toml does not exist"),
        ({"MODEMBANK_COUNTRY": "Britain"}, "MODEMBANK_COUNTRY"),
        ({"MODEMBANK_COUNTRY": "XX"}, "MODEMBANK_COUNTRY"),
        ({"MODEMBANK_MEDIA__ICE_SERVERS": '[{"urls": ["https://x.example"]}]'}, "media.ice_servers.0.urls"),
    ],
)
def test_wrong_settings_are_one_sentence(run, env, words):
    done = run("config", "show", env=env)
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_config_shows_file_and_environment_and_hides_passwords(run, tmp_path):
    file = tmp_path / "m.toml"
    file.write_text(
        'country = "DE"\n[http]\nport = 9000\n[[media.ice_servers]]\n'
        'urls = ["turn:turn.example"]\nusername = "u"\ncredential = "hush"\n'
        '[database]\nurl = "postgresql+asyncpg://me:hush@db.example/modembank"\n'
    )
    done = run("config", "show", "--config", str(file), "--json", env={"MODEMBANK_HTTP__PORT": "9001"})
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["country"], shown["http"]["port"]) == ("DE", 9001)
    assert "hush" not in done.stdout
    assert shown["media"]["ice_servers"][0]["username"] == "u"


def test_what_config_shows_is_a_settings_file(run, tmp_path):
    first = run("config", "show")
    file = tmp_path / "again.toml"
    file.write_text(first.stdout)
    again = run("config", "show", "--config", str(file))
    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout


def test_keys_live_in_the_database(run):
    created = run("keys", "create", "office PBX", "--json")
    assert created.returncode == 0, created.stderr
    key = json.loads(created.stdout)
    assert key["api_key"].startswith(key["prefix"])
    assert json.loads(run("keys", "revoke", key["id"], "--json").stdout)["revoked_at"]
    listed = run("keys", "list", "--json")
    assert key["api_key"] not in listed.stdout
    (shown,) = json.loads(listed.stdout)["data"]
    assert (shown["name"], bool(shown["revoked_at"])) == ("office PBX", True)


def test_an_unknown_key_is_told(run):
    done = run("keys", "revoke", "key_nobody")
    assert (done.returncode, done.stderr) == (1, "modembank: there is no API key key_nobody\n")


def test_db_check_asks_for_an_upgrade_and_is_content_after_it(run):
    before = run("db", "check")
    assert (before.returncode, "modembank db upgrade" in before.stdout) == (1, True)
    assert run("db", "upgrade").returncode == 0
    after = run("db", "check", "--json")
    assert (after.returncode, json.loads(after.stdout)["ok"]) == (0, True)


def test_a_wrong_database_is_one_sentence(run):
    done = run("db", "check", env={"MODEMBANK_DATABASE__URL": "mysql://x"})
    assert done.returncode == 1
    assert done.stderr.startswith("modembank: ")
    assert done.stderr.count("\n") == 1


def test_doctor_names_what_to_do(run, tmp_path):
    env = {"MODEMBANK_SERIAL__SYSFS_ROOT": str(tmp_path), "MODEMBANK_HTTP__PORT": "0"}
    done = run("doctor", "--json", env=env)
    report = json.loads(done.stdout)
    checks = {finding["check"]: finding for finding in report["findings"]}
    assert {"python", "open files", "other programs", "clock", "libopus", "page", "settings"} <= checks.keys()
    assert {"modems", "address", "database"} <= checks.keys()
    assert all(finding["remedy"] for finding in report["findings"] if finding["level"] != "ok")
    assert done.returncode == (0 if report["ok"] else 1)
    assert "modembank demo" in checks["modems"]["remedy"]


def test_doctor_fails_on_wrong_settings(run):
    done = run("doctor", "--json", env={"MODEMBANK_COUNTRY": "x"})
    assert done.returncode == 1
    (settings,) = [one for one in json.loads(done.stdout)["findings"] if one["check"] == "settings"]
    assert settings["level"] == "fail"


def test_doctor_sees_a_damaged_database(run, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "modembank.db").write_text("no database")
    done = run("doctor", "--json")
    (found,) = [one for one in json.loads(done.stdout)["findings"] if one["check"] == "database"]
    assert (done.returncode, found["level"]) == (1, "fail")


def process(proc: Path, pid: int, name: str) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "comm").write_text(f"{name}\n")


def test_programs_that_take_modems_are_found(tmp_path):
    process(tmp_path, 1, "systemd")
    (tmp_path / "version").write_text("")
    assert check_intruders(tmp_path).level is Level.OK
    process(tmp_path, 77, "ModemManager")
    found = check_intruders(tmp_path)
    assert found.level is Level.FAIL
    assert "systemctl" in found.remedy


def test_a_clock_that_nobody_keeps_is_told(tmp_path):
    assert check_clock(tmp_path, tmp_path).level is Level.WARN
    process(tmp_path, 5, "chronyd")
    assert check_clock(tmp_path, tmp_path).level is Level.OK


def test_a_taken_port_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        http = HttpSettings(port=taken.getsockname()[1])
        assert check_port(Settings(http=http)).level is Level.WARN
    assert check_port(Settings(http=http)).level is Level.OK


def usb_modem(root: Path, *, device_node: bool) -> Settings:
    """A Quectel EC25 as sysfs shows it."""
    device, drivers = root / "sys/devices/usb1/1-1", root / "sys/bus/usb-serial/devices"
    drivers.mkdir(parents=True)
    (root / "dev").mkdir()
    for number, tty in ((1, "ttyUSB1"), (2, "ttyUSB2")):
        interface = device / f"1-1:1.{number}"
        (interface / tty).mkdir(parents=True)
        (interface / "bInterfaceNumber").write_text(f"{number:02x}\n")
        (drivers / tty).symlink_to(interface / tty)
        if device_node:
            (root / "dev" / tty).touch()
    (device / "idVendor").write_text("2c7c\n")
    (device / "idProduct").write_text("0125\n")
    return Settings(serial=SerialSettings(sysfs_root=root / "sys", dev_root=root / "dev"))


def test_a_modem_with_its_ports_is_fine(tmp_path):
    levels = [finding.level for finding in check_modems(usb_modem(tmp_path, device_node=True))]
    assert levels == [Level.OK, Level.OK]


def test_a_port_that_may_not_be_opened_is_told(tmp_path):
    found = check_modems(usb_modem(tmp_path, device_node=False))
    assert found[-1].level is Level.FAIL
    assert "dialout" in found[-1].remedy


def test_no_key_says_where_to_get_one(run):
    done = run("sims")
    assert (done.returncode, done.stdout) == (1, "")
    assert "modembank keys create" in done.stderr


def test_no_server_says_how_to_start_one(run):
    done = run("modems", "--url", "http://127.0.0.1:9", "--key", "mbk_x")
    assert done.returncode == 1
    assert "modembank serve" in done.stderr
    assert done.stderr.count("\n") == 1


def test_another_program_at_the_address_is_told(run):
    with socket.create_server(("127.0.0.1", 0)) as other:
        if os.fork() == 0:  # a web server that knows nothing of us, for one request
            connection, _ = other.accept()
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            connection.close()
            os._exit(0)
        done = run("sims", "--url", f"http://127.0.0.1:{other.getsockname()[1]}", "--key", "mbk_x")
        os.wait()
    assert done.returncode == 1
    assert "not as a modembank does" in done.stderr
