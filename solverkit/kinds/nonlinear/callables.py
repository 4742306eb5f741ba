"""Functions written for SciPy, as a `Function`: values, derivatives given or by differences, one evaluation a point.

    r : R^n -> R^m,  fun(x);    jac(x): (m, n), or (n,) for m = 1;    hess(x, w): sum_i w_i Hess r_i;    hessp(x, w, d)

A missing derivative is one of differences:

| what | how | error, relative |
|---|---|---|
| J | SciPy's own differences: "2-point", "3-point", "cs" | 1e-8, 1e-11, 1e-16 |
| H(x, w) | central differences of J'w, each column or product two of them | 1e-10 with an exact J, else 1e-5 |

All steps stay within the bounds where x does: a function need not be defined outside. Where one raises there all the
same, because a method or a probe of the certificate went there, its value is NaN; within the bounds the error is the
user's.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize._numdiff import approx_derivative  # private in name only: same signature for many releases
from scipy.sparse import csr_array, issparse
from scipy.sparse.linalg import LinearOperator

from solverkit.errors import UsageError
from solverkit.expressions.torch_callable import callable_digest

POINTS = ("2-point", "3-point", "cs")
PRODUCTS = 500  # n above which a Hessian by differences is offered as products only
EPS = float(np.finfo(float).eps)
STEP = {"2-point": EPS ** (1 / 6), "3-point": EPS ** (2 / 9), "cs": EPS ** (1 / 3), "": EPS ** (1 / 3)}
"""Of the differences of J'w, by how J is known: the cube root of its error."""


class Last:
    """A function that remembers its latest argument, so that a point is evaluated once."""

    def __init__(self, function: Callable[[np.ndarray], Any]) -> None:
        self._function = function
        self._latest: tuple[np.ndarray, Any] | None = None  # set at once: threads may share it

    def __call__(self, x: np.ndarray) -> Any:
        latest = self._latest
        if latest is None or not np.array_equal(latest[0], x):
            latest = self._latest = np.array(x), self._function(x)
        return latest[1]


class Pattern:
    """One sparsity pattern for all matrices of a function: the union of what was seen, stored zeros included."""

    def __init__(self) -> None:
        self._keys = np.zeros(0, dtype=np.int64)

    def fit(self, matrix: Any) -> csr_array:
        """The same matrix on the common pattern."""
        coo = csr_array(matrix).tocoo()
        columns, known = coo.shape[1], self._keys
        keys = coo.row.astype(np.int64) * columns + coo.col
        if len(keys) != len(known) or not np.array_equal(keys, known):
            known = self._keys = np.union1d(known, keys)
        data = np.zeros(len(known))
        np.add.at(data, np.searchsorted(known, keys), coo.data)
        row, column = np.divmod(known, columns)
        return csr_array((data, (row, column)), shape=coo.shape)


class HostFunction:
    """A user's Python function; see the module.

    fun : x (n,) -> (m,) or a number
    jac : a callable, or one of POINTS
    hess : a callable (x, w) -> matrix or LinearOperator, or None for differences
    hessp : a callable (x, w, d) -> (n,), or None
    label : how errors and notes call the function
    sparsity : (m, n) pattern that lets differences of sparse rows share evaluations
    """

    device = "cpu"
    dtype = "float64"

    def __init__(
        self,
        fun: Callable[[np.ndarray], Any],
        x0: np.ndarray,
        outputs: int,
        label: str,
        jac: Any = "2-point",
        hess: Any = None,
        hessp: Any = None,
        bounds: tuple[np.ndarray, np.ndarray] = (np.array(-np.inf), np.array(np.inf)),
        rel_step: Any = None,
        sparsity: Any = None,
        identity: tuple[Any, ...] = (),
    ) -> None:
        self.inputs, self.outputs, self.label = len(x0), outputs, label
        self.degree: int | None = None
        self.by_differences = jac if isinstance(jac, str) else ""
        self.second_by_differences = hess is None and hessp is None
        self._fun, self._jac, self._hess, self._hessp = fun, jac, hess, hessp
        self._bounds, self._rel_step, self._sparsity = bounds, rel_step, sparsity
        self._identity = (*identity, jac, hess, hessp)
        self._jacobian_pattern, self._hessian_pattern = Pattern(), Pattern()
        self._values, self._jacobians = Last(self._new_value), Last(self._new_jacobian)
        self._hessians = Last(self._new_hessian)
        self._operator = hess is not None and isinstance(hess(x0.copy(), np.ones(outputs)), LinearOperator)
        self.products_only = self._operator or (hess is None and (hessp is not None or self.inputs > PRODUCTS))

    # -- the protocol

    def value(self, z: np.ndarray) -> np.ndarray:
        """r(z), (m,)."""
        return self._values(z).copy()

    def gradient(self, z: np.ndarray) -> np.ndarray:
        """Of a single output, (n,)."""
        return self.vjp(z, np.ones(1))

    def jacobian(self, z: np.ndarray) -> Any:
        """(m, n): sparse where the user's is, always on one pattern; else dense."""
        return self._jacobians(z).copy()

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """J'w, (n,)."""
        return np.asarray(self._jacobians(z).T @ weights)

    def jvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """J d, (m,)."""
        return np.asarray(self._jacobians(z) @ direction)

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> Any:
        """H(z, w), (n, n): sparse where the user's is."""
        if self._hess is None or self._operator:
            columns = [self.hvp(z, weights, direction) for direction in np.eye(self.inputs)]
            dense = np.array(columns).reshape(self.inputs, self.inputs)
            return (dense + dense.T) / 2
        matrix = self._hessians(np.concatenate([z, weights]))
        return self._hessian_pattern.fit(matrix) if issparse(matrix) else matrix.copy()

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """H(z, w) d, (n,)."""
        if self._hessp is not None:
            product = self._hessp(z.copy(), weights.copy(), direction.copy())
            return _shaped(product, (self.inputs,), f"the Hessian product of {self.label}").copy()
        if self._hess is not None:
            return np.asarray(self._hessians(np.concatenate([z, weights])) @ direction).ravel()
        length = float(np.abs(direction).max(initial=0.0))
        if length == 0 or not np.isfinite(length):
            return np.zeros(self.inputs) * length
        step = STEP[self.by_differences] * (1 + float(np.abs(z).max(initial=0.0))) / length
        if self._inside(z) and not (self._inside(z + step * direction) and self._inside(z - step * direction)):
            return self._one_sided(z, weights, direction, step)
        ahead, behind = (self._new_jacobian(z + sign * step * direction).T @ weights for sign in (1, -1))
        return (ahead - behind) / (2 * step)

    def _one_sided(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray, step: float) -> np.ndarray:
        """H(z, w) d from within the bounds: the coordinates that can go along d, and the others backwards.

        (-3 g(z) + 4 g(z + t p) - g(z + 2 t p)) / (2 t) is H p up to t**2, as central differences are."""
        low, high = self._bounds
        moved = z + 2 * step * direction
        along = (low <= moved) & (moved <= high)
        here = self._jacobians(z).T @ weights
        total = np.zeros(self.inputs)
        for chosen, sign in ((along, 1.0), (~along, -1.0)):
            part = np.where(chosen, direction, 0.0)
            if part.any():
                near, far = (self._new_jacobian(z + k * sign * step * part).T @ weights for k in (1, 2))
                total += sign * (4 * near - 3 * here - far) / (2 * step)
        return total

    def _inside(self, x: np.ndarray) -> bool:
        low, high = self._bounds
        return bool(np.all((x >= low) & (x <= high)))

    def refined(self) -> HostFunction:
        """The same with "3-point" in place of "2-point" differences, for certificates; `self` where nothing changes."""
        if self.by_differences != "2-point":
            return self
        twin = copy.copy(self)
        twin._jac = twin.by_differences = "3-point"
        twin._jacobian_pattern = Pattern()
        twin._values, twin._jacobians = Last(twin._new_value), Last(twin._new_jacobian)
        return twin

    def to(self, device: str, dtype: str) -> HostFunction:
        """Python functions stay where they are."""
        if device.partition(":")[0] != "cpu" or dtype != "float64":
            raise UsageError(
                f"{self.label} is a Python function of NumPy arrays, on 'cpu' in 'float64'; for '{device}' in "
                f"'{dtype}' write it with torch (solverkit.kinds.nonlinear.nonlinear)"
            )
        return self

    def digest(self) -> str:
        """Hex sha256 of the sources of the user's functions and the numbers that they close over."""
        state = hashlib.sha256(f"{self.inputs} {self.outputs}".encode())
        for part in self._identity:
            if callable(part):
                state.update(callable_digest(part, {}).encode())
            elif isinstance(part, int | float | str | np.ndarray):
                array = np.asarray(part)
                state.update(repr((array.shape, array.dtype.str)).encode() + array.tobytes())
        return state.hexdigest()

    # -- evaluations

    def _raw(self, x: np.ndarray) -> np.ndarray:
        """What the user's function returns, of whatever dtype: complex steps go through it."""
        try:
            value = np.atleast_1d(np.asarray(self._fun(x.copy())))
        except Exception:  # the user's own code may raise anything
            if self._inside(x):
                raise
            return np.full(self.outputs, np.nan)
        if value.size != self.outputs:
            raise TypeError(f"{self.label} returned {value.size} numbers, not {self.outputs}")
        return value.ravel()

    def _new_value(self, x: np.ndarray) -> np.ndarray:
        value = self._raw(x)
        if value.dtype.kind not in "fiub":
            raise TypeError(f"{self.label} returned {value.dtype}, not real numbers")
        return value.astype(float)

    def _new_jacobian(self, x: np.ndarray) -> Any:
        if isinstance(self._jac, str):
            matrix = self._differences(x)
        else:
            try:
                matrix = self._jac(x.copy())
            except Exception:  # as in _raw
                if self._inside(x):
                    raise
                matrix = np.full((self.outputs, self.inputs), np.nan)
        if issparse(matrix):
            if matrix.shape != (self.outputs, self.inputs):
                shape = (self.outputs, self.inputs)
                raise TypeError(f"the Jacobian of {self.label} has shape {matrix.shape}, not {shape}")
            return self._jacobian_pattern.fit(matrix)
        return _shaped(matrix, (self.outputs, self.inputs), f"the Jacobian of {self.label}")

    def _new_hessian(self, both: np.ndarray) -> Any:
        """At z and weights, one after the other: dense, sparse or an operator, as the user's is."""
        matrix = self._hess(both[: self.inputs].copy(), both[self.inputs :].copy())
        shape = (self.inputs, self.inputs)
        if not issparse(matrix) and not isinstance(matrix, LinearOperator):
            return _shaped(matrix, shape, f"the Hessian of {self.label}")
        if matrix.shape != shape:
            raise TypeError(f"the Hessian of {self.label} has shape {matrix.shape}, not {shape}")
        return matrix

    def _differences(self, x: np.ndarray) -> Any:
        low, high = (np.broadcast_to(bound, x.shape) for bound in self._bounds)
        fixed = low == high  # no step fits between equal bounds
        low, high = np.where(fixed, -np.inf, low), np.where(fixed, np.inf, high)
        inside = bool(np.all((x >= low) & (x <= high)))
        return approx_derivative(
            self._raw,
            x,
            method=self._jac,
            rel_step=self._rel_step,
            f0=self._values(x),
            bounds=(low, high) if inside else (-np.inf, np.inf),
            sparsity=self._sparsity,
        )


def _shaped(value: Any, shape: tuple[int, ...], label: str) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{label} is {array.dtype}, not real numbers")
    if array.size != int(np.prod(shape)):
        raise TypeError(f"{label} has shape {array.shape}, not {shape}")
    return array.astype(float).reshape(shape)
