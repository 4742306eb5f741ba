"""The command line: `solverkit COMMAND`. One command a file, imported when it is called."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, and leave with its exit code."""
    from solverkit.cli.run import run

    sys.exit(run(sys.argv[1:]))
