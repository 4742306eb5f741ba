"""The smallest file that shows the same failure: `solverkit check --reduce FILE`.

    a failure (failure.py), seen in a child process that may crash or hang (child.py)
    fewer parts (fewer.py): of a text, line by line (text.py); of a problem file, key by key (edits.py, expressions.py),
    with data that shrink along (arrays.py)

Delta debugging after Zeller and Hildebrandt, IEEE Transactions on Software Engineering 28 (2002).
"""

from __future__ import annotations

from solverkit.reduction.failure import Failure, Question
from solverkit.reduction.reduce import NothingFails, Reduced, reduce

__all__ = ["Failure", "NothingFails", "Question", "Reduced", "reduce"]
