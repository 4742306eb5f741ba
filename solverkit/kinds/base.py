"""What every kind of problem shares: blocks, points, oracles that are counted, and a certificate.

This is all that the engine knows of a problem. Nothing here asks for one flat vector or for an objective: a sequence of
linear systems has neither.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    import numpy as np
    from pydantic import BaseModel

    from solverkit.expressions.function import Function
    from solverkit.expressions.tree import Tree

Point = dict[str, "np.ndarray"]
"""Named blocks: variables, and where a method knows them multipliers, an order, ..."""


class PointStatus(enum.Enum):
    """What a point is, as the core found it. The value is the sentence that the user reads."""

    CERTIFIED = "every condition of the certificate holds within its tolerance"
    FEASIBLE = "the constraints hold, but optimality was not confirmed: give it more iterations or a tighter tol"
    INFEASIBLE = "a constraint is violated beyond its tolerance: see the certificate for which, and by how much"
    UNVERIFIED = "the certificate could not be computed: its note says why"


@dataclass(frozen=True)
class Term:
    """One condition of a certificate: holds where `value / scaling <= tolerance`. NaN never holds.

    `scaling` makes the value free of units; it is part of the answer so that anybody can recompute the ratio.
    """

    name: str
    value: float
    tolerance: float
    scaling: float = 1.0
    feasibility: bool = False  # a violated feasibility term makes the point INFEASIBLE, any other one FEASIBLE
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the condition holds."""
        return self.value / self.scaling <= self.tolerance


@dataclass(frozen=True)
class Certificate:
    """The verdict on one point: its terms, and facts worth knowing that decide nothing (objective values, labels)."""

    terms: tuple[Term, ...]
    facts: Mapping[str, float | str | bool] = field(default_factory=dict)
    unverified: str = ""  # why there is no verdict; empty where there is one

    @property
    def status(self) -> PointStatus:
        """What the point is by these terms."""
        if self.unverified or not self.terms:
            return PointStatus.UNVERIFIED
        if not all(term.ok for term in self.terms if term.feasibility):
            return PointStatus.INFEASIBLE
        return PointStatus.CERTIFIED if all(term.ok for term in self.terms) else PointStatus.FEASIBLE

    @property
    def sentence(self) -> str:
        """The verdict as the user reads it. Oracles that contradict each other come first: no effort mends them."""
        wrong = [term for term in self.terms if term.name == "oracles" and not term.ok]
        if not wrong or self.status is PointStatus.UNVERIFIED:
            return self.status.value
        note = f" ({wrong[0].note})" if wrong[0].note else ""
        return f"the problem's own functions contradict each other{note}: correct them, nothing can be confirmed before"

    def __getitem__(self, name: str) -> Term:
        for term in self.terms:
            if term.name == name:
                return term
        raise KeyError(f"no term {name!r} (terms here: {', '.join(term.name for term in self.terms)})")

    def _repr_html_(self) -> str:
        from solverkit.display.html import of_certificate

        return of_certificate(self)


@dataclass(frozen=True)
class Weighted:
    """A counter that one call moves by more than 1: `by(*arguments)` says how much, before the call."""

    counter: str
    by: Callable[..., int]


@dataclass(frozen=True)
class Block:
    """One named block of variables and where it starts."""

    name: str
    shape: tuple[int, ...]
    start: np.ndarray  # float64, of `shape`

    @property
    def size(self) -> int:
        """Its number of entries."""
        size = 1
        for length in self.shape:
            size *= length
        return size


def flat_vector(blocks: Sequence[Block], point: Point, name: str) -> np.ndarray:
    """The blocks of a point in their order, ravelled in C order, as one float64 vector.

    KeyError names a missing block, ValueError one of a wrong shape; `name` is the problem's."""
    import numpy as np

    parts = [np.zeros(0)]
    for block in blocks:
        value = np.asarray(point[block.name], dtype=float)
        if value.shape != block.shape:
            raise ValueError(f"block {block.name!r} has shape {value.shape}; problem {name!r} has {block.shape}")
        parts.append(value.ravel())
    return np.concatenate(parts)


def named_blocks(blocks: Sequence[Block], vector: np.ndarray) -> Point:
    """The inverse of `flat_vector`: blocks by name, copies."""
    point, offset = {}, 0
    for block in blocks:
        point[block.name] = vector[offset : offset + block.size].reshape(block.shape).copy()
        offset += block.size
    return point


class Problem(ABC):
    """An immutable problem. A kind is a frozen dataclass below this, with its oracles as methods.

    `oracles` maps each oracle's method name to the counter it adds to (`nfev`, `njev`, `nhvp`, `nprox`, `ncomp`,
    `nsolve`, or one of the kind's own), or to a `Weighted` one where a call does the work of many. The engine hands
    methods a proxy that counts exactly these; everything else passes through untouched.
    """

    kind: ClassVar[str]
    oracles: ClassVar[Mapping[str, str | Weighted]]
    name: str

    @property
    @abstractmethod
    def provides(self) -> frozenset[str]:
        """Capabilities that a method may require, such as `gradient`, `hvp`, `affine-constraints`."""

    @abstractmethod
    def start(self, rng: np.random.Generator) -> Point:
        """Where to begin when the user gives nothing: the file's start, or one drawn from `rng`."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Hex sha256 of what is asked (not of device or name): the same in every process."""

    @abstractmethod
    def to(self, device: str, dtype: str) -> Problem:
        """The same problem with its arithmetic on `device` in `dtype`; `self` where nothing changes.

        Raises UsageError where the device is not there or the kind cannot move."""

    def objective(self, point: Point) -> float:
        """What the user calls the value at a point; NaN for kinds without an objective."""
        return float("nan")

    @property
    def oracle_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes of values by oracle, of those that have one shape. A value of another shape ends a run, which
        names the oracle: it would show elsewhere, or nowhere."""
        return {}

    @property
    def expected(self) -> Mapping[str, Any]:
        """The file's `expect:` section; empty where it has none."""
        return {}

    def _repr_html_(self) -> str:
        from solverkit.display.html import of_problem

        return of_problem(self)


class Kind(ABC):
    """One kind of problem, as the registry hands it out."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def schema(self) -> type[BaseModel]:
        """Pydantic model of the kind's keys in problem.yaml (below `solverkit, kind, name, source, parameters, data,
        expect`, which the loader owns)."""

    @abstractmethod
    def build(self, file: Any, source: Source) -> Problem:
        """The problem that a validated `file` (an instance of `schema`) describes. Defects go to `source.defect`."""

    @abstractmethod
    def certify(self, problem: Any, point: Point, tol: float, seed: int) -> Certificate:
        """Recompute every condition in float64 from the problem's own oracles, trusting nothing but `point`."""

    def remarks(self, problem: Any, point: Point) -> Sequence[str]:
        """Sentences for the user about an answer, besides its certificate. They decide nothing."""
        return ()

    def plot(self, point: Point, axes: Any) -> str:
        """Draw a point into matplotlib's `axes`; the title. Default: every block's numbers by their place."""
        from solverkit.display.blocks import draw

        return draw(point, axes)

    def files(self, problem: Any, point: Point) -> Mapping[str, str]:
        """Texts to write beside result.json, by file name: what other programs read, pictures."""
        return {}


class Source(Protocol):
    """What the loader offers a kind while it builds a problem: names, data and expressions with their places.

    `path` is where in the file something stands, as keys: ("lower", "minimize"). A call that finds a defect records it
    and returns a harmless value of the right shape, so that all defects of a file come out at once.
    """

    @property
    def name(self) -> str:
        """The problem's name."""
        ...

    @property
    def expect(self) -> Mapping[str, Any]:
        """The `expect:` section as it stands in the file."""
        ...

    @property
    def parameters(self) -> Mapping[str, float]:
        """Numbers by name."""
        ...

    @property
    def data(self) -> Mapping[str, Any]:
        """Arrays by name: ndarray or csr_array of float64, finite."""
        ...

    @property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the columns of data that came from a table with a header, by name of the data."""
        ...

    @property
    def defects(self) -> Sequence[Any]:
        """What was recorded so far."""
        ...

    def defect(self, path: Sequence[str | int], message: str, offset: int | None = None, key: bool = False) -> None:
        """Record what is wrong at `path`: `offset` characters into its text, or at its `key`."""
        ...

    def shape(self, value: Any, path: Sequence[str | int]) -> tuple[int, ...]:
        """A `shape:` entry (number, parameter expression or list of them) as a tuple."""
        ...

    def array(self, value: Any, shape: tuple[int, ...], path: Sequence[str | int]) -> np.ndarray:
        """A number, parameter expression, nested list or data name, broadcast to `shape` as float64.

        Infinities pass, since bounds may be infinite; NaN is a defect."""
        ...

    def number(self, value: Any, path: Sequence[str | int]) -> float:
        """A number or parameter expression. May be infinite."""
        ...

    def matrix(self, value: Any, columns: int, path: Sequence[str | int]) -> Any:
        """A data name (dense or sparse) or nested list: a matrix with so many columns."""
        ...

    def function(
        self, texts: Sequence[tuple[str, Sequence[str | int]]], variables: Mapping[str, tuple[int, ...]]
    ) -> Function:
        """Compile expressions (each with its path), stacked in order, over the flat vector of `variables`."""
        ...

    def scalar(self, text: str, path: Sequence[str | int], variables: Mapping[str, tuple[int, ...]]) -> Function:
        """Compile one expression that must be a single number."""
        ...

    def tree(self, text: str, path: Sequence[str | int], variables: Mapping[str, tuple[int, ...]]) -> Tree | None:
        """The syntax tree of an expression that must be a single number, for kinds that look at its form.

        None, after a defect, where it has none."""
        ...

    def compiled(self, trees: Sequence[Tree | None], variables: Mapping[str, tuple[int, ...]]) -> Function:
        """Compile syntax trees, stacked in order."""
        ...

    @property
    def constants(self) -> Mapping[str, Any]:
        """Parameters and data, for the value of a tree without variables."""
        ...

    def constraints(
        self, texts: Mapping[str, str], path: Sequence[str | int], variables: Mapping[str, tuple[int, ...]]
    ) -> Constraints:
        """Compile a `subject_to:` mapping."""
        ...

    def matrices(self, folder: str, path: Sequence[str | int]) -> Mapping[str, Callable[[], Any]] | None:
        """The MatrixMarket files of a folder beside the file: name -> how to read it, as csr_array or ndarray, finite.

        Reading gives None, after a defect, where that fails; so does the whole where the folder cannot be used."""
        ...

    def python(self, reference: Any, path: Sequence[str | int]) -> Any:
        """The object that `model.py:name` names; a defect unless the user allowed Python. A callable passes."""
        ...


@dataclass(frozen=True)
class Constraints:
    """lower <= r(z) <= upper, row by row; equality where the bounds agree, infinite where a side is absent."""

    function: Function
    lower: np.ndarray  # (m,)
    upper: np.ndarray  # (m,)
    names: tuple[str, ...]  # (m,) `balance` or `balance[3]`
