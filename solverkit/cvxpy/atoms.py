"""Smooth atoms of CVXPY in the expression language: each the tree of a vector, elements rows first.

| atom | expression of u, elementwise | |
|---|---|---|
| exp, log, log1p, logistic, xexp | exp(u), log(u), log1p(u), logistic(u), u exp(u) | |
| power, sqrt, inv_pos, square | u**p | |
| entr, kl_div, rel_entr | -u log u, u log(u / v) - u + v, u log(u / v) | |
| huber | 2 huber(u, M) | our huber is half of theirs |
| quad_over_lin, sum_squares | sum(u**2) / v | along an axis too |
| quad_form | dot(u, P u) | |
| log_sum_exp | logsumexp(u) | along an axis too |
| geo_mean, pnorm of p < 1, harmonic_mean | exp(sum(w log u)), sum(u**p)**(1/p) | |
| affine atoms of any of these | M u + b | |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from cvxpy.atoms.atom import Atom
from scipy.sparse import csr_array, issparse
from scipy.special import xlogy

from solverkit.cvxpy.affine import coefficients, of_arguments
from solverkit.errors import UsageError
from solverkit.expressions.tree import Call, Chain, Name, Negative, Number, Power, Tree

REMEDY = "CVXPY's own conic solvers take it: problem.solve(solver='CLARABEL') or 'SCS'"

SEMIDEFINITE = frozenset({
    "lambda_max", "lambda_sum_largest", "log_det", "MatrixFrac", "normNuc", "sigma_max", "TrInv", "tr_inv",
    "von_neumann_entr", "quantum_rel_entr", "condition_number",
})  # fmt: skip


def call(name: str, *arguments: Tree) -> Tree:
    """A function of the language."""
    return Call(name, arguments)


def times(left: Tree, right: Tree) -> Tree:
    """left * right."""
    return Chain(left, (("*", right),))


def plus(parts: list[Tree]) -> Tree:
    """Their sum."""
    return parts[0] if len(parts) == 1 else Chain(parts[0], tuple(("+", part) for part in parts[1:]))


def one(scalar: Tree) -> Tree:
    """A number as a vector of length 1."""
    return call("reshape", scalar, Number(1.0))


def block_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Of the block of a variable: blocks have at most two lengths."""
    return shape if len(shape) <= 2 else (int(np.prod(shape, dtype=int)),)


class Atoms:
    """Writes expressions as trees over the blocks `names` (variable id -> (name, its shape)); gathers their data."""

    def __init__(self, names: Mapping[int, tuple[str, tuple[int, ...]]]) -> None:
        self.names = names
        self.data: dict[str, Any] = {}

    def constant(self, value: Any) -> Tree:
        """The name of data: a vector or a matrix, dense where a third of it is not zero."""
        if issparse(value) and value.nnz * 3 > value.shape[0] * value.shape[1]:
            value = value.toarray()
        name = f"#{len(self.data)}"  # no name of a block begins so
        self.data[name] = value
        return Name(name)

    def vector(self, e: Any) -> Tree:
        """e as a vector of e.size elements. UsageError names an atom that is not in the table."""
        if e.is_constant():
            return self.constant(_flat(e))
        if e.is_affine():
            return self._affine(e)
        kind = type(e).__name__
        if isinstance(e, Atom) and e.is_atom_convex() and e.is_atom_concave():
            return self._combined(e)
        for name in (kind, *(base.__name__ for base in type(e).__mro__)):
            if name in _ATOMS:
                return _ATOMS[name](self, e)
        raise _unknown(e, kind)

    def product(self, matrix: Any, part: Tree) -> Tree:
        """matrix @ part; part itself for the identity, a sum for a row of ones."""
        rows, columns = matrix.shape
        if matrix.nnz == columns and rows == 1 and np.all(matrix.data == 1):
            return one(call("sum", part))
        if matrix.nnz == rows == columns and np.array_equal(matrix.indices, np.arange(rows)):
            if np.all(matrix.data == 1):
                return part
            return times(self.constant(matrix.data.copy()), part)
        return Chain(self.constant(matrix), (("@", part),))

    def _affine(self, e: Any) -> Tree:
        matrices, shift = coefficients(e)
        parts = [self.product(matrix, self._block(key)) for key, matrix in matrices.items() if matrix.nnz]
        return self._sum(parts, shift)

    def _combined(self, e: Any) -> Tree:
        """An affine atom of arguments that are not."""
        matrices, shift = of_arguments(e)
        pairs = zip(matrices, e.args, strict=True)
        parts = [self.product(m, self.vector(arg)) for m, arg in pairs if m is not None and m.nnz]
        return self._sum(parts, shift)

    def _sum(self, parts: list[Tree], shift: np.ndarray) -> Tree:
        if not parts or np.any(shift):
            parts = [*parts, self.constant(shift)]
        return plus(parts)

    def _block(self, key: int) -> Tree:
        name, shape = self.names[key]
        size = float(np.prod(shape, dtype=int))
        return Name(name) if len(block_shape(shape)) == 1 else call("reshape", Name(name), Number(size))


def _flat(e: Any) -> np.ndarray:
    value = e.value.toarray() if issparse(e.value) else np.asarray(e.value, dtype=float)
    return np.broadcast_to(value, e.shape).ravel(order="C")


def _unknown(e: Any, kind: str) -> UsageError:
    text = " ".join(str(e).split())[:60]
    if kind in SEMIDEFINITE:
        return UsageError(f"the atom {kind} needs a cone of semidefinite matrices ({text}): {REMEDY}")
    return UsageError(f"the atom {kind} is neither smooth nor piecewise linear here ({text}): {REMEDY}")


def _called(name: str) -> Callable[[Atoms, Any], Tree]:
    return lambda atoms, e: call(name, atoms.vector(e.args[0]))


def _xexp(atoms: Atoms, e: Any) -> Tree:
    u = atoms.vector(e.args[0])
    return times(u, call("exp", u))


def _power(atoms: Atoms, e: Any) -> Tree:
    return Power(atoms.vector(e.args[0]), Number(_number(e.p)))


def _entr(atoms: Atoms, e: Any) -> Tree:
    u = atoms.vector(e.args[0])
    return Negative(times(u, call("log", u)))


def _relative(atoms: Atoms, e: Any) -> Tree:
    """u log u - u log v; constants that are 0 give 0."""
    p, q = e.args
    if p.is_constant():
        fixed = np.broadcast_to(_flat(p), (e.size,))
        first = atoms.constant(xlogy(fixed, fixed))
    else:
        u = _stretched(atoms, p, e.size)
        first = times(u, call("log", u))
    second = times(_stretched(atoms, p, e.size), call("log", _stretched(atoms, q, e.size)))
    return Chain(first, (("-", second),))


def _kl(atoms: Atoms, e: Any) -> Tree:
    p, q = (_stretched(atoms, arg, e.size) for arg in e.args)
    return Chain(_relative(atoms, e), (("-", p), ("+", q)))


def _stretched(atoms: Atoms, arg: Any, size: int) -> Tree:
    part = atoms.vector(arg)
    return part if arg.size == size else times(atoms.constant(np.ones(size)), call("sum", part))


def _huber(atoms: Atoms, e: Any) -> Tree:
    return times(Number(2.0), call("huber", atoms.vector(e.args[0]), Number(_number(e.M))))


def _quad_over_lin(atoms: Atoms, e: Any) -> Tree:
    x, y = e.args
    u = atoms.vector(x)
    if _axis(e) is None:
        total = one(call("normsq", u))
    else:
        total = Chain(atoms.constant(_groups(e)), (("@", Power(u, Number(2.0))),))
    if y.is_constant():
        return total if _number(y) == 1 else times(Number(1 / _number(y)), total)
    return Chain(total, (("/", atoms.vector(y)),))


def _quad_form(atoms: Atoms, e: Any) -> Tree:
    x, P = e.args
    if not P.is_constant():
        raise _unknown(e, "quad_form with a variable matrix")
    matrix = csr_array(P.value)
    u = atoms.vector(x)
    return one(call("dot", u, atoms.product(matrix, u)))


def _log_sum_exp(atoms: Atoms, e: Any) -> Tree:
    u = atoms.vector(e.args[0])
    if _axis(e) is None:
        return one(call("logsumexp", u))
    groups = _groups(e)
    parts = []
    for row in range(groups.shape[0]):
        members = groups.indices[groups.indptr[row] : groups.indptr[row + 1]]
        pick = csr_array((np.ones(len(members)), (np.arange(len(members)), members)), (len(members), groups.shape[1]))
        parts.append(call("logsumexp", Chain(atoms.constant(pick), (("@", u),))))
    return call("concat", *parts)


def _geo_mean(atoms: Atoms, e: Any) -> Tree:
    weights = np.array([float(weight) for weight in e.w])
    u = atoms.vector(e.args[0])
    kept = np.flatnonzero(weights)
    if len(kept) < len(weights):
        pick = csr_array((np.ones(len(kept)), (np.arange(len(kept)), kept)), (len(kept), len(weights)))
        u = atoms.product(pick, u)
    return one(call("exp", call("dot", atoms.constant(weights[kept]), call("log", u))))


def _pnorm(atoms: Atoms, e: Any) -> Tree:
    p = float(e.p)
    if p >= 1 or _axis(e) is not None:
        raise _unknown(e, f"pnorm with p = {p:g}")
    powers = call("sum", Power(atoms.vector(e.args[0]), Number(p)))
    return one(Power(powers, Number(1 / p)))


def _axis(e: Any) -> Any:
    return getattr(e, "axis", None)


def _groups(e: Any) -> csr_array:
    """(e.size, size of the argument): which elements, rows first, each element of e is made of."""
    shape = e.args[0].shape
    index = np.arange(int(np.prod(shape, dtype=int))).reshape(shape)
    axes = e.axis if isinstance(e.axis, tuple) else (e.axis,)
    kept = [k for k in range(len(shape)) if k not in {axis % len(shape) for axis in axes}]
    moved = np.transpose(index, [*kept, *(k for k in range(len(shape)) if k not in kept)]).reshape(e.size, -1)
    rows = np.repeat(np.arange(e.size), moved.shape[1])
    return csr_array((np.ones(index.size), (rows, moved.ravel())), shape=(e.size, index.size))


def _number(value: Any) -> float:
    return float(value.value) if hasattr(value, "value") else float(value)


_ATOMS: dict[str, Callable[[Atoms, Any], Tree]] = {
    "exp": _called("exp"),
    "log1p": _called("log1p"),
    "log": _called("log"),
    "logistic": _called("logistic"),
    "xexp": _xexp,
    "Power": _power,
    "entr": _entr,
    "kl_div": _kl,
    "rel_entr": _relative,
    "huber": _huber,
    "quad_over_lin": _quad_over_lin,
    "QuadForm": _quad_form,
    "log_sum_exp": _log_sum_exp,
    "GeoMean": _geo_mean,
    "Pnorm": _pnorm,
}
