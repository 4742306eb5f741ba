"""Torch modules as models of a level: their parameters are one block of variables, the module a function of them.

`module={"net": net}` adds a flat block `net` of all parameters, in the order of `named_parameters`, each in C order,
starting at their present values. An objective that names `net` gets a callable:

    net(inputs)          the module's output with these parameters
    net.flat             (P,) the block itself, for regularizers: (net.flat**2).sum()
    net.parameters       name -> tensor of the parameter's shape

One flat block, and not one a parameter, since methods see one vector anyway and names of parameters have dots.
Buffers are frozen at their present values. The module is copied: later changes of it do not reach the problem.
"""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(eq=False)
class Stateless:
    """A module as a pure function of its flat parameters."""

    module: Any
    _places: list[tuple[str, int, int, tuple[int, ...]]] = field(init=False)
    _buffers: dict[tuple[Any, Any], dict[str, Any]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.module = copy.deepcopy(self.module).requires_grad_(False)
        self._places, first = [], 0
        for name, value in self.module.named_parameters():
            self._places.append((name, first, first + value.numel(), tuple(value.shape)))
            first += value.numel()

    def __reduce__(self) -> tuple[Any, ...]:
        return Stateless, (self.module,)

    @property
    def start(self) -> np.ndarray:
        """(P,) the parameters as they are, float64."""
        parts = [value.detach().cpu().double().numpy().ravel() for _, value in self.module.named_parameters()]
        return np.concatenate(parts) if parts else np.zeros(0)

    def at(self, flat: Any) -> At:
        """The module with the parameters `flat`, a tensor (P,)."""
        return At(self, flat)

    def named(self, flat: Any) -> dict[str, Any]:
        """The parameters by name, views of `flat`."""
        return {name: flat[first:last].reshape(shape) for name, first, last, shape in self._places}

    def buffers(self, like: Any) -> dict[str, Any]:
        """The frozen buffers on the device and, where they are real numbers, in the precision of a tensor."""
        key = (like.device, like.dtype)
        if key not in self._buffers:
            self._buffers[key] = {
                name: value.to(device=like.device, dtype=like.dtype if value.is_floating_point() else value.dtype)
                for name, value in self.module.named_buffers()
            }
        return self._buffers[key]

    def digest(self) -> str:
        """A hex sha256 of the module's layout, printed form and buffers; its start belongs to the block."""
        state = hashlib.sha256(repr((str(self.module), self._places)).encode())
        for name, value in self.module.named_buffers():
            state.update(name.encode() + np.ascontiguousarray(value.detach().cpu().numpy()).tobytes())
        return state.hexdigest()


@dataclass(frozen=True, eq=False)
class At:
    """What an objective gets in place of a module's block."""

    model: Stateless
    flat: Any

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name."""
        return self.model.named(self.flat)

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """The module's output."""
        from torch.func import functional_call

        state = (self.parameters, self.model.buffers(self.flat))
        return functional_call(self.model.module, state, inputs, named)


def refusal(module: Any) -> str:
    """Why a module cannot be a level's model; empty where it can."""
    import torch

    if not isinstance(module, torch.nn.Module):
        return f"needs a torch module, not {type(module).__name__}"
    if not any(True for _ in module.parameters()):
        return f"{type(module).__name__} has no parameters: nothing to decide"
    if any(value.is_complex() for value in module.parameters()):
        return f"{type(module).__name__} has complex parameters; only real ones can be optimized"
    dropout = torch.nn.modules.dropout._DropoutNd
    batch_norm = torch.nn.modules.batchnorm._NormBase
    for name, part in module.named_modules():
        label = f"layer '{name}' ({type(part).__name__})"
        if isinstance(part, batch_norm) and not part.track_running_stats:
            return f"{label} normalizes by the batch: the objective is no mean over samples. Use LayerNorm or GroupNorm"
        if isinstance(part, dropout | batch_norm) and part.training:
            return f"{label} is in training mode, where it is no function of its inputs alone: call .eval() first"
        if isinstance(part, torch.nn.RNNBase) and part.dropout > 0 and part.training:
            return f"{label} is in training mode with dropout: call .eval() first"
    return ""
