"""The `modembank` command."""

from __future__ import annotations

import sys

from modembank.errors import ModembankError

# The shell's convention for a program ended by Ctrl-C: 128 + SIGINT.
INTERRUPTED = 130


def main() -> None:
    """Run the command line: one sentence on stderr and a non-zero status when something is wrong."""
    from modembank.cli.app import app

    try:
        app()
    except ModembankError as error:
        print(f"modembank: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output (head, less) is gone; that is no fault. Nothing may be flushed at exit.
        sys.stderr.close()
        sys.exit(0)
