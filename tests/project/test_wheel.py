"""The wheel is whole: built without a network, it has the page and the migrations, and runs away from the work tree."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    (built,) = folder.glob("modembank-*.whl")
    return built


def test_the_wheel_has_page_and_migrations(wheel: Path, root: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "modembank/web/dist/index.html" in names, "is the page built? run: make setup"
    versions = {path.name for path in (root / "migrations" / "versions").glob("*.py")}
    assert versions
    assert {f"modembank/_migrations/versions/{name}" for name in versions} < names
    assert "modembank/_migrations/env.py" in names
    assert "modembank/_hardware/modembank.service" in names


def test_the_wheel_has_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    strangers = [name for name in names if "node_modules" in name or name.startswith(("modembank/web/src/", "tests/"))]
    assert not strangers, strangers[:5]


def test_the_unpacked_wheel_makes_a_database(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    run = "import modembank, sys; from modembank.cli import main; print(modembank.__file__); sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", run, "db", "upgrade"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), "MODEMBANK_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert str(tmp_path / "site") in done.stdout
    assert (tmp_path / "data" / "modembank.db").is_file()
