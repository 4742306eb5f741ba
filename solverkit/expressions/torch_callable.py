"""Users' torch functions: how they are called with named blocks, and what they may return."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from tokenize import TokenError
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.expressions import shapes as rule
from solverkit.expressions.shapes import Shape


def flat_call(
    torch: Any, fun: Callable[..., Any], blocks: dict[str, Shape], device: str, kind: Any
) -> Callable[[Any], Any]:
    """The map of a flat tensor (n,) to a flat tensor (m,) that calls `fun` with its blocks.

    Raises UsageError for a signature that does not fit the blocks; the map raises TypeError where `fun` returns
    something else than real tensors.
    """
    wanted = _parameters(fun, blocks)
    places: dict[str, tuple[slice, Shape]] = {}
    first = 0
    for name, shape in blocks.items():
        places[name] = (slice(first, first + rule.size(shape)), shape)
        first += rule.size(shape)
    label = getattr(fun, "__name__", type(fun).__name__)

    def call(z: Any) -> Any:
        if wanted is None:
            returned = fun(z)
        else:
            returned = fun(**{name: z[places[name][0]].reshape(places[name][1]) for name in wanted})
        parts = returned if isinstance(returned, tuple | list) else (returned,)
        return torch.cat([_flat(torch, part, label, device, kind) for part in parts]) if parts else z[:0]

    return call


def _parameters(fun: Callable[..., Any], blocks: dict[str, Shape]) -> list[str] | None:
    """The blocks that `fun` takes by name; None where it takes the flat tensor."""
    try:
        parameters = list(inspect.signature(fun).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(part.kind is part.VAR_KEYWORD for part in parameters):
        return list(blocks)
    named = [part.name for part in parameters if part.kind in (part.POSITIONAL_OR_KEYWORD, part.KEYWORD_ONLY)]
    required = [part for part in parameters if part.default is part.empty and part.kind is not part.VAR_POSITIONAL]
    if required and all(part.name in blocks and part.kind is not part.POSITIONAL_ONLY for part in required):
        return [name for name in blocks if name in named]
    if len(required) == 1 and required[0].kind is not required[0].KEYWORD_ONLY:
        return None
    label = getattr(fun, "__name__", type(fun).__name__)
    raise UsageError(
        f"{label}({', '.join(part.name for part in required)}) takes names that are not variables; "
        f"the variables are {', '.join(blocks)}"
    )


def _flat(torch: Any, part: Any, label: str, device: str, kind: Any) -> Any:
    """One returned value as a flat tensor; TypeError where it is no real tensor."""
    if isinstance(part, int | float) and not isinstance(part, bool):
        return torch.full((1,), float(part), dtype=kind, device=device)
    if not isinstance(part, torch.Tensor):
        hint = "; without torch operations there are no derivatives" if isinstance(part, np.ndarray) else ""
        raise TypeError(f"{label} returned {type(part).__name__}, not a torch tensor{hint}")
    if part.is_complex():
        raise TypeError(f"{label} returned a complex tensor; only real functions can be optimized")
    return part.reshape(-1).to(device=device, dtype=kind)


def callable_digest(fun: Callable[..., Any], blocks: Mapping[str, Shape]) -> str:
    """A hex sha256 of a callable's source and the numbers and arrays it closes over or has as defaults.

    What it reads from globals and other objects is not seen; give `digest` where that matters.
    """
    state = hashlib.sha256(repr(list(blocks.items())).encode())
    state.update(_source(fun))
    cells = [cell.cell_contents for cell in getattr(fun, "__closure__", None) or ()]
    for value in [*cells, *(getattr(fun, "__defaults__", None) or ())]:
        tensor = hasattr(value, "detach") and not isinstance(value, ModuleType)  # torch itself has that name too
        numbers = value.detach().cpu().numpy() if tensor else value
        if isinstance(numbers, np.ndarray | int | float):
            array = np.asarray(numbers)
            state.update(repr((array.shape, array.dtype.str)).encode() + np.ascontiguousarray(array).tobytes())
    return state.hexdigest()


def _source(fun: Callable[..., Any]) -> bytes:
    """The source where there is one, else the compiled code: of what was typed in, or a file that has changed since."""
    try:
        return inspect.getsource(fun).encode()
    except (OSError, TypeError, SyntaxError, TokenError):
        code = getattr(fun, "__code__", None)
        return _compiled(code) if code else repr(type(fun)).encode()


def _compiled(code: CodeType) -> bytes:
    """Instructions, names and constants, of functions within too: nothing that differs between processes."""
    constants = [_compiled(part) if isinstance(part, CodeType) else _constant(part) for part in code.co_consts]
    return b"\0".join([code.co_code, repr(code.co_names).encode(), *constants])


def _constant(part: object) -> bytes:
    return repr(sorted(map(repr, part)) if isinstance(part, frozenset) else part).encode()
