"""The command as people run it: a process of its own, on a machine with nothing but what a test gives it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "modembank"
LIMIT_S = 60

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment without settings, whose data folder is the test's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MODEMBANK_")}
    return clean | {"MODEMBANK_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "100", "NO_COLOR": "1"}


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Run `modembank …` in an empty folder; `env` adds variables, `stdin` is what is typed."""

    def run(*arguments: str, env: dict[str, str] | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(COMMAND), *arguments],
            env=environment | (env or {}),
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    return run
