"""A user's objective over data and modules, on all of its samples, as a `Function`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import issparse

from solverkit.expressions.torch_target import BATCH_ELEMENTS, TorchFunction, _torch, check_device
from solverkit.kinds.bilevel.terms import PythonTerms, arrays_digest, as_tensor


def whole_function(
    terms: PythonTerms,
    sampled: Mapping[str, Any],
    degree: int | None = None,
    device: str = "cpu",
    dtype: str = "float64",
) -> TorchFunction:
    """The objective with all rows of the sampled data."""
    check_device(device)
    torch = _torch()
    kind = getattr(torch, dtype)
    places, first = {}, 0
    for name, shape in terms.shapes.items():
        size = int(np.prod(shape, dtype=int))
        places[name] = (slice(first, first + size), tuple(shape))
        first += size
    rows = {
        name: as_tensor(torch, value.toarray() if issparse(value) else value, device, kind)
        for name, value in sampled.items()
        if name in terms.names
    }

    def call(z: Any) -> Any:
        blocks = {name: z[place].reshape(shape) for name, (place, shape) in places.items() if name in terms.names}
        return terms.value(torch, blocks | rows, device, kind).reshape(1)

    return TorchFunction(
        call,
        first,
        1,
        device,
        dtype,
        degree=degree,
        digest=_digest(terms, sampled),
        rebuild=lambda device, dtype: whole_function(terms, sampled, degree, device, dtype),
        largest=BATCH_ELEMENTS // 32,
        reduce=(whole_function, (terms, dict(sampled), degree, device, dtype)),
    )


def _digest(terms: PythonTerms, sampled: Mapping[str, Any]) -> str:
    return hashlib.sha256(terms.digest().encode() + arrays_digest(sampled)).hexdigest()
