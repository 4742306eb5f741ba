"""Where the subjects of each kind are."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import numpy as np

from tests.verdicts.subject import Subject

KINDS = ("bilevel", "composite", "dag", "inclusion", "linear_sequence", "nonlinear")


def subjects(kind: str, rng: np.random.Generator) -> Iterator[Subject]:
    """Without an end."""
    found: Iterator[Subject] = import_module(f"tests.verdicts.{kind}").subjects(rng)
    return found
