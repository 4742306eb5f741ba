"""Why a run stopped, what a point is, and the exit codes."""

from __future__ import annotations

import enum

from docs._build.markdown import code, docstring, escaped, page, table
from solverkit.cli.app import EPILOG
from solverkit.engine.status import PointStatus, Termination, exit_code


def pages() -> dict[str, str]:
    """`reference/status.md`."""
    text = page(
        "# Status of a result",
        "A result says two things: why the run stopped (`result.termination`) and what the point is "
        "(`result.point_status`). Only the second one is a verdict, and only the certificate gives it. "
        "`result.success` is true where it is `CERTIFIED`.",
        "## What the point is",
        "`solverkit.PointStatus`",
        _members(PointStatus),
        "## Why the run stopped",
        "`solverkit.Termination`",
        _members(Termination),
        "## Exit codes",
        "Of the command line, and of a run also `result.status`:",
        docstring(exit_code.__doc__),
        escaped(EPILOG.replace("\b", "")),
        "`result.raise_for_status()` raises `solverkit.NotCertified` where the answer is not certified.",
    )
    return {"reference/status.md": text}


def _members(members: type[enum.Enum]) -> str:
    return table(("member", "meaning"), [(code(member.name), escaped(member.value)) for member in members])
