"""Oracles with the errors that people make, for every kind: each beside an answer that the right oracles certify.

| error | what it does |
|---|---|
| negated, doubled, halved | a sign, a factor 2 |
| one entry | one entry off by 5 % |
| shifted | an index off by one |
| transposed | a square matrix |
| dropped | a term is missing: entries of the lower half are zero |
| noise | relative errors of 1e-3, new at each call |
| stale | the value of the call before, whatever the argument |

A change that leaves an oracle as it is (a zero, a symmetric matrix transposed) is no error and is not made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from solverkit.kinds.base import Certificate
from tests.verdicts.bilevel import subjects as bilevel_subjects
from tests.verdicts.nonlinear import quadratic, sphere, wells
from tests.verdicts.subject import Subject

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Mutant:
    """A wrong oracle: its name, the certificates of the same answer with the right one and with this one."""

    kind: str
    name: str
    right: Callable[[], Certificate]
    wrong: Callable[[], Certificate]


def _one(value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    changed = value.copy()
    changed.flat[int(np.abs(value).argmax())] *= 1.05
    return changed


def _shifted(value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.roll(value, 1, axis=-1)


def _dropped(value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    changed = value.copy()
    changed.reshape(-1)[changed.size // 2 :] = 0.0
    return changed


CHANGES: dict[str, Change] = {
    "negated": lambda value, rng: -value,
    "doubled": lambda value, rng: 2 * value,
    "halved": lambda value, rng: value / 2,
    "one entry": _one,
    "shifted": _shifted,
    "transposed": lambda value, rng: value.T if value.ndim == 2 and value.shape[0] == value.shape[1] else value,
    "dropped": _dropped,
    "noise": lambda value, rng: value * (1 + 1e-3 * rng.standard_normal(value.shape)),
}
STALE = "stale"


class Spoilt:
    """A callable with one of the errors."""

    def __init__(self, function: Callable[..., Any], error: str) -> None:
        self.function, self.error = function, error
        self.rng, self.before = np.random.default_rng(0), None

    def __call__(self, *given: Any) -> Any:
        value = self.function(*given)
        if self.error == STALE:
            value, self.before = (value if self.before is None else self.before), value
            return value
        plain = value.toarray() if issparse(value) else np.asarray(value, dtype=float)
        changed = CHANGES[self.error](plain, self.rng)
        return csr_array(changed) if issparse(value) else changed if changed.ndim else float(changed)


class Part:
    """Any object of which one method is spoilt."""

    def __init__(self, whole: Any, method: str, error: str) -> None:
        self.whole, self.method = whole, method
        self.spoilt = Spoilt(getattr(whole, method), error)

    def to(self, device: str, dtype: str) -> Part:
        """Where it is already."""
        return self

    def __getattr__(self, name: str) -> Any:
        return self.spoilt if name == self.method else getattr(self.whole, name)


def differs(function: Callable[..., Any], error: str, *points: tuple) -> bool:
    """Whether an error changes the values at any of some arguments, by at least a ten thousandth."""
    spoilt = Spoilt(function, error)
    for given in points:
        value, wrong = (np.asarray(v.toarray() if issparse(v) else v) for v in (function(*given), spoilt(*given)))
        if value.size and np.abs(value - wrong).max() > 1e-4 * max(float(np.abs(value).max()), 1e-3):
            return True
    return False


# -- derivatives of expressions: nonlinear and bilevel


def _derivatives(kind: str, subject: Subject, parts: tuple[str, ...], rng: np.random.Generator) -> Iterator[Mutant]:
    problem, x = subject.problem, subject.answer
    near = [x + 1e-2 * (1 + np.abs(x)) * rng.uniform(-1, 1, len(x)) for _ in range(2)]
    for part in parts:
        whole = getattr(problem, part)
        function = getattr(whole, "function", whole) if part.endswith("constraints") else whole
        if function is None or function.outputs == 0:
            continue
        w, d = rng.uniform(0.5, 1, function.outputs), rng.uniform(0.5, 1, len(x))
        given: dict[str, tuple] = {"hessian": (w,), "hvp": (w, d)}
        if part in ("objective_function", "upper_function", "lower_function"):
            given["gradient"] = ()
        else:
            given |= {"jacobian": (), "vjp": (w,)} | ({"jvp": (d,)} if kind == "nonlinear" else {})
        for oracle, more in given.items():
            for error in (*CHANGES, STALE):
                if not hasattr(function, oracle):
                    continue
                if not differs(getattr(function, oracle), error, *((z, *more) for z in near)):
                    continue

                def wrong(part=part, oracle=oracle, error=error, whole=whole, function=function) -> Certificate:
                    spoilt = Part(function, oracle, error)
                    changed = spoilt if function is whole else replace(whole, function=spoilt)
                    return subject.certify(replace(problem, **{part: changed}), subject.blocks(x), 1e-6, 0)

                yield Mutant(kind, f"{oracle} of {part}, {error}", lambda: subject.verdict(x), wrong)


def nonlinear(rng: np.random.Generator) -> Iterator[Mutant]:
    for family in (quadratic, sphere, wells):
        subject = family(rng)
        while len(subject.answer) < 3:
            subject = family(rng)
        yield from _derivatives("nonlinear", subject, ("objective_function", "constraint_function"), rng)


def bilevel(rng: np.random.Generator) -> Iterator[Mutant]:
    found = bilevel_subjects(rng)
    for _ in range(3):
        subject = next(found)
        if "F=" in subject.name:  # units of their own are not what is asked here
            continue
        yield from _derivatives("bilevel", subject, ("upper_function", "lower_function", "lower_constraints"), rng)


# -- functions of SciPy's form


def scipy(rng: np.random.Generator) -> Iterator[Mutant]:
    """Rosenbrock's function, and a quadratic on a sphere, as SciPy takes them, with one callable spoilt."""
    from scipy.optimize import NonlinearConstraint, rosen, rosen_der, rosen_hess

    from solverkit.kinds.nonlinear.arguments import scipy_problem
    from solverkit.kinds.nonlinear.certificate import certify

    A = np.diag([1.0, 2.0, 4.0]) + 0.1 * np.arange(9).reshape(3, 3)
    A = A + A.T
    v = np.linalg.eigh(A)[1][:, 0]

    def free(**changed: Any) -> Certificate:
        x = np.ones(3)
        given = {"jac": rosen_der, "hess": rosen_hess, **changed}
        return certify(scipy_problem(rosen, x + 0.1, **given), {"x": x}, 1e-6, 0)

    def held(jac=lambda x: 2 * A @ x, hess=lambda x: 2 * A, slope=None, bend=None) -> Certificate:
        rows = NonlinearConstraint(
            lambda x: np.array([x @ x, x[0] * x[1] * x[2]]),
            [1.0, -10.0],
            [1.0, 10.0],
            jac=slope or rows_slope,
            hess=bend or rows_bend,
        )
        problem = scipy_problem(lambda x: float(x @ A @ x), v + 0.1, jac=jac, hess=hess, constraints=[rows])
        return certify(problem, {"x": v}, 1e-6, 0)

    def rows_slope(x: np.ndarray) -> np.ndarray:
        return np.array([2 * x, [x[1] * x[2], x[0] * x[2], x[0] * x[1]]])

    def rows_bend(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        third = np.array([[0, x[2], x[1]], [x[2], 0, x[0]], [x[1], x[0], 0]])
        return 2 * w[0] * np.eye(3) + w[1] * third

    near = [v + 1e-2 * rng.standard_normal(3) for _ in range(2)]
    for error in (*CHANGES, STALE):
        for make, key, function, more in (
            (free, "jac", rosen_der, ()),
            (free, "hess", rosen_hess, ()),
            (held, "jac", lambda x: 2 * A @ x, ()),
            (held, "hess", lambda x: 2 * A, ()),
            (held, "slope", rows_slope, ()),
            (held, "bend", rows_bend, (np.array([0.7, 0.9]),)),
        ):
            if differs(function, error, *((z, *more) for z in near)):
                yield Mutant(
                    "nonlinear, SciPy's form",
                    f"{key} of {make.__name__}, {error}",
                    make,
                    lambda make=make, key=key, function=function, error=error: make(**{key: Spoilt(function, error)}),
                )


# -- operators, components, proximal maps


class Map:
    """A proximal map of which prox, value or conjugate is that of another."""

    def __new__(cls, right: Any, **changed: Callable) -> Any:
        kind = type("Spoilt", (type(right),), {key: staticmethod(value) for key, value in changed.items()})
        made = object.__new__(kind)
        made.__dict__.update(right.__dict__)
        return made


def _maps() -> Iterator[tuple[str, Any, Any]]:
    """(error, the right map, the wrong one), on R^3."""
    from solverkit.operators.proximal import L1, L2, Box, SquaredL2

    l1, box, l2, square = L1(0.3), Box(-0.4, 0.5), L2(0.7), SquaredL2(1.5)
    for name, right in (("l1", l1), ("l2", l2), ("square", square)):
        for factor in (0.5, 2.0):
            yield (
                f"{name}: prox of {factor} times it",
                right,
                Map(right, prox=lambda v, s, right=right, factor=factor: right.prox(v, factor * np.asarray(s))),
            )
        yield f"{name}: prox without its step", right, Map(right, prox=lambda v, s, right=right: right.prox(v, 1.0))
        yield f"{name}: prox of the squared step", right, Map(right, prox=lambda v, s, r=right: r.prox(v, s * s))
        yield f"{name}: prox negated", right, Map(right, prox=lambda v, s, right=right: -right.prox(v, s))
        yield f"{name}: value doubled", right, Map(right, value=lambda v, right=right: 2 * right.value(v))
    yield "box: another box", box, Map(box, prox=lambda v, s: np.clip(v, -0.4, 0.8))
    yield "box: not clipped below", box, Map(box, prox=lambda v, s: np.minimum(v, 0.5))


def inclusion(rng: np.random.Generator) -> Iterator[Mutant]:
    from solverkit.kinds.inclusion import inclusion as make
    from solverkit.kinds.inclusion.certificate import certify
    from tests.inclusion.cases import matrices_case, saddle_case, stiff_case, sum_case

    for case in (sum_case(), matrices_case(), saddle_case(), stiff_case()):
        problem, u = case.problem, case.problem.blocks(case.u)
        oracles = {"value": ()} | ({"components": (np.arange(3),)} if problem.count > 1 else {})
        for oracle, more in oracles.items():
            for error in (*CHANGES, STALE):
                checked = oracle == "components" or problem.count > 1 or hasattr(problem.part, "payoff")
                if not checked and error not in ("noise", STALE):  # nothing to hold F against but itself
                    continue
                near = [case.u + 1e-2 * rng.standard_normal(len(case.u)) for _ in range(2)]
                if differs(getattr(problem.part, oracle), error, *((z, *more) for z in near)):
                    yield Mutant(
                        "inclusion",
                        f"{case.name}: {oracle}, {error}",
                        lambda p=problem, u=u: certify(p, u, 1e-6, 0),
                        lambda p=problem, u=u, o=oracle, e=error: certify(
                            replace(p, part=Part(p.part, o, e)), u, 1e-6, 0
                        ),
                    )
    q = np.array([1.0, -2.0, 0.1])
    for error, right, wrong in _maps():
        answer = np.asarray(right.prox(q, 1.0))  # of u - q + dh(u)

        def of(part: Any, answer=answer) -> Certificate:
            problem = make("u - q", {"u": {"shape": 3}}, data={"q": q}, sets={"u": part})
            return certify(problem, {"u": answer}, 1e-6, 0)

        yield Mutant("inclusion", error, lambda of=of, r=right: of(r), lambda of=of, w=wrong: of(w))


def composite(rng: np.random.Generator) -> Iterator[Mutant]:
    from scipy.sparse.linalg import LinearOperator

    from solverkit.kinds.composite import composite as make
    from solverkit.kinds.composite.certificate import certify
    from solverkit.operators.proximal import L1

    q = np.array([1.0, -2.0, 0.1])
    K = rng.standard_normal((3, 3)) + 3 * np.eye(3)
    H = np.diag([1.0, 2.0, 3.0])

    def value(x: np.ndarray) -> float:
        return float(0.5 * x @ H @ x - q @ x)

    def gradient(x: np.ndarray) -> np.ndarray:
        return H @ x - q

    def of(x: np.ndarray, **changed: Any) -> Certificate:
        form = {"variables": {"x": {"shape": 3}}, "smooth": (value, gradient), "simple": "0.25*sum(x**2)", **changed}
        return certify(make(lipschitz=3.0, **form), {"x": x}, 1e-6, 0)

    plain = np.linalg.solve(H + 0.5 * np.eye(3), q)
    for error in (*CHANGES, STALE):
        if differs(gradient, error, (plain + 0.1,), (plain - 0.2,)):
            yield Mutant(
                "composite",
                f"gradient of f, {error}",
                lambda: of(plain),
                lambda error=error: of(plain, smooth=(value, Spoilt(gradient, error))),
            )

    def kinked(x: np.ndarray) -> float:
        return float(np.maximum(x, 0).sum())

    def slopes(x: np.ndarray) -> np.ndarray:
        return (x > 0).astype(float)

    # coordinates: (h_i + 1/2) x_i = q_i - [x_i > 0], 0 where that has no solution
    bent = np.where(q > 1, (q - 1) / (np.diag(H) + 0.5), np.where(q < 0, q / (np.diag(H) + 0.5), 0.0))
    q_in = np.array([3.0, -2.0, 4.0])

    def other(x: np.ndarray) -> float:
        return float(0.5 * x @ H @ x - q_in @ x)

    inner = np.where(q_in > 1, (q_in - 1) / (np.diag(H) + 0.5), q_in / (np.diag(H) + 0.5))
    assert bent.shape == inner.shape
    for error in (*CHANGES, STALE):
        if differs(slopes, error, (inner,), (inner + 0.01,)):
            smooth = (other, lambda x: H @ x - q_in)
            yield Mutant(
                "composite",
                f"subgradient of h, {error}",
                lambda smooth=smooth: of(inner, smooth=smooth, nonsmooth=(kinked, slopes)),
                lambda smooth=smooth, error=error: of(inner, smooth=smooth, nonsmooth=(kinked, Spoilt(slopes, error))),
            )
    for error in (*CHANGES, STALE):
        adjoint = Spoilt(lambda y: K.T @ y, error)
        if not differs(lambda y: K.T @ y, error, (np.array([1.0, 2.0, 3.0]),), (np.array([1.0, -2.0, 3.0]),)):
            continue
        wrong = LinearOperator((3, 3), matvec=lambda x: K @ x, rmatvec=adjoint, dtype=float)
        right = LinearOperator((3, 3), matvec=lambda x: K @ x, rmatvec=lambda y: K.T @ y, dtype=float)
        small = (lambda x: float(0.5 * x @ x), lambda x: x.copy())  # x = 0 is the answer
        yield Mutant(
            "composite",
            f"adjoint of K, {error}",
            lambda right=right, small=small: of(np.zeros(3), smooth=small, nonsmooth=(right, L1(0.3))),
            lambda wrong=wrong, small=small: of(np.zeros(3), smooth=small, nonsmooth=(wrong, L1(0.3))),
        )
    for error, right, wrong in _maps():
        # min |x - q|^2 / 2 + h(x), h as chi and as g of K = I
        answer = np.asarray(right.prox(q, 1.0))
        near = (lambda x: float(0.5 * (x - q) @ (x - q)), lambda x: x - q)
        yield Mutant(
            "composite",
            f"chi, {error}",
            lambda r=right, a=answer, near=near: of(a, smooth=near, simple=r, strong=0.0),
            lambda w=wrong, a=answer, near=near: of(a, smooth=near, simple=w, strong=0.0),
        )
        quarter = np.asarray(right.prox(q / 1.5, 1 / 1.5))
        yield Mutant(
            "composite",
            f"g, {error}",
            lambda r=right, a=quarter, near=near: of(a, smooth=near, nonsmooth=(np.eye(3), r)),
            lambda w=wrong, a=quarter, near=near: of(a, smooth=near, nonsmooth=(np.eye(3), w)),
        )


# -- data


def dag(rng: np.random.Generator) -> Iterator[Mutant]:
    """A Gram matrix that is not that of the samples."""
    from solverkit.kinds.dag.certificate import certify
    from tests.dag.adversary import case, optimum

    for score in ("least-squares", "bic", "logistic"):
        problem = case(score, "plain", rng)
        point = optimum(problem)
        assert point is not None
        for error in CHANGES:
            if differs(lambda gram: gram, error, (problem.gram,)):
                yield Mutant(
                    "dag",
                    f"{score}: Gram matrix, {error}",
                    lambda p=problem, x=point: certify(p, x, 1e-6, 0),
                    lambda p=problem, x=point, e=error: certify(
                        replace(p, gram=Spoilt(lambda: p.gram, e)()), x, 1e-6, 0
                    ),
                )


def linear_sequence(rng: np.random.Generator) -> Iterator[Mutant]:
    """A function that makes systems: stale, noisy, or with an error after the first call."""
    from solverkit.kinds.linear_sequence import linear_sequence as make
    from solverkit.kinds.linear_sequence.certificate import certify

    T, n = 4, 4
    A, b = rng.standard_normal((T, n, n)) + 6 * np.eye(n), rng.standard_normal((T, n))
    x = np.array([np.linalg.solve(A[t], b[t]) for t in range(T)])

    def of(rhs: Callable, matrix: Callable) -> Certificate:
        problem = make(lambda t, before: (csr_array(matrix(t)), rhs(t)), T=T, initial=np.zeros(n))
        return certify(problem, {"x": x}, 1e-6, 0)

    for error in (*CHANGES, STALE):
        for name, function in (("rhs", lambda t: b[t]), ("matrix", lambda t: A[t])):
            if differs(function, error, *((t,) for t in range(T))):
                pair = {"rhs": lambda t: b[t], "matrix": lambda t: A[t]}
                yield Mutant(
                    "linear-sequence",
                    f"{name}, {error}",
                    lambda pair=pair: of(**pair),
                    lambda pair=pair, n=name, f=function, e=error: of(**{**pair, n: Spoilt(f, e)}),
                )


KINDS = (nonlinear, bilevel, scipy, inclusion, composite, dag, linear_sequence)
