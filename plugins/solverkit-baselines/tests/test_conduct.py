"""Counts, limits, failures and options of the peers."""

from collections import Counter
from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from pydantic import ValidationError

from solverkit.engine.status import PointStatus, Termination
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_baselines.bilevel.options import KktIpoptOptions, NestedOptions

METHODS = ["kkt-ipopt", "nested"]


def recording(problem, calls, fault=None):
    """The problem with oracles that count in `calls`, below the engine's own counters."""

    def override(name, counter):
        original = getattr(Bilevel, name)

        def oracle(self, *arguments):
            calls[counter] += 1
            if fault is not None:
                fault(name, calls)
            return original(self, *arguments)

        return oracle

    body = {name: override(name, counter) for name, counter in Bilevel.oracles.items()}
    twin = replace(problem)
    object.__setattr__(twin, "__class__", type("Recorded", (Bilevel,), body))
    return twin


@pytest.mark.parametrize("method", METHODS)
def test_counts_are_those_of_an_independent_record(peer, shipped, method, monkeypatch):
    calls = Counter()
    problem = recording(shipped("colson-2002-bipa4"), calls)
    seen = {}
    solver = {"kkt-ipopt": "kkt_ipopt:KktIpopt", "nested": "nested:Nested"}[method]
    module, name = solver.split(":")
    cls = getattr(__import__(f"solverkit_baselines.bilevel.{module}", fromlist=[name]), name)
    original = cls.solve

    def solve(self, *arguments):
        calls.clear()
        point = original(self, *arguments)
        seen.update(calls)
        return point

    monkeypatch.setattr(cls, "solve", solve)
    result = peer(method, problem)
    assert {name: count for name, count in result.counts.items() if count} == seen


@pytest.mark.parametrize(("method", "name"), [("kkt-ipopt", "svm-breast-cancer"), ("nested", "coupled-merely-convex")])
def test_the_time_limit_holds_within_a_second(peer, shipped, method, name):
    problem = shipped(name)
    peer(method, shipped("lampariello-sagratella-2017-ex32"))  # imports are not the method's time
    result = peer(method, problem, max_time=1.0, certify=False)
    assert result.termination is Termination.MAX_TIME
    assert result.timing["solve"] < 2.0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("oracle", ["upper", "lower_gradient", "lower_rows"])
def test_a_failing_oracle_is_named_and_what_was_found_is_kept(peer, shipped, method, oracle):
    def fault(name, calls):
        if name == oracle and sum(calls.values()) > 60:
            raise ArithmeticError("on purpose")

    began = perf_counter()
    result = peer(method, recording(shipped("bard-1988-ex1"), Counter(), fault))
    assert perf_counter() - began < 30
    assert result.termination is Termination.ORACLE_FAILED
    assert f"'{oracle}'" in result.message
    assert "on purpose" in result.message


@pytest.mark.parametrize("method", METHODS)
def test_equal_seeds_give_equal_runs(peer, shipped, method):
    problem = shipped("sahin-ciric-1998-ex2")
    one, two = (peer(method, problem, starts=2, seed=5, certify=False) for _ in range(2))
    assert one.oracles == two.oracles
    assert np.array_equal(one.x, two.x)


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (KktIpoptOptions, {"reduction": 1.5}),
        (KktIpoptOptions, {"hessian": "none"}),
        (KktIpoptOptions, {"starts": 0}),
        (NestedOptions, {"search": "bfgs"}),
        (NestedOptions, {"max_evaluations": 0}),
        (NestedOptions, {"epsilon": 1.0}),
    ],
)
def test_wrong_options_are_errors(model, wrong):
    with pytest.raises(ValidationError):
        model(**wrong)


@pytest.mark.parametrize(("lower", "hint"), [("quadratic", "convex quadratic"), ("l-bfgs-b", "bounds alone")])
def test_a_lower_solver_that_does_not_fit_says_so(peer, shipped, lower, hint):
    from solverkit.errors import UsageError

    with pytest.raises(UsageError, match=hint):
        peer("nested", shipped("ye-zhu-2010-ex42"), lower=lower)


def test_every_option_is_described():
    for model in (KktIpoptOptions, NestedOptions):
        assert all(field.description for field in model.model_fields.values())


@pytest.mark.parametrize("search", ["cobyqa", "cobyla", "powell", "nelder-mead"])
def test_every_search_finds_a_smooth_optimum(peer, shipped, search):
    result = peer("nested", shipped("lampariello-sagratella-2017-ex32"), search=search)
    assert result.fun == pytest.approx(0.5, abs=1e-4)
    assert result.point_status is not PointStatus.INFEASIBLE


@pytest.mark.parametrize("lower", ["quadratic", "slsqp"])
def test_every_lower_solver_answers_alike(peer, shipped, lower):
    result = peer("nested", shipped("sahin-ciric-1998-ex2"), lower=lower, search="powell")
    assert result.fun == pytest.approx(9.0, abs=1e-4) or result.fun == pytest.approx(5.0, abs=1e-4)
