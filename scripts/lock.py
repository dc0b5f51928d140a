"""Resolve pyproject.toml into requirements.lock: `make lock` calls this and hands its arguments to uv."""

import subprocess
import sys

from setup import ROOT, SetupError, find_uv


def main() -> int:
    """Write the lock for every supported Python and platform, with hashes; uv's own exit status."""
    options = [
        "--quiet",
        "--group",
        "dev",
        "--universal",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
    ]
    try:
        uv = find_uv().uv
    except SetupError as error:
        print(f"lock: {error}", file=sys.stderr)
        return 1
    command = [uv, "pip", "compile", "pyproject.toml", *options, "-o", "requirements.lock", *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
