"""CPU time and heavy imports of the commands that must be light."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

HEAVY = ("torch", "numpy", "scipy", "casadi", "cvxpy", "pyomo", "networkx")
PROBE = """
import sys
sys.argv = ["solverkit", *{arguments!r}]
from solverkit.cli import main
try:
    main()
except SystemExit:
    pass
print("LOADED", *sorted(name for name in {heavy!r} if name in sys.modules), file=sys.stderr)
"""


def cpu(arguments: list[str]) -> float:
    """User and system seconds of one process."""
    before = os.times()
    subprocess.run([sys.executable, "-m", "solverkit", *arguments], capture_output=True, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    for arguments in (["--help"], ["methods"], ["plugins"]):
        probe = PROBE.format(arguments=arguments, heavy=HEAVY)
        probed = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
        heavy = probed.stderr.split("LOADED")[-1].strip() or "none"
        milliseconds = 1000 * statistics.median(cpu(arguments) for _ in range(7))
        print(f"solverkit {arguments[0]:<8} {milliseconds:>5.0f} ms CPU (median of 7), heavy imports: {heavy}")
