"""The sets X and Y of a problem, and the problems that the penalty method refuses.

The method projects onto X and onto Y, one at a time: rows through x alone or y alone join the set of their level,
where they are affine. Rows that couple x and y would make Y depend on x, and psi_s is then no longer differentiable by
the formula of the method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from solverkit.errors import Unsuitable
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.sets import Polyhedron, SimpleSet
from solverkit_bilevel.penalty.projected import Domain

REMEDY = (
    "Methods that take coupled rows are listed by `solverkit methods --for FILE`, which says why another does not fit"
)


@dataclass
class OwnRows:
    """lower <= A v <= upper over the variables of one level; read once, part of the state of a run."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def csr(self, n: int) -> csr_array:
        """A, (k, n)."""
        return csr_array((self.data, self.indices, self.indptr), shape=(len(self.lower), n))


def own_rows(problem: Bilevel, method: str) -> tuple[OwnRows | None, OwnRows | None]:
    """Rows of x alone and of y alone. Raises Unsuitable for rows that couple the levels or are curved."""
    n = problem.n
    at = np.concatenate([block.start.ravel() for block in (*problem.upper_blocks, *problem.lower_blocks)])
    found: list[OwnRows | None] = []
    for level, rows, mine in (
        ("upper", problem.upper_constraints, slice(0, n)),
        ("lower", problem.lower_constraints, slice(n, None)),
    ):
        if not rows.count:
            found.append(None)
            continue
        if not rows.affine:
            raise Unsuitable(
                f"method '{method}' projects onto the sets of x and of y; problem {problem.name!r} has curved "
                f"{level} rows ({', '.join(rows.names[:3])}). Give them as a ball, or move them into the objective"
            )
        if level == "upper":
            values, jacobian = problem.upper_rows(at), csr_array(problem.upper_rows_jacobian(at), dtype=float)
        else:
            values, jacobian = problem.lower_rows(at), csr_array(problem.lower_rows_jacobian(at), dtype=float)
        other = slice(n, None) if level == "upper" else slice(0, n)
        coupled = np.flatnonzero(abs(jacobian[:, other]).sum(axis=1))
        if len(coupled):
            raise Unsuitable(
                f"method '{method}' needs a set of x and a set of y that do not depend on each other; problem "
                f"{problem.name!r} couples them in the {level} row {rows.names[coupled[0]]!r}. {REMEDY}"
            )
        bound = jacobian @ at - values
        lower = np.where(np.arange(rows.count) < rows.inequalities, -np.inf, bound)
        own = csr_array(jacobian[:, mine])
        found.append(OwnRows(own.data, own.indices, own.indptr, lower, bound))
    return found[0], found[1]


def domain(simple: SimpleSet, rows: OwnRows | None, n: int, name: str, method: str) -> Domain:
    """The simple set of one level, met with the rows of that level alone."""
    if rows is None:
        return Domain(simple, n)
    described = simple.affine(n)
    if described is None:
        raise Unsuitable(
            f"method '{method}' projects onto one set a level; problem {name!r} has rows through variables of a "
            f"{type(simple).__name__.lower()}. Give that set as rows or bounds"
        )
    matrix, lower, upper = described
    stacked = csr_array(vstack([matrix, rows.csr(n)], format="csr"))
    return Domain(Polyhedron(stacked, np.concatenate([lower, rows.lower]), np.concatenate([upper, rows.upper])), n)
