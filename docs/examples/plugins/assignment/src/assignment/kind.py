"""The kind: its part of the problem file, and its certificate.

A matching is optimal where prices v of the columns exist with  cost[i, p(i)] - v[p(i)] <= cost[i, j] - v[j]  for all
i, j. Bellman and Ford's recursion finds them, from the matching alone; what it still improves by after n rounds, w,
bounds the gap: the prices are feasible for the dual once every row gives up w, so no matching costs less than
this one minus n w.
"""

from typing import Any, ClassVar

import numpy as np

from assignment.problem import Assignment, columns_of
from solverkit.plugin import Certificate, Kind, Point, Quantity, Schema, Source, Term


class AssignmentFile(Schema):
    """`cost: data name or nested list`."""

    cost: Quantity


class AssignmentKind(Kind):
    """See the module."""

    name: ClassVar[str] = "assignment"

    @property
    def schema(self) -> type[AssignmentFile]:
        """The keys below `kind: assignment`."""
        return AssignmentFile

    def build(self, file: Any, source: Source) -> Assignment:
        """The problem of a file."""
        n = len(source.data[file.cost]) if file.cost in source.data else len(file.cost)
        return Assignment(source.name, source.array(file.cost, (n, n), ("cost",)), source.expect)

    def certify(self, problem: Assignment, point: Point, tol: float, seed: int) -> Certificate:
        """Feasibility, and the gap of prices that are found here."""
        n, columns = problem.n, columns_of(point["match"], problem.n)
        twice = float(n - len(set(point["match"].ravel().tolist())))
        if columns is None or twice:
            return Certificate((Term("matching", max(twice, 1.0), 0.5, feasibility=True),))
        paid = problem.cost[np.arange(n), columns]
        value = float(paid.sum())
        longer = problem.cost - paid[:, None]  # (n, n) what row i pays more for column j
        prices = np.zeros(n)
        for _ in range(n):
            improved = np.minimum(prices, (prices[columns][:, None] + longer).min(axis=0))
            if np.array_equal(improved, prices):
                break
            prices = improved
        left = float(max(0.0, (prices - (prices[columns][:, None] + longer).min(axis=0)).max()))
        terms = (
            Term("matching", twice, 0.5, feasibility=True),
            Term("gap", n * left, tol, scaling=1.0 + abs(value)),
        )
        return Certificate(terms, {"objective": value, "lower_bound": value - n * left})
