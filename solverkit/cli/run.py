"""One call of the command line: arguments in, exit code out, and no traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import click

from solverkit.cli.app import app
from solverkit.engine import interrupt
from solverkit.errors import SolverKitError
from solverkit.text import clean

INTERRUPTED = 130
PIPE_CLOSED = 141  # as the shell reports a program that SIGPIPE ended
COMPLETE = "_SOLVERKIT_COMPLETE"
"""Environment variable by which the shell asks for completions, see `solverkit.cli.shells`."""


def run(arguments: Sequence[str]) -> int:
    """Run a command. The codes are those of `solverkit --help`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a letter gets its number
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's last flush complains
        return PIPE_CLOSED


def _run(arguments: Sequence[str]) -> int:
    try:
        if COMPLETE in os.environ:
            from solverkit.cli import shells

            return shells.answer(os.environ[COMPLETE], app, COMPLETE)
        # not app.main: a closed pipe would leave it with the code of an internal error
        with app.make_context("solverkit", list(arguments)) as context:
            code = app.invoke(context)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        where = getattr(error, "ctx", None)
        path = where.command_path if where else "solverkit"
        return _fail(f"{error.format_message()}\nTry '{path} --help'.", error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        raise
    except Exception as error:
        if interrupt.lost():
            return _fail("interrupted", INTERRUPTED)
        if isinstance(error, SolverKitError):
            return _fail(str(error), error.exit_code)
        if os.environ.get("SOLVERKIT_DEBUG", "") not in ("", "0"):
            raise
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _fail(f"{clean(error)}: make room on the disk, and give the command again", 1)
        cause = f"{type(error).__name__}: {error}"
        return _fail(
            f"internal error: {clean(cause)}\n"
            "This is a fault of SolverKit or of a plugin, not of your input. Please report it, with the command and "
            "what it prints when SOLVERKIT_DEBUG=1 is set.",
            1,
        )


def _fail(message: str, code: int) -> int:
    """Say what is wrong, line by line and clean."""
    lines = [clean(line, 2000) for line in message.splitlines()] or [""]
    print("solverkit: " + "\n".join(lines), file=sys.stderr, flush=True)
    return code
