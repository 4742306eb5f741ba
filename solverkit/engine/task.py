"""What is asked of one run, checked before any work."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import metadata
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.engine.limits import Limits
from solverkit.engine.points import starting_point
from solverkit.engine.progress import Mode
from solverkit.errors import UsageError
from solverkit.kinds.base import Point, Problem
from solverkit.text import clean

if TYPE_CHECKING:
    from solverkit.registry.specs import SolverSpec


@dataclass(frozen=True, eq=False)
class Task:
    """One problem, one method, and how to run it."""

    problem: Problem
    spec: SolverSpec
    solver: Any  # a Solver or a OneShotSolver with its options
    kind: Any  # the Kind that certifies
    start: Mapping[str, Any] | None
    limits: Limits
    tol: float
    seed: int
    device: str
    dtype: str
    target: bool | int
    callback: Callable[..., Any] | None
    progress: Mode
    source: str  # the problem's file, empty where it has none
    distribution: str  # that the method came with, empty: guessed from its package

    def check(self) -> None:
        """Raise UsageError for what can be seen to be wrong before any work."""
        if not (isinstance(self.tol, (int, float)) and isfinite(self.tol) and self.tol > 0):
            raise UsageError(f"tol is a positive number; {self.tol!r} was given")
        if isinstance(self.seed, bool) or not isinstance(self.seed, (int, np.integer)) or self.seed < 0:
            raise UsageError(f"seed is a whole number, 0 or more; {self.seed!r} was given")
        if not isinstance(self.target, (bool, int)) or self.target < 0:
            raise UsageError(f"target is True, False or a number of steps; {self.target!r} was given")
        if self.problem.kind != self.spec.kind:
            kinds = f"method {self.spec.name!r} solves {self.spec.kind} problems; {clean(self.problem.name)!r} is"
            raise UsageError(f"{kinds} {self.problem.kind}. See `solverkit methods`")
        family = self.device.partition(":")[0]
        for asked, known, noun in (
            (family, self.spec.backends, "device"),
            (self.dtype, self.spec.dtypes, "dtype"),
        ):
            if asked not in known:
                raise UsageError(
                    f"method {self.spec.name!r} runs on {noun} {' or '.join(known)}, not {clean(asked)!r}: "
                    f"leave {noun} out, or choose a method that has it (`solverkit methods`)"
                )

    @cached_property
    def starting(self) -> Point:
        """The checked starting point."""
        return starting_point(self.problem, self.seed, self.start)

    @property
    def options(self) -> dict[str, Any]:
        """The effective options, defaults included."""
        return self.solver.options.model_dump(mode="json")

    @property
    def package(self) -> str:
        """The top-level package of the method."""
        return type(self.solver).__module__.partition(".")[0]

    @property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint must agree with."""
        digest = hashlib.sha256()
        for name, block in sorted(self.starting.items()):
            digest.update(f"{name} {block.shape} {block.dtype}".encode() + np.ascontiguousarray(block).tobytes())
        return {
            "fingerprint": self.problem.fingerprint(),
            "kind": self.problem.kind,
            "method": self.spec.name,
            "options": self.options,
            "tol": float(self.tol),
            "seed": int(self.seed),
            "device": self.device,
            "dtype": self.dtype,
            "start": digest.hexdigest(),
        }

    @property
    def versions(self) -> dict[str, str]:
        """Versions of what had a part in the answer."""
        plugin = self.distribution or self.package
        found = {"solverkit": _version("solverkit"), plugin: _version(plugin)}
        for library in ("numpy", "scipy", "torch", "numba", "casadi"):
            if library in sys.modules:
                found[library] = getattr(sys.modules[library], "__version__", "unknown")
        return found | {"python": sys.version.split()[0]}


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(package.replace("_", "-"))
    except (metadata.PackageNotFoundError, ValueError):
        return str(getattr(sys.modules.get(package), "__version__", "unknown"))


class Clock:
    """Seconds in the method: what came before a resume counts, certificates do not."""

    def __init__(self, before: float = 0.0) -> None:
        self._zero = time.perf_counter() - before
        self.aside = 0.0

    def elapsed(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self._zero

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Time that is not the method's; it adds up in `aside`."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - begun
            self._zero += spent
            self.aside += spent
