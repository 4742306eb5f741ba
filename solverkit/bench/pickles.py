"""Problems and results on their way between processes: by value, so that what a notebook defined arrives too."""

from __future__ import annotations

import pickle
from typing import Any

from solverkit.errors import UsageError


def dumps(value: Any) -> bytes:
    """The bytes of an object, by cloudpickle where it is there. Raises UsageError for what cannot be sent."""
    try:
        return _pickler().dumps(value)
    except Exception as error:
        name = getattr(value, "name", type(value).__name__)
        raise UsageError(
            f"{name!r} cannot be sent to a worker process ({type(error).__name__}: {error}); "
            "write it as a problem file, or solve it in this process with jobs=1"
        ) from None


loads = pickle.loads


def _pickler() -> Any:
    try:
        import cloudpickle
    except ImportError:
        try:
            from joblib.externals import cloudpickle
        except ImportError:
            return pickle
    return cloudpickle
