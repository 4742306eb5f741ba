"""One expression at many points, on CasADi: microseconds a sample, and little more for the call itself.

The same graph is mapped over the rows of a matrix. CasADi makes a map for each number of rows and fills preset buffers;
the latest few maps are kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from solverkit.expressions.program import Program

KEPT = 32  # maps of different numbers of rows
LARGEST = 20_000  # multiplications in dense products of one sample up to which CasADi is the faster one


def suits(program: Program) -> bool:
    """Whether CasADi is installed and the better one for this expression."""
    from solverkit.expressions.compile import dense_work

    return find_spec("casadi") is not None and dense_work(program) <= LARGEST


class Mapped:
    """r(z) at every row of Z, or its gradient with respect to the first `width` entries where r is one number."""

    def __init__(self, program: Program, width: int | None = None) -> None:
        from solverkit.expressions.casadi_kernels import casadi_module
        from solverkit.expressions.casadi_target import expression, symbol_kind

        ca = casadi_module()
        kind = symbol_kind(ca, program)
        z = kind.sym("z", program.inputs)
        r = expression(ca, kind, program, z)
        if width is not None:
            r = ca.densify(ca.gradient(r, z)[:width])
        self.inputs, self.outputs = program.inputs, int(r.shape[0])
        self._function = ca.Function("sample", [z], [r])
        self._maps: OrderedDict[int, tuple[Any, Any, np.ndarray, np.ndarray]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, Z: np.ndarray) -> np.ndarray:
        """(b, outputs) of Z, (b, inputs)."""
        with self._lock:
            evaluate, given, made = self._map(len(Z))
            given[:] = Z
            evaluate()
            return made.copy()

    def _map(self, rows: int) -> tuple[Any, np.ndarray, np.ndarray]:
        if rows not in self._maps:
            buffer, evaluate = self._function.map(rows).buffer()
            given, made = np.zeros((rows, self.inputs)), np.zeros((rows, self.outputs))
            buffer.set_arg(0, given.data)
            buffer.set_res(0, made.data)
            self._maps[rows] = (buffer, evaluate, given, made)
            if len(self._maps) > KEPT:
                self._maps.popitem(last=False)
        self._maps.move_to_end(rows)
        return self._maps[rows][1:]
