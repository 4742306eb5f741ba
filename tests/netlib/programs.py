"""The programs of a file that `tests.netlib.collect` wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from solverkit.kinds.inclusion import Inclusion, linear_program

FILE = Path(__file__).with_name("programs.npz")
MAX_NONZEROS = 7500
INFEASIBLE = np.nan
FIELDS = ("c", "data", "indices", "indptr", "row_lower", "row_upper", "lower", "upper", "value")


@dataclass(frozen=True)
class Program:
    """min c'x  s.t.  row_lower <= A x <= row_upper, lower <= x <= upper."""

    name: str
    c: np.ndarray
    A: csr_array
    row_lower: np.ndarray
    row_upper: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    value: float
    """As Netlib's list has it, which is wrong in the third digit for some; INFEASIBLE where there is none."""

    @property
    def infeasible(self) -> bool:
        return bool(np.isnan(self.value))

    def problem(self) -> Inclusion:
        """The program as SolverKit takes it."""
        sides = (self.row_lower, self.row_upper, self.lower, self.upper)
        return linear_program(self.c, self.A, *sides, name=self.name)

    def broken(self, x: np.ndarray) -> float:
        """How far x is from the rows and bounds, beside 1 + ||b||: the norms that LP codes stop by, written anew."""
        activity = self.A @ x
        parts = [self.row_lower - activity, activity - self.row_upper, self.lower - x, x - self.upper]
        short = np.concatenate([np.maximum(part, 0.0) for part in parts])
        sides = np.where(np.isfinite(self.row_upper), self.row_upper, self.row_lower)
        return float(np.linalg.norm(short) / (1 + np.linalg.norm(sides)))


def programs(file: Path = FILE) -> dict[str, Program]:
    """By name, the smallest first."""
    with np.load(file, allow_pickle=False) as stored:
        names = sorted({key.split(".")[0] for key in stored.files}, key=lambda name: len(stored[f"{name}.data"]))
        return {name: _program(name, {field: stored[f"{name}.{field}"] for field in FIELDS}) for name in names}


def _program(name: str, fields: dict[str, np.ndarray]) -> Program:
    c, sides = fields["c"], [fields[side] for side in ("row_lower", "row_upper", "lower", "upper")]
    shape = (len(fields["indptr"]) - 1, len(c))
    A = csr_array((fields["data"], fields["indices"], fields["indptr"]), shape=shape)
    return Program(name, c, A, *sides, value=float(fields["value"]))
