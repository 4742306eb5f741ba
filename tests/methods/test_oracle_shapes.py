"""The shapes that problems say of their oracles' values are those of the values, and name the oracle that is wrong."""

from __future__ import annotations

from copy import copy

import numpy as np
import pytest

import solverkit as sk
from solverkit.engine.status import Termination
from tests.methods.subjects import chosen

METHODS = ("bo-rep", "bsvrb", "composite-auto", "condat-vu", "halpern", "ipopt", "lv-hba", "notears", "penalty",
           "restarted-sliding", "sketched-newton", "topological-swaps", "trust-constr", "vr-halpern")  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_values_have_the_shapes_that_are_said(method):
    subject = next(each for each in chosen() if each.method == method)
    problem = subject.load()
    result = sk.solve(problem, method, max_iter=3)
    assert result.termination is not Termination.ORACLE_FAILED, result.message
    assert {oracle for oracle, calls in result.oracles.items() if calls} & set(problem.oracle_shapes)


def test_a_wrong_shape_at_the_first_call_is_laid_on_the_oracle_that_gave_it():
    problem = copy(next(each for each in chosen() if each.method == "sketched-newton").load())
    right = problem.gradient
    vars(problem)["gradient"] = lambda x: np.concatenate([right(x), right(x)])
    result = sk.solve(problem, "sketched-newton", max_iter=3)
    assert "oracle 'gradient' failed at call 1: it returned the shape (8,) instead of (4,)" in result.message
