"""The emulator as a process: its tree, its directory, its command line, gammu, determinism, many modems."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from modembank.cli.emulate import app
from modembank.emulator.client import SyncEmulatorClient
from modembank.emulator.identity import make_imei, make_sim
from modembank.emulator.signals import announcement, speech_like
from tests.support.emulated_ports import Bench
from tests.support.emulator import start_emulator

GAMMU_S = 60.0


def emulate(*arguments: str) -> Result:
    """Run the command inside this process: starting Python each time would cost more than all tests."""
    return CliRunner().invoke(app, arguments)


async def gammu(emulator: Bench, folder: Path, index: int, *arguments: str) -> str:
    config = folder / "gammurc"
    config.write_text(f"[gammu]\ndevice={await emulator.link(index)}\nconnection=at\n")
    process = await asyncio.create_subprocess_exec(
        "gammu", "-c", str(config), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), GAMMU_S)
    assert process.returncode == 0, output
    return output.decode()


async def test_gammu_identifies_the_modem(emulator: Bench, tmp_path: Path) -> None:
    output = await gammu(emulator, tmp_path, 0, "identify")
    facts = await emulator.modem(0)
    for expected in ("Quectel", "EC25", str(facts["imei"]), str(facts["imsi"])):
        assert expected in output


async def test_gammu_sees_the_network(emulator: Bench, tmp_path: Path) -> None:
    output = await gammu(emulator, tmp_path, 0, "networkinfo")
    for expected in ("home network", "001 01", "modembank 001", "LAC 1A2B", "attached"):
        assert expected in output


async def test_gammu_dials(emulator: Bench, tmp_path: Path) -> None:
    await gammu(emulator, tmp_path, 0, "dialvoice", emulator.parties["echo"])
    calls = (await emulator.modem(0))["calls"]
    assert [call["number"] for call in calls] == [emulator.parties["echo"]]


async def test_sysfs_looks_like_linux(emulator: Bench) -> None:
    facts = await emulator.modem(1)
    for role, interface in (("diag", 0), ("audio", 1), ("at", 2), ("modem", 3)):
        name = Path(facts["dev"][role]).name
        link = emulator.running.sys / "bus/usb-serial/devices" / name
        assert link.is_symlink()
        port = link.resolve()
        usb = str(facts["usb_path"])
        assert (port.name, port.parent.name, port.parent.parent.name) == (name, f"{usb}:1.{interface}", usb)
        assert (port.parent / "bInterfaceNumber").read_text() == f"{interface:02x}\n"
        device = port.parent.parent
        assert [(device / key).read_text() for key in ("idVendor", "idProduct")] == ["2c7c\n", "0125\n"]
        for key in ("serial", "manufacturer", "product", "busnum", "devnum", "devpath"):
            assert (device / key).read_text().strip()
        assert device.parent.name == usb.rpartition(".")[0]
        assert "/devices/pci0000:00/" in str(device)
        assert str(Path(facts["dev"][role]).readlink()).startswith("/dev/pts/")


async def test_same_seed_same_world(emulator: Bench, tmp_path: Path) -> None:
    keys = ("imei", "iccid", "imsi", "number", "rssi", "usb_path")
    modem = await emulator.running.modem(2)
    async with start_emulator(tmp_path, modems=3, seed=emulator.running.seed) as again:
        twin = await again.modem(2)
    assert [modem[key] for key in keys] == [twin[key] for key in keys]
    assert make_imei(5, 1) != make_imei(6, 1)
    assert make_sim(5, 1) != make_sim(6, 1)


def test_identities_of_500_modems_differ_and_sounds_repeat() -> None:
    assert len({make_imei(9, index) for index in range(500)}) == 500
    sims = [make_sim(9, index) for index in range(500)]
    assert len({sim.iccid for sim in sims}) == len({sim.imsi for sim in sims}) == 500
    assert {len(sim.iccid) for sim in sims} == {19}
    assert {len(sim.imsi) for sim in sims} == {15}
    assert sims[499].number == "+447700900499"
    spoken = speech_like(3)
    speech_like.cache_clear()
    assert speech_like(3) == spoken
    assert {len(frame) for frame in (*spoken, *announcement())} == {320}


async def test_a_directory_belongs_to_one_emulator(tmp_path: Path) -> None:
    async with start_emulator(tmp_path, modems=1) as running:
        second = await asyncio.to_thread(emulate, "--dir", str(running.dir), "--modems", "1")
        assert second.exit_code == 1
        assert "already running" in second.stderr
        assert second.stderr.count("\n") == 1
        os.kill(running.pid, 9)
        await asyncio.to_thread(os.waitid, os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
        assert any(running.dev.iterdir())  # the dead one left its ports behind
    async with start_emulator(tmp_path, modems=1) as running:
        assert len(list(running.dev.iterdir())) == 4
    assert not running.dev.exists()
    async with start_emulator(tmp_path, modems=1):
        pass  # and again after a clean end
    foreign = tmp_path / "home"
    (foreign / "dev").mkdir(parents=True)
    refused = await asyncio.to_thread(emulate, "--dir", str(foreign))
    assert refused.exit_code == 1
    assert "not an emulator's" in refused.stderr
    assert (foreign / "dev").exists()


async def test_long_paths_work(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    async with start_emulator(deep, modems=1) as running:
        assert len(str(running.control_path)) > 108
        assert (await running.call("seed"))["seed"] == 1
        answer = await asyncio.to_thread(SyncEmulatorClient(running.control_path).call, "parties")
        assert answer["parties"] == running.parties


async def test_command_line_drives_a_running_emulator(emulator: Bench) -> None:
    where = ("--control", str(emulator.running.control_path))
    modem = str(emulator.first)
    status = await asyncio.to_thread(emulate, "status", *where, "--json")
    assert len(json.loads(status.stdout)["modems"]) > emulator.first
    done = await asyncio.to_thread(emulate, "signal", modem, "11", *where)
    assert (done.exit_code, done.stdout) == (0, "done\n")
    assert (await emulator.modem(0))["rssi"] == 11
    called = await asyncio.to_thread(emulate, "incoming", modem, "--behaviour", "tone", *where, "--json")
    key = json.loads(called.stdout)["call"]
    assert (await emulator.modem(0))["calls"][0]["call"] == key
    ended = await asyncio.to_thread(emulate, "hangup", key, *where)
    assert ended.exit_code == 0
    assert (await emulator.modem(0))["calls"] == []
    await asyncio.to_thread(emulate, "fault", modem, "ppm", "50", *where)
    for line in (
        ("sms", modem, "hello", "--flash"),
        ("ussd-script", "*1#", '{"text": "yes"}', "--modem", modem),
        ("pin", modem, "4711", "--tries", "2"),
        ("sms-inbox", modem),
        ("sms-store", modem),
        ("sms-sent", "+447700900990"),
    ):
        assert (await asyncio.to_thread(emulate, *line, *where)).exit_code == 0, line
    assert (await emulator.modem(0))["pin"] == "SIM PIN"
    wrong = await asyncio.to_thread(emulate, "drop", "9999", *where)
    assert wrong.exit_code == 1
    assert wrong.stderr.startswith("Error: there is no modem 9999")
    assert wrong.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [("--modems", "0"), ("--modems", "501"), ("--party-speed", "0")])
def test_wrong_options_are_one_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    refused = emulate("--dir", str(tmp_path / "emulator"), *arguments)
    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_idle_modems_cost_nothing(emulator: Bench) -> None:
    before = cpu_s(emulator.running.pid)
    await asyncio.sleep(1.0)
    assert cpu_s(emulator.running.pid) - before <= 0.02  # 480 modems
