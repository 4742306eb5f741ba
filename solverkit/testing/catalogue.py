"""The checks by name. Each is one function of a `Subject`; its docstring is the sentence the author reads.

A check passes by returning, fails by raising `Failed`, and stands aside by raising `Skipped`. `needs` names checks
without which it would only repeat their failure: they come first, and where one fails it is not run.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from solverkit.errors import UsageError
from solverkit.text import nearest

if TYPE_CHECKING:
    from solverkit.testing.subject import Subject

FAMILIES = (
    "api",
    "answer",
    "honesty",
    "hygiene",
    "robustness",
    "reproducibility",
    "resume",
    "limits",
)
"""Modules of `solverkit.testing.checks`, in the order in which they are run."""


@dataclass(frozen=True)
class Check:
    """One check: its name, the function, what to do when it fails, and what it presupposes."""

    name: str
    family: str
    run: Callable[[Subject], None]
    mend: str
    needs: tuple[str, ...]

    @property
    def means(self) -> str:
        """The contract in a sentence."""
        return " ".join((self.run.__doc__ or "").split())


_CHECKS: dict[str, Check] = {}


def check(mend: str, needs: tuple[str, ...] = ()) -> Callable[[Callable], Callable]:
    """Register a function as the check of its name."""

    def register(function: Callable) -> Callable:
        family = function.__module__.rpartition(".")[2]
        _CHECKS[function.__name__] = Check(function.__name__, family, function, mend, needs)
        return function

    return register


def catalogue() -> dict[str, Check]:
    """Every check by name, in the order in which they are run."""
    for family in FAMILIES:
        importlib.import_module(f"solverkit.testing.checks.{family}")
    return dict(sorted(_CHECKS.items(), key=lambda item: FAMILIES.index(item[1].family)))


def known(names: Iterable[str]) -> None:
    """Raises UsageError where a name is no check."""
    checks = catalogue()
    for name in names:
        if name not in checks:
            raise UsageError(f"no check {name!r}{nearest(name, checks)} (checks: {', '.join(checks)})")
