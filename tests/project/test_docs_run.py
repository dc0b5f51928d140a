"""The scripts in the documents are run as they stand, against a demo."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
RATE_HZ = 8000
TONE_HZ = 1000
MODEMBANK = Path(sys.executable).parent / "modembank"

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment that a script needs to reach a running demo."""
    folder = tmp_path_factory.mktemp("demo")
    command = [MODEMBANK, "demo", "--json", "--modems", "4", "--port", "0", "--dir", folder / "state"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            facts = json.loads(process.stdout.readline())
            wait_until_ready(facts["url"])
            yield {**os.environ, "MODEMBANK_URL": facts["url"], "MODEMBANK_API_KEY": facts["api_key"]}
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def wait_until_ready(url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{url}/readyz"):
                return
        except urllib.error.HTTPError as error:
            assert time.monotonic() < until, error.read()
            time.sleep(0.2)


def scripts(root: Path) -> list[str]:
    return BLOCK.findall((root / "docs" / "how-to" / "call-from-a-script.md").read_text())


def run(script: str, folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=env, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write_tone(path: Path, seconds: float) -> None:
    """Write a tone that no ringing tone has."""
    samples = (8000 * np.sin(2 * np.pi * TONE_HZ / RATE_HZ * np.arange(int(RATE_HZ * seconds)))).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())


def loudest_hz(path: Path, seconds: float) -> float:
    """Return the strongest frequency in the last seconds of a file."""
    with wave.open(str(path), "rb") as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")[::channels]
    last = samples[-int(rate * seconds) :]
    spectrum = np.abs(np.fft.rfft(last * np.hanning(len(last))))
    return float(np.argmax(spectrum) * rate / len(last))


def test_the_script_without_sound(root: Path, demo: dict[str, str], tmp_path: Path) -> None:
    told = run(scripts(root)[0], tmp_path, demo)
    types = [word for word in told.split() if word.startswith("call.")]
    assert types.index("call.ringing") < types.index("call.answered") < types.index("call.ended")
    assert told.splitlines()[-1].startswith("completed")


def test_the_script_with_sound(root: Path, demo: dict[str, str], tmp_path: Path) -> None:
    write_tone(tmp_path / "hello.wav", 12.0)
    run(scripts(root)[1], tmp_path, {**demo, "SECONDS": "8"})
    assert abs(loudest_hz(tmp_path / "heard.wav", 2.0) - TONE_HZ) < 10
