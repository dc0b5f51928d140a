"""`make setup` does a step once, does it again when something it depends on changed, and never believes a failure."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def setup_script(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_script", root / "scripts" / "setup.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "setup_script", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "STAMPS", tmp_path / "stamps")
    return module


def test_a_step_is_done_once_per_digest(setup_script: ModuleType, tmp_path: Path) -> None:
    product = tmp_path / "product"
    done: list[str] = []

    def work() -> None:
        done.append("work")
        product.touch()

    for wanted in ("a", "a", "b", "b"):
        setup_script.once("step", wanted, product, work)
    assert len(done) == 2
    product.unlink()
    setup_script.once("step", "b", product, work)
    assert len(done) == 3


def test_a_failed_step_is_tried_again(setup_script: ModuleType, tmp_path: Path) -> None:
    product = tmp_path / "product"
    setup_script.once("step", "a", product, product.touch)

    def fail() -> None:
        raise setup_script.SetupError("no")

    with pytest.raises(setup_script.SetupError):
        setup_script.once("step", "b", product, fail)
    done: list[str] = []
    setup_script.once("step", "a", product, lambda: done.append("again"))
    assert done == ["again"]


def test_a_step_without_its_product_is_an_error(setup_script: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(setup_script.SetupError, match="without making"):
        setup_script.once("step", "a", tmp_path / "product", lambda: None)


def test_the_digest_follows_names_contents_and_words(setup_script: ModuleType, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("x")
    other.write_text("x")
    digests = {setup_script.digest([one]), setup_script.digest([other]), setup_script.digest([one], "word")}
    one.write_text("y")
    digests.add(setup_script.digest([one]))
    assert len(digests) == 4


def test_a_failing_command_shows_what_it_said(
    setup_script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(setup_script.SetupError, match="status 3"):
        setup_script.run([sys.executable, "-c", "print('the reason'); raise SystemExit(3)"], cwd=tmp_path)
    assert "the reason" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("printed", "version"), [("uv 0.13.9", (0, 13, 9)), ("v20.20.2", (20, 20, 2)), ("11.19.1", (11, 19, 1))]
)
def test_versions_are_read(setup_script: ModuleType, tmp_path: Path, printed: str, version: tuple[int, ...]) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho '{printed}'\n")
    program.chmod(0o755)
    assert setup_script.version_of(str(program)) == version


def test_a_broken_program_has_no_version(setup_script: ModuleType, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho 1.2.3; exit 1\n")
    program.chmod(0o755)
    assert setup_script.version_of(str(program)) is None
