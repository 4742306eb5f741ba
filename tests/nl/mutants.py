"""Read many damaged copies of an .nl file; run as a program, so that a crash of the process would be seen.

python mutants.py SEED COUNT: prints how many were accepted and how many refused; anything else is a traceback.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from pathlib import Path

import numpy as np

from solverkit.formats.files import Refused
from solverkit.formats.nl.model import read_model
from solverkit.formats.nl.problem import problem_of

SLOWEST = 1.0  # seconds for a file of 90 lines
LETTERS = b"0123456789ovnCJGObrkxdSVFL\n .-+e#"


def main(seed: int, count: int, content: bytes) -> None:
    """Damage, read, and compute with what is accepted."""
    limit = 4 << 30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    rng = random.Random(seed)
    accepted = refused = 0
    for _ in range(count):
        mutant = damaged(content, rng)
        began = time.process_time()
        try:
            problem = problem_of(read_model(mutant), "mutant")
        except Refused as error:
            refused += error.line >= 1 and bool(error.message)  # without a place it is not counted
        else:
            accepted += 1
            if accepted % 10 == 1:
                x = np.full(problem.n, 0.5)
                problem.value(x), problem.constraints(x), problem.jacobian(x), problem.gradient(x)
        assert time.process_time() - began < SLOWEST, mutant
    print(accepted, refused)


def damaged(content: bytes, rng: random.Random) -> bytes:
    """One to three bytes changed, a line lost, doubled or swapped, or a number made extreme."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        match rng.randrange(5):
            case 0:
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            case 1:
                changed[rng.randrange(len(changed))] = rng.choice(LETTERS)
            case 2:
                lines = changed.split(b"\n")
                lines.insert(rng.randrange(len(lines)), lines.pop(rng.randrange(len(lines))))
                changed = bytearray(b"\n".join(lines))
            case 3:
                lines = changed.split(b"\n")
                del lines[rng.randrange(len(lines))]
                changed = bytearray(b"\n".join(lines))
            case _:
                words = [b"2000000000", b"-4", b"1e999", b"nan", b"99999999999999999999", b"o54\n1000000", b""]
                lines = changed.split(b"\n")
                lines[rng.randrange(len(lines))] = rng.choice(words)
                changed = bytearray(b"\n".join(lines))
    return bytes(changed) or b"\n"


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).read_bytes())
