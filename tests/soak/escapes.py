"""Ten thousand expressions that try to leave the expression language: none runs anything, none ends in a traceback.

Attacks on sandboxes of Python, NumExpr and SymPy, put together at random from their parts, as the objective of a
problem file; read under the audit hook and the limits of `tests/fuzz`.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.tries import READ, REFUSED, File, tried
from tests.soak import Tally, yaml_files

CASES = 10_000
ATOMS = (
    "x", "x[0]", "1", "1e5", "pi", "().__class__", "x.__class__", "''.__class__", "[].__class__.__base__", "(1).real",
    "__import__('os')", "open('/etc/passwd')", "globals()", "locals()", "vars()", "dir()", "getattr(x, 'T')",
    "eval('1')", "exec('1')", "compile('1', '', 'eval')", "lambda: 1", "[y for y in x]", "{**x}", "f'{x}'", "b'1'",
    "x if x else 1", "x := 1", "yield x", "await x", "...", "None", "True", "x @ x", "x and x", "x or x", "not x",
    "x is x", "x in x", "~x", "x << 2", "x // 2", "x % 2", "x; x", "x, x", "*x", "**x", "@x", "#x", "\\x41", "$x",
    "import os", "os.system('true')", "np.load('x')", "numpy", "math.exp(1)", "torch.load('x')", "casadi.external('a')",
    "breakpoint()", "input()", "print(x)", "type(x)", "str(x)", "chr(65)", "super()", "object()", "__builtins__",
)  # fmt: skip
JOINTS = ("+", "-", "*", "/", "**", ",", ".", "(", ")", "[", "]", " ", "\n", "==", "<=", "=", ":", "'", '"', "__")
WRAPS = (
    "sum({})",
    "exp({})",
    "({})",
    "[{}]",
    "x[{}]",
    "-{}",
    "{}()",
    "norm({})",
    "{}.T",
    "sum({}, x)",
    "({})**({})",
    "{}",
)


def run(cases: int, seed: int) -> Tally:
    """So many expressions."""
    tally, read = Tally(), 0
    with tempfile.TemporaryDirectory(prefix="solverkit-escapes-") as name:
        for case, outcome in tried(_files(cases, seed, Path(name)), yaml_files.read, yaml_files.warm):
            read += outcome == READ
            tally.count("" if outcome in (READ, REFUSED) else f"{case}: {outcome}")
    tally.facts = {READ: read}
    return tally


def _files(count: int, seed: int, folder: Path) -> Iterator[File]:
    for index in range(count):
        rng = random.Random(f"{seed} {index}")
        text = rng.choice(ATOMS)
        for _ in range(rng.randint(0, 4)):
            part = rng.choice(ATOMS)
            text = rng.choice((f"{text}{rng.choice(JOINTS)}{part}", rng.choice(WRAPS).format(text, part)))
        content = {"solverkit": 1, "kind": "nonlinear", "name": "escape", "minimize": text}
        content["variables"] = {"x": {"shape": 2, "start": 1}}
        yield repr(text), folder / "problem.yaml", json.dumps(content).encode()
