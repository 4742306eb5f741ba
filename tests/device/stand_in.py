"""A device named `cuda` that is the CPU: for machines without a GPU, so that the code for devices runs there too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.overrides import TorchFunctionMode


def _here(value: Any) -> Any:
    return "cpu" if isinstance(value, str) and value.partition(":")[0] == "cuda" else value


class StandIn(TorchFunctionMode):
    """While it is entered, tensors that this thread asks for on `cuda` are made on the CPU."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        named = {name: _here(value) if name == "device" else value for name, value in (kwargs or {}).items()}
        return function(*map(_here, args), **named)
