"""The derivatives of a problem against its values: which are compared, where, and what a wrong one does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solverkit.kinds.nonlinear import consistency, nonlinear
from solverkit.kinds.nonlinear.consistency import oracle_table, oracle_term, problem_oracles
from tests.nonlinear.adversary import CHANGES, Wrong

NEGATED = CHANGES["negated"]
OF_F = ["gradient of f", "Hessian of f", "Hessian products of f"]
OF_ROWS = ["Jacobian of c", "jvp of c"]
OF_CURVED_ROWS = [*OF_ROWS, "Hessian of c", "Hessian products of c"]


def problem(f="x[0]**3 + x[0]*x[1]", rows=None, n=2, **box):
    return nonlinear({"x": {"shape": n, **box}}, f, rows)


def names(p):
    return [oracle.name for oracle in problem_oracles(p, 0)]


class Told:
    """A function that says something else of itself."""

    def __init__(self, function, **told):
        self.__dict__.update(told, function=function)

    def __getattr__(self, name):
        return getattr(self.function, name)


AFFINE, CURVED = {"a": "x[0] + 2*x[1] <= 9"}, {"a": "x[0]*x[1] <= 9", "b": "x[1]**3 >= -9"}


class TestWhatIsCompared:
    def test_every_derivative_of_every_function(self):
        assert names(problem()) == OF_F
        assert names(problem(rows=AFFINE)) == OF_F + OF_ROWS  # affine rows have no Hessian
        assert names(problem(rows=CURVED)) == OF_F + OF_CURVED_ROWS

    def test_differences_are_not_held_against_differences(self):
        p = problem(rows=CURVED)
        f, c = (
            Told(function, second_by_differences=True) for function in (p.objective_function, p.constraint_function)
        )
        assert names(replace(p, objective_function=f)) == OF_F[:1] + OF_CURVED_ROWS
        assert names(replace(p, constraint_function=c)) == OF_F + OF_ROWS

    def test_a_hessian_that_cannot_be_formed_is_left_out(self):
        p = problem(rows=CURVED)
        p = replace(p, objective_function=Told(p.objective_function, products_only=True))
        assert [name for name in names(p) if name.startswith("Hessian of")] == []
        assert [name for name in names(p) if name.startswith("Hessian products")] == [OF_F[2], OF_CURVED_ROWS[3]]

    @pytest.mark.parametrize(("tensor", "n", "formed"), [(True, 2, True), (True, 3, False), (False, 3, True)])
    def test_a_hessian_that_torch_makes_of_products_is_formed_where_it_is_small(self, tensor, n, formed, monkeypatch):
        monkeypatch.setattr(consistency, "MADE_OF_PRODUCTS", 2)
        p = problem(n=n)
        if tensor:
            p = replace(p, objective_function=Told(p.objective_function, tensor=None))
        assert ("Hessian of f" in names(p)) is formed


class TestOfOne:
    p = problem(rows=CURVED)
    x = np.array([0.7, -1.3])

    def wrong(self, part, oracle, change=NEGATED):
        return replace(self.p, **{part: Wrong(getattr(self.p, part), oracle, change)})

    def test_right_ones_agree_and_none_is_named(self):
        term = oracle_term(self.p, self.x, 0)
        assert term.ok
        assert term.value < 1e-6
        table = oracle_table(self.p, self.x, 0)
        assert [term.name for term in table] == [*OF_F, *OF_CURVED_ROWS, "vjp of c"]
        assert all(term.ok for term in table)

    @pytest.mark.parametrize(
        ("part", "oracle", "change", "broken"),
        [
            ("objective_function", "gradient", NEGATED, set(OF_F)),
            ("objective_function", "hessian", NEGATED, {"Hessian of f"}),
            ("objective_function", "hvp", NEGATED, {"Hessian products of f"}),
            ("constraint_function", "jacobian", NEGATED, {"Jacobian of c"}),
            ("constraint_function", "jvp", NEGATED, {"jvp of c", "vjp of c"}),
            ("constraint_function", "vjp", NEGATED, {"vjp of c", "Hessian of c", "Hessian products of c"}),
            ("constraint_function", "hessian", NEGATED, {"Hessian of c"}),
            ("constraint_function", "hvp", NEGATED, {"Hessian products of c"}),
        ],
    )
    def test_a_wrong_one_is_named_and_no_other(self, part, oracle, change, broken):
        p = self.wrong(part, oracle, change)
        assert {term.name for term in oracle_table(p, self.x, 0) if not term.ok} == broken
        term = oracle_term(p, self.x, 0)
        assert not term.ok
        assert term.note.removeprefix("worst: ") in broken

    @pytest.mark.parametrize(
        ("part", "oracle", "name"),
        [
            ("objective_function", "hessian", "Hessian of f"),
            ("constraint_function", "jvp", "jvp of c"),
            ("objective_function", "hvp", "Hessian products of f"),
        ],
    )
    def test_one_that_is_no_number_is_not_taken_for_right(self, part, oracle, name):
        """Whatever comes after it: what could not be checked is no agreement."""
        term = oracle_term(self.wrong(part, oracle, lambda value: np.nan * value), self.x, 0)
        assert not term.ok
        assert term.note == f"worst: {name}"

    def test_products_with_the_transpose_break_the_term_by_little(self):
        """They are held to 1e-9, and shown beside derivatives that are held to 1e-4."""
        p = self.wrong("constraint_function", "vjp", lambda value: (1 + 1e-7) * value)
        (term,) = [each for each in oracle_table(p, self.x, 0) if each.name == "vjp of c"]
        assert 1 < term.value / term.tolerance < 10
        p = self.wrong("constraint_function", "vjp", lambda value: (1 + 1e-11) * value)
        (term,) = [each for each in oracle_table(p, self.x, 0) if each.name == "vjp of c"]
        assert 1e-12 < term.value < 1e-11


class TestAtTheEdgeOfTheDomain:
    """sum |x_j - side|^1.5 in four variables, not defined outside of the box, which random d leave at a corner."""

    @pytest.mark.parametrize(("low", "width"), [(0.0, np.inf), (0.0, 1e-3), (1e6, np.inf), (-1e6, np.inf), (3.0, 1e-3)])
    def test_it_is_compared_a_little_inside(self, low, width):
        f = f"sum((x - {low!r})**1.5)"
        if np.isfinite(width):
            f += f" + sum(({low + width!r} - x)**1.5)"
        p = problem(f, n=4, lower=low, upper=low + width)
        corner = np.full(4, low)
        upper = [np.where([0, 1, 0, 1], low + width, low)] if np.isfinite(width) else []
        wrong = replace(p, objective_function=Wrong(p.objective_function, "gradient", NEGATED))
        for x in (corner, *upper):
            with np.errstate(all="ignore"):
                assert oracle_term(p, x, 0).ok
                found = oracle_term(wrong, x, 0)
            assert found.value > 1
            assert found.note.endswith("of f")

    @pytest.mark.parametrize("where", ["upper", "both"])
    def test_on_the_other_side_too(self, where):
        p = problem("sum((2 - x)**1.5)", n=4, upper=2, **({"lower": 2 - 1e-3} if where == "both" else {}))
        with np.errstate(all="ignore"):
            assert oracle_term(p, np.full(4, 2.0), 0).ok

    def test_where_no_variable_can_move_it_stays_unknown(self):
        p = problem("sum(x**1.5)", n=4, lower=0, upper=0)
        with np.errstate(all="ignore"):
            assert np.isnan(oracle_term(p, np.zeros(4), 0).value)
