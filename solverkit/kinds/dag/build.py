"""Structure learning problems from Python, without a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds import from_python
from solverkit.kinds.dag.kind import DagKind
from solverkit.kinds.dag.problem import Dag
from solverkit.kinds.source import NamedSource
from solverkit.text import clean


def dag(
    samples: Any = None,
    *,
    gram: Any = None,
    count: int | None = None,
    variables: Sequence[str] | None = None,
    score: str = "least-squares",
    penalty: Mapping[str, float] | None = None,
    hidden: int = 40,
    center: bool | None = None,
    standardize: bool = False,
    forbidden: Sequence[Sequence[str]] = (),
    required: Sequence[Sequence[str]] = (),
    tiers: Sequence[Sequence[str]] = (),
    truth: Any = None,
    name: str = "dag",
    expect: Mapping[str, Any] | None = None,
) -> Dag:
    """A structure learning problem from an array or a data frame, or from a Gram matrix.

    samples : (n, d) array, or a pandas data frame, whose column names are the variables'
    gram, count : S = X'X / n, (d, d), and n, in place of samples; `solverkit.kinds.dag.gram.moments` makes one of a
        table that comes in pieces
    score : least-squares, bic, logistic or mlp; see `problem.SCORES`
    penalty : `l1`, `l2` of mlp, `edges` of bic
    forbidden, required : edges [from, to] by names; tiers : groups of names, earliest first
    truth : (d, d) the true weights, where they are known

    Raises `InvalidProblem` with everything that is wrong, `UsageError` for samples that are no numbers.

        problem = dag(frame, score="bic", tiers=[["age", "sex"], ["pressure"]])
    """
    if hasattr(samples, "columns") and hasattr(samples, "to_numpy"):
        samples, variables = _frame(samples, variables)
    elif samples is not None and not hasattr(samples, "tocsr"):
        samples = _array(samples)
    given: dict[str, Any] = {
        "score": score,
        "penalty": dict(penalty or {}),
        "hidden": hidden,
        "center": center,
        "standardize": standardize,
        "forbidden": [tuple(edge) for edge in forbidden],
        "required": [tuple(edge) for edge in required],
        "tiers": [list(tier) for tier in tiers],
    }
    optional = {"samples": samples, "gram": gram, "count": count, "truth": truth}
    given |= {key: value for key, value in optional.items() if value is not None}
    if variables is not None:
        given["variables"] = [str(each) for each in variables]
    source = NamedSource(name, None, None, expect)
    problem: Dag = from_python.build(DagKind(), given, source)
    return problem


def _frame(frame: Any, variables: Sequence[str] | None) -> tuple[np.ndarray, Sequence[str]]:
    """The numbers and the names of a data frame; what is missing is NaN."""
    names = [str(column) for column in frame.columns]
    wrong = [name for name, dtype in zip(names, frame.dtypes, strict=True) if _kind(dtype) not in "fiub"]
    if wrong:
        shown = ", ".join(repr(clean(name, 60)) for name in wrong[:5])
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise UsageError(
            f"columns {shown}{more} hold no numbers: leave categorical columns out, or encode each as numbers whose "
            "order means something (columns of numbers kept as objects: frame.infer_objects())"
        )
    given = names if variables is None else variables
    return frame.to_numpy(dtype=float, na_value=np.nan), given


def _kind(dtype: Any) -> str:
    """NumPy's letter for a column's type; pandas' own types of numbers have it too."""
    return str(getattr(dtype, "kind", "O"))


def _array(samples: Any) -> np.ndarray:
    """Samples as float64, whatever their shape."""
    try:
        array = np.asarray(samples)
    except ValueError as error:
        raise UsageError(f"samples: rows of different lengths are no table ({error})") from None
    if array.dtype.kind not in "fiub":
        raise UsageError(
            f"samples hold {array.dtype}, and only real numbers can be used: give an array of floats, or a data frame "
            "of columns of numbers"
        )
    return array.astype(float)
