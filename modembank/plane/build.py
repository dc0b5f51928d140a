"""Compiles the C sources into the shared library beside this file. Standard library only: `make setup` runs it early.

python -m modembank.plane.build
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).with_name("core")
LIBRARY = Path(__file__).with_name("core.so")

_FLAGS = (
    "-std=gnu11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-pthread",
    "-Wall", "-Wextra", "-Werror=implicit-function-declaration",
)  # fmt: skip


def compiler() -> str | None:
    """Return the C compiler: `$CC`, else the first of cc, gcc and clang on PATH, None without any."""
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        found = shutil.which(name) if name else None
        if found:
            return found
    return None


def build(library: Path = LIBRARY) -> bool:
    """Compile; return False when this machine has no C compiler.

    Raises:
        RuntimeError: the compiler refuses; its words are in the message.
    """
    command = compiler()
    if command is None:
        library.unlink(missing_ok=True)  # better the Python path than a library of older sources
        return False
    fresh = library.with_suffix(f".{os.getpid()}.so")
    sources = sorted(str(path) for path in SOURCES.glob("*.c"))
    done = subprocess.run([command, *_FLAGS, "-o", str(fresh), *sources, "-lm"], capture_output=True, text=True)
    if done.returncode:
        fresh.unlink(missing_ok=True)
        raise RuntimeError(f"{command} could not build the audio plane:\n{done.stderr}")
    fresh.replace(library)  # a running process keeps the one that it has open
    return True


def main() -> int:
    """Build and say what became of it."""
    try:
        built = build()
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not built:
        sys.stdout.write("no C compiler here: calls take the Python audio path (apt-get install gcc libc6-dev)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
