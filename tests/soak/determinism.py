"""R15: a seed is a run: in another process, with another hash seed, with plugins in another order, stopped and resumed.

Every method on a small problem; a case is one method with one seed. What is compared is the digest of the trace's
scalars and of the point, bit for bit, on the CPU with one thread. Runs of eight steps. With two threads last bits may
be others: there the verdict of the certificate on a longer run is compared, with the first seed alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.methods.subjects import chosen
from tests.soak import Tally

CASES = 38 * 20
ROOT = Path(__file__).parents[2]
WAYS = {
    "as it is": ("1", "forward"),
    "another hash seed": ("2", "forward"),
    "plugins in another order": ("1", "backward"),
    "stopped and resumed": ("3", "forward", "--halted"),
}


def run(cases: int, seed: int, methods: tuple[str, ...] = ()) -> Tally:
    """So many pairs of a method and a seed, as whole seeds."""
    tally = Tally()
    seeds = [str(seed + k) for k in range(max(cases // len(methods or chosen()), 1))]
    found = {way: _digests(how, seeds, methods) for way, how in WAYS.items()}
    first = found.pop("as it is")
    for case, digest in first.items():
        others = [way for way, digests in found.items() if digests[case] != digest]
        tally.count(f"{case}: differs with {', '.join(others)}" if others else "")
    if not methods:
        _verdicts(tally, seeds[0], methods)
    return tally


def _verdicts(tally: Tally, seed: str, methods: tuple[str, ...]) -> None:
    how = ("1", "forward", "--verdicts")
    one, two = (_digests(how, [seed], methods, threads) for threads in (1, 2))
    for case, verdict in one.items():
        tally.count("" if two[case] == verdict else f"{case}: {verdict} with one thread, {two[case]} with two")
    tally.facts["certified"] = list(one.values()).count("CERTIFIED")


def _digests(how: tuple[str, ...], seeds: list[str], methods: tuple[str, ...], threads: int = 1) -> dict[str, str]:
    hashed, order, *flags = how
    named = ["--methods", *methods] if methods else []
    environment = os.environ | {
        "PYTHONHASHSEED": hashed,
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), str(threads)),
    }
    command = [sys.executable, "-m", "tests.soak._traces", order, *seeds, *flags, *named]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout[done.stdout.index("{") :])
