"""The documents hold together: links resolve, every page is reachable, the references are complete."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from modembank import errors
from modembank.bank.events import LEVELS, RESET
from modembank.config import Settings
from modembank.emulator.operations import OPERATIONS

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def pages(root: Path) -> list[Path]:
    tops = [root / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*tops, *sorted((root / "docs").rglob("*.md")), *sorted((root / "hardware").rglob("*.md"))]


def links(page: Path) -> list[str]:
    prose = FENCE.sub("", page.read_text())
    return [link for link in LINK.findall(prose) if "://" not in link and not link.startswith("mailto:")]


def anchors(page: Path) -> set[str]:
    """Return the anchors that a Markdown viewer makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    bare = (re.sub(r"[^\w\- ]", "", heading.strip().lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in bare}


def target(page: Path, link: str) -> Path:
    name = link.partition("#")[0]
    return (page.parent / name).resolve() if name else page


def test_links_resolve(root: Path) -> None:
    broken = []
    for page in pages(root):
        for link in links(page):
            there = target(page, link)
            anchor = link.partition("#")[2]
            if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
                broken.append(f"{page.relative_to(root)}: {link}")
    assert not broken, "\n".join(broken)


def test_every_page_is_reachable_from_the_index(root: Path) -> None:
    seen: set[Path] = set()
    ahead = [(root / "docs" / "index.md").resolve()]
    while ahead:
        page = ahead.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        ahead += [target(page, link) for link in links(page)]
    lost = {page.resolve() for page in (root / "docs").rglob("*.md")} - seen
    assert not lost, "\n".join(str(page.relative_to(root)) for page in sorted(lost))


def error_classes() -> list[type[errors.ModembankError]]:
    return [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ModembankError)
    ]


def test_error_codes_are_unique() -> None:
    codes = [kind.code for kind in error_classes()]
    assert len(codes) == len(set(codes)), sorted(code for code in codes if codes.count(code) > 1)


def test_every_error_is_drawn_in_the_tree() -> None:
    lost = [kind.__name__ for kind in error_classes() if kind.__name__ not in (errors.__doc__ or "")]
    assert not lost, lost


def test_every_error_code_is_documented(root: Path) -> None:
    page = (root / "docs" / "reference" / "errors.md").read_text()
    lost = [kind.code for kind in error_classes() if f"`{kind.code}`" not in page]
    assert not lost, lost


def setting_names(model: type[BaseModel], prefix: str = "") -> list[str]:
    names: list[str] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names += setting_names(kind, f"{prefix}{name}.")
        else:
            names.append(prefix + name)
    return names


def test_every_setting_is_documented(root: Path) -> None:
    page = (root / "docs" / "reference" / "settings.md").read_text()
    lost = [name for name in setting_names(Settings) if name not in page]
    assert not lost, lost


def event_types(root: Path) -> set[str]:
    """Return the literal first arguments of the bank's calls of `emit…`, and the two that are never stored."""
    emits = (
        node
        for path in (root / "modembank" / "bank").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.startswith("emit")
    )
    firsts = (literal for call in emits if call.args for literal in ast.walk(call.args[0]))
    found = {one.value for one in firsts if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return found | {RESET, LEVELS}


def test_every_event_type_is_documented(root: Path) -> None:
    page = (root / "docs" / "reference" / "events.md").read_text()
    types = event_types(root)
    assert {"call.ringing", "call.answered", "call.ended"} < types
    lost = sorted(kind for kind in types if f"`{kind}`" not in page)
    assert not lost, lost


def test_every_emulator_operation_is_documented(root: Path) -> None:
    page = (root / "docs" / "reference" / "emulator.md").read_text()
    lost = [name for name in (*OPERATIONS, "watch", "shutdown") if f"`{name}`" not in page]
    assert not lost, lost


def test_the_changelog_tells_of_this_version(root: Path) -> None:
    headings = re.findall(r"^## (.+)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings, "CHANGELOG.md has no section"
    assert headings[0].startswith("Unreleased")


def test_generated_pages_are_current(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, root / "scripts" / "write_reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("target_name", ["setup", "demo", "test", "check", "bench", "hil", "soak", "lock", "clean"])
def test_make_help_lists(root: Path, target_name: str) -> None:
    done = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True)
    assert re.search(rf"^  {target_name} ", done.stdout, re.MULTILINE), done.stdout
