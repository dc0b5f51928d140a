"""Install what the tests need beside Python: browser, voice, AT clients, database server, C compiler, ALSA.

`make test` calls this. Where it may not install, it says the exact command and fails. Standard library only.
"""

import ctypes
import os
import shutil
import sys
from pathlib import Path

from setup import SetupError, as_root, run, say

# Debian package: the programs of which one must be there.
WANTED: dict[str, tuple[str, ...]] = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "espeak-ng": ("espeak-ng",),
    "gammu": ("gammu",),
    "gammu-smsd": ("gammu-smsd",),
    "smstools": ("smsd",),
    "postgresql": ("initdb",),
    "gcc": ("cc", "gcc", "clang"),
}

# Debian package: the library of it that must be there.
LIBRARIES = {"libasound2": "libasound.so.2"}


def is_there(programs: tuple[str, ...]) -> bool:
    """Tell whether one of the programs is on PATH, or among PostgreSQL's, which Debian keeps off PATH."""
    folders = [os.environ.get("PATH", os.defpath), *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
    return any(shutil.which(program, path=os.pathsep.join(folders)) for program in programs)


def missing() -> list[str]:
    """Return the Debian packages whose programs or libraries are not there."""
    lacking = [package for package, programs in WANTED.items() if not is_there(programs)]
    if not Path("/usr/include/stdio.h").exists():
        lacking.append("libc6-dev")
    return lacking + [package for package, library in LIBRARIES.items() if not loads(library)]


def loads(library: str) -> bool:
    """Tell whether a shared library can be used."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def install(packages: list[str]) -> None:
    """Install Debian packages.

    Raises:
        SetupError: we may not, or it did not work; the message has the command.
    """
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    prefix = as_root()
    if prefix is None or not shutil.which("apt-get"):
        raise SetupError(f"the tests need {', '.join(packages)}; run: sudo {' '.join(command)}")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    run([*prefix, "apt-get", "update"], env=env)
    run([*prefix, *command], env=env)


def main() -> int:
    """Install what is missing; 0 when all is there."""
    packages = missing()
    if not packages:
        return 0
    say(f"[+] System packages for the tests: {' '.join(packages)}")
    try:
        install(packages)
        left = missing()
        if left:
            raise SetupError(f"still missing after the installation: {', '.join(left)}")
    except SetupError as error:
        print(f"test: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
