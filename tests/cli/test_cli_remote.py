"""Commands against a running demo: emulated modems, the real server."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from modembank.at.transcript import read_transcript

COMMAND = Path(sys.executable).parent / "modembank"
CHASSIS = Path(__file__).resolve().parents[2] / "hardware" / "chassis" / "emulated.toml"
LIMIT_S = 60


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """A demo with two modems, in whose folder the commands run."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MODEMBANK_")}
    with (folder / "demo.log").open("wb") as log:
        process = subprocess.Popen(
            [str(COMMAND), "demo", "--modems", "2", "--port", "0", "--json"],
            cwd=folder,
            env=environment | {"MODEMBANK_SERIAL__RESCAN_S": "0.5", "MODEMBANK_SERIAL__CHASSIS": str(CHASSIS)},
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, (folder / "demo.log").read_text()
    facts = json.loads(line) | {"folder": folder, "environment": environment}
    try:
        wait_for_modems(facts, 2)
        yield facts
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(LIMIT_S)
        process.stdout.close()
    assert status == 0, (folder / "demo.log").read_text()


def modembank(demo: dict, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(COMMAND), *arguments],
        cwd=demo["folder"],
        env=demo["environment"],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def wait_for_modems(demo: dict, count: int) -> None:
    deadline = time.monotonic() + LIMIT_S
    while True:
        listed = modembank(demo, "modems", "--json")
        assert listed.returncode == 0, listed.stderr
        states = [modem["state"] for modem in json.loads(listed.stdout)["data"]]
        if states.count("ready") == count:
            return
        assert time.monotonic() < deadline, states
        time.sleep(0.2)


def test_the_demo_leaves_its_key_to_its_owner_only(demo):
    file = demo["folder"] / ".demo" / "credentials.json"
    assert json.loads(file.read_text()) == {"url": demo["url"], "api_key": demo["api_key"]}
    assert file.stat().st_mode & 0o077 == 0


def test_sims_and_modems_are_listed_and_changed(demo):
    table = modembank(demo, "sims").stdout
    assert "ready" in table
    sim = json.loads(modembank(demo, "sims", "--json").stdout)["data"][0]
    changed = modembank(demo, "sims", "set", sim["iccid"], "--label", "slot [1]", "--tag", "sales", "--notes", "n")
    assert changed.returncode == 0, changed.stderr
    assert "slot [1]" in changed.stdout
    again = modembank(demo, "sims", "set", "slot [1]", "--no-tags", "--json")
    assert json.loads(again.stdout)["tags"] == []
    modem = json.loads(modembank(demo, "modems", "--json").stdout)["data"][0]
    labelled = modembank(demo, "modems", "set", modem["usb_path"], "--label", "front", "--json")
    assert json.loads(labelled.stdout)["label"] == "front"


def test_a_modem_is_known_by_its_slot(demo):
    assert "01-2" in modembank(demo, "modems").stdout
    modem = json.loads(modembank(demo, "modems", "set", "01-2", "--notes", "n", "--json").stdout)
    assert (modem["slot"], modem["usb_path"]) == ("01-2", "1-1.1.2")


def test_detect_asks_the_server_about_the_modems_that_it_holds(demo):
    emulator = demo["emulator"]
    roots = {"MODEMBANK_SERIAL__SYSFS_ROOT": emulator["sys"], "MODEMBANK_SERIAL__DEV_ROOT": emulator["dev"]}
    held = demo | {"environment": demo["environment"] | roots | {"MODEMBANK_SERIAL__CHASSIS": str(CHASSIS)}}
    facts = json.loads(modembank(held, "detect", "--json").stdout)
    assert [device["state"] for device in facts["devices"]] == ["in_use", "in_use"]
    assert all(device["imei"] and device["detail"].endswith(", ready") for device in facts["devices"])
    alone = json.loads(modembank(held, "detect", "--json", "--url", "http://127.0.0.1:9").stdout)
    assert [device["imei"] for device in alone["devices"]] == [None, None]
    assert alone["server"].startswith("no server was asked: ")


def test_unknown_names_and_empty_changes_are_told(demo):
    unknown = modembank(demo, "sims", "set", "nobody", "--label", "x")
    assert (unknown.returncode, "there is no SIM nobody" in unknown.stderr) == (1, True)
    nothing = modembank(demo, "sims", "set", "nobody")
    assert nothing.returncode == 2


def test_at_console(demo):
    path = json.loads(modembank(demo, "modems", "--json").stdout)["data"][0]["usb_path"]
    once = modembank(demo, "at", path, "AT+CSQ")
    assert once.stdout.startswith("+CSQ: ")
    many = modembank(demo, "at", path, stdin="AT+CSQ\n\nAT+COPS?\n")
    assert "+COPS:" in many.stdout
    refused = modembank(demo, "at", path, "AT+CFUN=0")
    assert refused.returncode == 1
    assert "at_refused" in refused.stderr
    trace = modembank(demo, "modems", "trace", path, "-n", "20")
    assert "> AT+CSQ" in trace.stdout


def test_a_recording_has_the_conversation_and_nobody_in_it(demo):
    modem = json.loads(modembank(demo, "modems", "--json").stdout)["data"][0]
    sim = next(
        one for one in json.loads(modembank(demo, "sims", "--json").stdout)["data"] if one["modem"]["id"] == modem["id"]
    )
    done = modembank(demo, "at", modem["usb_path"], "AT+CIMI", "--record", "modem.txt")
    assert done.returncode == 0, done.stderr
    text = (demo["folder"] / "modem.txt").read_text()
    transcript = read_transcript(text)
    assert (transcript.family, transcript.source, transcript.facts["model"]) == (modem["dialect"], "device", "EC25")
    assert {"AT+CIMI", "ATE0"} <= {entry.text for entry in transcript.entries}
    for secret in (modem["imei"], sim["iccid"], sim["imsi"], sim["number"].removeprefix("+44")):
        assert secret not in text
    refused = modembank(demo, "at", modem["usb_path"], "AT", "--record", "no/such/folder/x.txt")
    assert (refused.returncode, "cannot be written" in refused.stderr) == (1, True)


def test_a_call_shows_how_it_goes(demo):
    done = modembank(demo, "call", demo["emulator"]["parties"]["echo"], "--duration", "0.5", "--dtmf", "1#")
    assert done.returncode == 0, done.stdout + done.stderr
    words = done.stdout
    places = [words.index(word) for word in ("dialing", "ringing", "answered", "sent digit 1", "ended: completed")]
    assert places == sorted(places)


def test_a_busy_party_is_status_1(demo):
    done = modembank(demo, "call", demo["emulator"]["parties"]["busy"], "--json")
    assert done.returncode == 1
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["type"] == "call.ended"
    assert events[-1]["data"]["call"]["hangup"]["cause"] == "user_busy"


def test_a_refused_number_is_one_sentence(demo):
    done = modembank(demo, "call", "112")
    assert (done.returncode, done.stdout) == (1, "")
    assert "emergency_number" in done.stderr
    assert done.stderr.count("\n") == 1


def test_ctrl_c_hangs_up(demo):
    process = subprocess.Popen(
        [str(COMMAND), "call", demo["emulator"]["parties"]["no_answer"]],
        cwd=demo["folder"],
        env=demo["environment"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if "ringing" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stdout.read()
    assert process.wait(LIMIT_S) == 1
    assert "ended: canceled (originator cancel, by caller)" in rest


def test_talking_and_listening_without_a_browser(demo, tmp_path):
    said, heard = tmp_path / "said.wav", tmp_path / "heard.wav"
    write_tone(said, seconds=2.0)
    done = modembank(demo, "call", demo["emulator"]["parties"]["echo"], "--play", str(said), "--record", str(heard))
    assert done.returncode == 0, done.stdout + done.stderr
    with wave.open(str(heard)) as file:
        assert (file.getframerate(), file.getnchannels()) == (8000, 1)
        samples = memoryview(file.readframes(file.getnframes())).cast("h")
    loud = sum(abs(sample) > 2000 for sample in samples)
    assert loud > 8000 * 0.5, "the echo of two seconds of tone was not heard"


def write_tone(path: Path, *, seconds: float) -> None:
    """A square wave: loud and simple."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        period = (b"\x00\x20" * 8) + (b"\x00\xe0" * 8)
        file.writeframes(period * int(seconds * 8000 / 16))


def test_a_message_is_sent_shown_and_listed(demo: dict) -> None:
    echo = "+447700900920"
    sent = modembank(demo, "sms", "send", echo, "hello from here", "--json")
    assert sent.returncode == 0, sent.stderr
    message = json.loads(sent.stdout)
    assert (message["status"] in ("sent", "delivered"), message["parts"]["done"]) == (True, 1)
    shown = modembank(demo, "sms", "show", message["id"])
    assert "hello from here" in shown.stdout and "queued" in shown.stdout
    deadline = time.monotonic() + LIMIT_S
    while "inbound" not in (listed := modembank(demo, "sms", "list", "--number", echo)).stdout:
        assert time.monotonic() < deadline, listed.stdout + listed.stderr
        time.sleep(0.5)
    refused = modembank(demo, "sms", "send", "999", "help")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "emergency" in refused.stderr


def test_messages_are_followed(demo: dict) -> None:
    watching = subprocess.Popen(
        [str(COMMAND), "sms", "watch", "--json"], cwd=demo["folder"], env=demo["environment"], stdout=subprocess.PIPE
    )
    try:
        assert watching.stdout is not None
        deadline = time.monotonic() + LIMIT_S
        while not select.select([watching.stdout], [], [], 1)[0]:  # the first ones may go before its stream is open
            assert time.monotonic() < deadline
            modembank(demo, "sms", "send", "+447700900950", "watched", "--no-wait")
        event = json.loads(watching.stdout.readline())
        assert (event["type"], event["data"]["message"]["text"]) == ("sms.queued", "watched")
    finally:
        watching.send_signal(signal.SIGINT)
        assert watching.wait(LIMIT_S) == 130
        watching.stdout.close()


def test_ussd_menus(demo: dict) -> None:
    one_shot = modembank(demo, "ussd", "*100#")
    assert (one_shot.returncode, "12.34" in one_shot.stdout) == (0, True), one_shot.stderr
    menu = modembank(demo, "ussd", "*123#", stdin="2\n1\n")
    assert (menu.returncode, "Topped up by £5" in menu.stdout) == (0, True), menu.stderr
    left = modembank(demo, "ussd", "*123#", stdin="\n")
    assert "The session was ended." in left.stdout
    answered = modembank(demo, "ussd", "*123#", "--answer", "1", "--json")
    assert json.loads(answered.stdout)["status"] == "done"
    refused = modembank(demo, "ussd", "**21*1#")
    assert (refused.returncode, "refused" in refused.stderr) == (1, True)
