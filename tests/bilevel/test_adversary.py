"""Wrong answers that no certificate may pass, and faults in samples that no stochastic method may hide."""

from __future__ import annotations

import numpy as np
import pytest

import solverkit as sk
from solverkit.engine.status import Termination
from solverkit.errors import InvalidProblem
from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel import bilevel
from solverkit.kinds.bilevel.certificate import certify

from .adversary import wrong_points

BO_REP = {"epochs": 2, "epoch_steps": 5, "block": 7, "handover": 21, "batch": 5}
STOCHASTIC = {
    "bo-rep": BO_REP,
    "implicit-gradient": {"oracles": "samples", "batch": 5, "stochastic_steps": 21, "block": 7},
    "penalty": {"mode": "paper", "loop": "single", "batch": 5, "block": 7},
    "bsvrb": {"sample": 5, "epochs": 3, "block": 1},
}
ENDS_RIGHT = ("bo-rep", "implicit-gradient", "bsvrb")  # the others do not claim an answer


def faulty(x, y, c, weight):
    """The lower objective of `shrinkage` with the logarithm of a weight, by torch."""
    terms = 0.5 * ((y - c) ** 2).sum(1) + 0.5 * (y**2 @ x.exp())
    return (terms + (weight + 0.0 * (y**2).sum(1)).log()).mean()


def shrinkage(tasks=12, k=2, seed=0, spoilt=None):
    """Tasks that share log strengths: blocks for `bsvrb`, samples for all others. `spoilt`: log 0 is in its term."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((tasks, k))
    data = {"c": truth + rng.standard_normal((tasks, k)), "target": truth}
    minimize, samples = "mean(0.5*sum((y - c)**2, 1) + 0.5*(y**2 @ exp(x)))", ["y", "c"]
    if spoilt is not None:
        data["weight"] = np.where(np.arange(tasks) == spoilt, 0.0, 1.0)
        minimize, samples = faulty, ["y", "c", "weight"]
    return bilevel(
        upper={
            "variables": {"x": {"shape": k}},
            "minimize": "mean(0.5*sum((y - target)**2, 1)) + 0.01*normsq(x)",
            "samples": ["y", "target"],
        },
        lower={
            "variables": {"y": {"shape": [tasks, k]}},
            "minimize": minimize,
            "samples": samples,
            "convex": True,
        },
        data=data,
    )


def conditioned(power, n=3, m=6, seed=0):
    """F and f quadratic, f_yy with eigenvalues from 10^-power to 1."""
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.standard_normal((m, m)))
    Q = (rotation * 10.0 ** -np.linspace(0, power, m)) @ rotation.T
    data = {"Q": (Q + Q.T) / 2, "b": rng.standard_normal(m), "d": rng.standard_normal(m)}
    data["P"] = data["Q"] @ rng.standard_normal((m, n))
    data["q"] = data["Q"] @ data["d"]
    return bilevel(
        upper={"variables": {"x": {"shape": n}}, "minimize": "0.5*normsq(y - b) + 0.05*normsq(x)"},
        lower={"variables": {"y": {"shape": m}}, "minimize": "0.5*dot(y, Q @ y) - dot(y, P @ x + q)", "convex": True},
        data=data,
    )


# -- wrong answers


@pytest.mark.parametrize("power", [0, 2, 4, 6])
def test_no_wrong_point_is_certified(power):
    """Down to a condition of 1e6, where y may move far along the flattest direction at a gap of 1e-6 of f."""
    problem = conditioned(power)
    right = sk.solve(problem, method="implicit-gradient")
    assert right.success, right
    passed = [
        sort
        for sort, point in wrong_points(problem, right.point, np.random.default_rng(power))
        if certify(problem, point, 1e-6, 0).status is PointStatus.CERTIFIED
    ]
    assert passed == []


# -- stochastic methods


@pytest.mark.parametrize("method", STOCHASTIC)
@pytest.mark.parametrize("tasks", [1, 3])
def test_one_sample_and_batches_larger_than_all(method, tasks):
    """Batches of 5."""
    result = sk.solve(shrinkage(tasks), method=method, options=STOCHASTIC[method], max_iter=40)
    assert np.isfinite(result.fun), result
    assert result.termination in (Termination.CONVERGED, Termination.MAX_ITER), result
    if method in ENDS_RIGHT:
        assert result.success, result


@pytest.mark.parametrize("method", STOCHASTIC)
def test_a_sample_that_is_not_a_number_is_told(method):
    """It is met in some batch, and never becomes an answer."""
    result = sk.solve(shrinkage(spoilt=7), method=method, options=STOCHASTIC[method], max_iter=20)
    assert not result.success
    assert result.point_status in (PointStatus.UNVERIFIED, PointStatus.FEASIBLE, PointStatus.INFEASIBLE)
    told = (Termination.NOT_FINITE, Termination.STALLED, Termination.ORACLE_FAILED, Termination.SOLVER_FAILED)
    assert result.termination in told, result


@pytest.mark.parametrize("method", ENDS_RIGHT)
def test_seeds_end_in_one_answer(method):
    answers = [sk.solve(shrinkage(), method=method, options=STOCHASTIC[method], seed=seed) for seed in range(5)]
    assert all(answer.success for answer in answers)
    assert np.ptp([answer.fun for answer in answers]) < 1e-8


@pytest.mark.parametrize("method", STOCHASTIC)
def test_single_precision_is_finite_and_never_a_silent_claim(method):
    result = sk.solve(shrinkage(), method=method, options=STOCHASTIC[method], dtype="float32", max_iter=20)
    assert np.isfinite(result.fun), result
    assert result.fun < 2 * sk.solve(shrinkage(), method="implicit-gradient").fun


@pytest.mark.parametrize("method", STOCHASTIC)
def test_a_run_goes_on_in_the_middle_of_an_epoch(method, tmp_path):
    """Bit for bit: 12 samples in batches of 5, stopped after 2 steps of the driver, which is within an epoch."""
    options = STOCHASTIC[method]
    whole = sk.solve(shrinkage(), method=method, options=options, max_iter=4, seed=3)
    part = sk.solve(shrinkage(), method=method, options=options, max_iter=2, seed=3, out=tmp_path, checkpoint=0.0)
    assert part.termination is Termination.MAX_ITER
    rest = sk.resume(tmp_path, problem=shrinkage(), max_iter=4)
    for name, block in whole.point.items():
        np.testing.assert_array_equal(rest.point[name], block)
    assert rest.counts == whole.counts


# -- bad input


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": {"c": np.zeros((11, 2)), "target": np.zeros((12, 2))}}, "11|12"),
        ({"samples": ["y", "nothing"]}, "nothing"),
        ({"minimize": "sum(0.5*sum((y - c)**2, 1)) + sum(y**2 @ exp(x))"}, "mean"),
    ],
    ids=["unequal lengths", "unknown name", "a sum"],
)
def test_samples_that_make_no_sense_are_refused(change, words):
    good = np.ones((12, 2))
    lower = {
        "variables": {"y": {"shape": [12, 2]}},
        "minimize": change.get("minimize", "mean(0.5*sum((y - c)**2, 1))"),
        "samples": change.get("samples", ["y", "c"]),
    }
    upper = {
        "variables": {"x": {"shape": 2}},
        "minimize": "mean(sum((y - target)**2, 1)) + normsq(x)",
        "samples": ["y", "target"],
    }
    with pytest.raises(InvalidProblem, match=words):
        bilevel(upper=upper, lower=lower, data=change.get("data", {"c": good, "target": good}))
