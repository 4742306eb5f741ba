"""The command line: `solverkit COMMAND`. One command a file, imported when it is called."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, and leave with its exit code."""
    try:
        from solverkit.engine.interrupt import forget, remember

        remember()
        from solverkit.cli.run import run
    except KeyboardInterrupt:  # imports take a good part of a second
        print("solverkit: interrupted", file=sys.stderr)
        sys.exit(130)
    code = run(sys.argv[1:])
    forget()
    sys.exit(code)
