"""The counting proxy: same class, same data, exact counts."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from engine_toys import Quadratic
from scipy.sparse import csr_array

from solverkit.engine.counting import Ledger, OracleError, counted, finite
from solverkit.kinds.base import Weighted


@dataclass(frozen=True, eq=False)
class Sum(Quadratic):
    """With an oracle that does the work of many, one that uses another, and one as wide as it is asked."""

    oracles: ClassVar[dict] = {
        "value": "nfev",
        "component": Weighted("ncomp", lambda rows, x: len(rows)),
        "both": "nboth",
    }

    def component(self, rows, x):
        return self.diagonal[rows] * x[rows]

    def both(self, x):
        return self.value(x), self.gradient(x)


def twin(problem):
    ledger = Ledger()
    return counted(problem, ledger), ledger


def test_it_is_of_the_same_class_and_leaves_the_problem_alone():
    problem = Quadratic()
    proxy, ledger = twin(problem)
    assert isinstance(proxy, Quadratic)
    assert proxy.diagonal is problem.diagonal
    proxy.value(np.ones(5))
    problem.value(np.ones(5))
    assert ledger.counts() == {"nfev": 1, "njev": 0}


def test_an_oracle_that_uses_another_counts_once():
    proxy, ledger = twin(Sum())
    proxy.both(np.ones(5))
    assert ledger.by_oracle() == {"value": 0, "component": 0, "both": 1}


def test_weights_and_charges():
    proxy, ledger = twin(Sum())
    proxy.component([0, 1, 2], np.ones(5))
    proxy.component([4], np.ones(5))
    ledger.charge("ncomp", 10)
    ledger.charge("nsweep", 2)
    assert ledger.counts() == {"nfev": 0, "ncomp": 14, "nboth": 0, "nsweep": 2}
    assert ledger.by_oracle()["component"] == 2
    assert ledger.total() == 16
    proxy, again = twin(Sum())
    again.restore(ledger.save())
    proxy.component([1], np.ones(5))
    assert again.counts()["ncomp"] == 15
    assert again.by_oracle()["component"] == 3


def test_two_proxies_count_apart():
    problem = Quadratic()
    (one, first), (two, second) = twin(problem), twin(problem)
    one.value(np.ones(5))
    assert (first.total(), second.total()) == (1, 0)
    assert two.value is not one.value


def test_an_oracle_must_be_a_method():
    class Wrong(Quadratic):
        oracles: ClassVar[dict] = {"name": "nfev"}

    with pytest.raises(TypeError, match="'name', which is not a method"):
        twin(Wrong())


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (1.0, True),
        (float("nan"), False),
        (np.float32("inf"), False),
        (3, True),
        (np.ones((2, 2)), True),
        (np.array([[1, np.nan]]), False),
        (np.full(4, 1e200), True),
        (np.asfortranarray(np.full((3, 3), -np.inf)), False),
        (np.array([1, 2]), True),
        (csr_array(np.array([[0.0, 1.0]])), True),
        (csr_array(np.array([[0.0, np.nan]])), False),
        (np.zeros(0), True),
        (None, True),
    ],
)
def test_finite(value, verdict):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert finite(value) is verdict


def test_an_error_tells_the_argument_and_can_be_sent():
    def fault(name, call, value):
        raise ValueError("inside")

    proxy, _ = twin(Quadratic(fault=fault))
    with pytest.raises(
        OracleError, match=r"'value' failed at call 1: ValueError: inside \(its argument was not finite\)"
    ):
        proxy.value(np.full(5, np.nan))
    error = OracleError("value", 3, "why")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_first_odd_value_of_a_series_of_steps_is_the_one_that_is_named():
    """A NaN in the state makes others in each step that follows; a step without any ends the series."""
    ledger = Ledger()
    for step, oracle in enumerate(("gradient", "value", "value", None, "value")):
        ledger.arm()
        if oracle:
            ledger.note(oracle, step, "returned a value that is not finite")
        assert ledger.nonfinite.oracle == ("gradient" if step < 4 else "value")
        assert len(ledger.suspects()) == 1  # in the step without one, that of the step before
    ledger.arm()
    ledger.arm()
    assert ledger.suspects() == []
