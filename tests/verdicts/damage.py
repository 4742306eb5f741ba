"""Wrong answers of many sorts, made from the known answer of a subject of any kind.

Moved by 1e-9 to 10 in all entries or one, near misses (moved just so far that the error is above 1), scaled, rounded,
mixed up, answers of a neighbour, the problem's own sorts, and points of an adversary, who lowers what the certificate
sees as far as he can while the error stays above 1.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from solverkit.kinds.base import Certificate
from tests.verdicts.subject import TOL, Subject

CLIMB = 30  # steps of the adversary


def wrong(subject: Subject, other: Subject | None, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """(sort, vector) with an error above 1."""
    for sort, vector in _candidates(subject, other, rng):
        if vector.shape == subject.answer.shape and subject.error(vector) > 1:
            yield sort, vector


def _candidates(subject: Subject, other: Subject | None, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    u = subject.answer
    size = 1 + np.abs(u)
    yield from subject.own(rng)
    for exponent in (-5, -4, -3, -2, -1, 0, 1):
        step = 10.0 ** (exponent + rng.uniform(-0.5, 0.5))
        yield "moved", u + step * size * rng.standard_normal(u.shape)
        one = u.copy()
        one.flat[rng.integers(u.size)] += step * rng.choice([-1.0, 1.0])
        yield "one entry moved", one
        yield "scaled", u * (1 + step * rng.choice([-1.0, 1.0]))
    for _ in range(6):
        missed = near_miss(subject, rng)
        if missed is not None:
            yield "near miss", missed
    yield "rounded", np.round(u, int(rng.integers(0, 4)))
    yield "entries mixed up", rng.permutation(u.ravel()).reshape(u.shape)
    yield "entries shifted", np.roll(u, 1, axis=-1)
    yield "negated", -u
    yield "zero", np.zeros_like(u)
    yield "some entries zero", np.where(rng.random(u.shape) < 0.4, 0.0, u)
    if other is not None and other.answer.shape == u.shape:
        yield "answer of a neighbour", other.answer
        for share in (1e-4, 1e-2, 0.5):
            yield "between it and a neighbour's", u + share * (other.answer - u)


def near_miss(subject: Subject, rng: np.random.Generator, level: float = 1.0, above: bool = True) -> np.ndarray | None:
    """The answer moved along a random direction just so far that the error is above `level`, or still below it.

    None where it never is above."""
    u = subject.answer
    direction = (1 + np.abs(u)) * rng.standard_normal(u.shape)
    if rng.random() < 0.5:
        direction *= (np.arange(u.size) == rng.integers(u.size)).reshape(u.shape)
    low, high = 0.0, 1e-12
    while subject.error(u + high * direction) <= level:
        low, high = high, 4 * high
        if high > 1e6:
            return None
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if subject.error(u + middle * direction) > level else (middle, high)
    return u + (high if above else low) * direction


def seen(certificate: Certificate) -> float:
    """The worst term of a certificate, in its tolerances: at most 1 where the answer is certified."""
    if certificate.unverified or not certificate.terms:
        return np.inf
    ratios = [term.value / term.scaling / max(term.tolerance, 1e-300) for term in certificate.terms]
    return float(max(np.inf if ratio != ratio else ratio for ratio in ratios))


def adversary(subject: Subject, start: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray, float]]:
    """Random steps that lower `seen`, from a wrong vector, all of whose points are wrong: (sort, vector, seen)."""
    here, least, step = start, seen(subject.verdict(start, TOL)), 1e-2
    for _ in range(CLIMB):
        towards = subject.answer - here if rng.random() < 0.3 else (1 + np.abs(here)) * rng.standard_normal(here.shape)
        trial = here + step * towards
        if not subject.error(trial) > 1:
            step /= 4
            continue
        value = seen(subject.verdict(trial, TOL))
        yield "adversary", trial, value
        if value < least:
            here, least, step = trial, value, 2 * step
        else:
            step = max(step / 2, 1e-9)
