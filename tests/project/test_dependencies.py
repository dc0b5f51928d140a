"""Every dependency has one home, and nothing is imported that pyproject.toml does not name."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

# Distribution: (the modules it gives, the packages of modembank that may import them).
HOMES: dict[str, tuple[set[str], set[str]]] = {
    "aiortc": ({"aiortc"}, {"webrtc"}),
    "aioice": ({"aioice"}, {"webrtc"}),
    "av": ({"av"}, {"webrtc", "media"}),
    "pylibsrtp": ({"pylibsrtp"}, {"webrtc"}),
    "audioop-lts": ({"audioop"}, {"media"}),
    "serialx": ({"serialx"}, {"tty"}),
    "pyserial-asyncio": ({"serial_asyncio", "serial"}, {"tty"}),
    "sqlalchemy": ({"sqlalchemy"}, {"store"}),
    "alembic": ({"alembic"}, {"store"}),
    "aiosqlite": (set(), set()),  # named in a database URL, never imported
    "asyncpg": (set(), set()),
    "fastapi": ({"fastapi", "starlette"}, {"api"}),
    "uvicorn": ({"uvicorn"}, {"api"}),
    "websockets": (set(), set()),  # uvicorn's WebSocket protocol
    "httpx2": ({"httpx2"}, {"cli"}),
    "pydantic": ({"pydantic", "pydantic_core"}, {"api", "bus", "config", "cli", "selftest"}),
    "pydantic-settings": ({"pydantic_settings"}, {"config"}),
    "typer": ({"typer"}, {"cli"}),
    "rich": ({"rich"}, {"cli"}),
    "phonenumberslite": ({"phonenumbers"}, {"bank", "config"}),
    "python-ulid": ({"ulid"}, {"ids"}),
    "numpy": ({"numpy"}, {"selftest"}),
    "pesq": ({"pesq"}, {"selftest"}),  # optional: the extra "speech"
    "cryptography": ({"cryptography"}, {"bank"}),
}


def declared(root: Path) -> set[str]:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0] for line in lines}


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def users(root: Path) -> dict[str, set[str]]:
    """Return who imports what: module → packages of modembank."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in (root / "modembank").rglob("*.py"):
        if "node_modules" in path.parts:
            continue
        package = path.relative_to(root / "modembank").parts[0].removesuffix(".py")
        for name in imports(path):
            found[name].add(package)
    return found


def test_every_dependency_has_a_row(root: Path) -> None:
    assert declared(root) == set(HOMES)


def test_every_import_is_at_home(root: Path) -> None:
    home_of = {module: homes for modules, homes in HOMES.values() for module in modules}
    strangers = [
        f"{module} is imported by {', '.join(sorted(packages - home_of.get(module, set())))}"
        for module, packages in users(root).items()
        if module not in sys.stdlib_module_names and module != "modembank" and packages - home_of.get(module, set())
    ]
    assert not strangers, "\n".join(strangers)


def test_every_dependency_is_used(root: Path) -> None:
    used = users(root)
    idle = [name for name, (modules, _) in HOMES.items() if modules and not modules & set(used)]
    assert not idle, f"declared, but nobody imports: {', '.join(idle)}"
