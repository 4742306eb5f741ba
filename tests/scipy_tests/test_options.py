"""Every option of SciPy's methods is taken or refused, and the page says the same."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from scipy.optimize import _cobyla_py, _cobyqa_py, _lbfgsb_py, _optimize, _slsqp_py, _tnc
from scipy.optimize._trustregion import _minimize_trust_region
from scipy.optimize._trustregion_constr import _minimize_trustregion_constr

from solverkit.scipy_interface.options import REFUSED, TAKEN

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "minimize.md"

ARGUMENTS = {"fun", "func", "f", "x0", "args", "jac", "hess", "hessp", "fprime", "fhess", "fhess_p", "grad"} | {
    "bounds",
    "constraints",
    "callback",
    "unknown_options",
}

METHODS = [
    _slsqp_py._minimize_slsqp,
    _minimize_trustregion_constr,
    _cobyla_py._minimize_cobyla,
    _cobyqa_py._minimize_cobyqa,
    _lbfgsb_py._minimize_lbfgsb,
    _tnc._minimize_tnc,
    _optimize._minimize_neldermead,
    _optimize._minimize_powell,
    _optimize._minimize_bfgs,
    _optimize._minimize_cg,
    _optimize._minimize_newtoncg,
    _minimize_trust_region,
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_no_option_is_forgotten(method):
    names = set(inspect.signature(method).parameters) - ARGUMENTS
    assert not names - set(TAKEN) - set(REFUSED)
    assert names


def test_the_page_lists_them():
    rows = [line.strip("|").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    listed = {name.strip(" `"): cells[-1].strip() for cells in rows for name in cells[0].split(", ")}
    for name, text in (TAKEN | REFUSED).items():
        assert listed[name] == text, name
