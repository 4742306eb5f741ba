"""What an .nl file says, segment by segment, and whether all that its header promises is there.

    min or max  o(x)   s.t.   lower <= c(x) <= upper,   lowest <= x <= highest,
    c_i(x) = C_i(x) + sum_j J_ij x_j,   o(x) = O(x) + sum_j G_j x_j

C, O are expressions, which may use defined variables (V segments); J and G are sparse linear parts. Described by
D. M. Gay, "Writing .nl files" (Sandia report 2005-7907P).

The reader is our own because others crash, hang, or take half a file for a whole one where it is damaged. Here every
count of the header is held against what is there, the last line must end, and nothing is allocated that is larger than
the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.formats.files import Refused
from solverkit.formats.nl.expressions import NUMBER, Expression, Reader
from solverkit.formats.nl.header import Header, read_header
from solverkit.formats.nl.text import Lines, Pairs

ZERO = Expression((NUMBER,), [0.0])
Segment = Callable[["Model", Lines, Reader, list[str]], None]
NOTHING: Pairs = (np.zeros(0, dtype=np.int64), np.zeros(0))


@dataclass(eq=False)
class Model:
    """The content of one file. Pickles by its bytes."""

    content: bytes
    header: Header
    defined: dict[int, tuple[Expression, Pairs]] = field(default_factory=dict)  # from 0; each uses those before it
    rows: dict[int, Expression] = field(default_factory=dict)
    linear: dict[int, Pairs] = field(default_factory=dict)
    objective: Expression | None = None
    objective_linear: Pairs = NOTHING
    maximize: bool = False
    bounds: dict[str, np.ndarray] = field(default_factory=dict)  # "r" of rows and "b" of variables, (count, 2)
    start: Pairs = NOTHING
    duals: Pairs = NOTHING  # AMPL's: d objective / d right-hand side
    columns: np.ndarray | None = None  # entries of J in each column, from the k segment

    def __reduce__(self) -> tuple[Any, ...]:
        return read_model, (self.content,)

    def digest(self) -> str:
        """A hex sha256 of the file."""
        return hashlib.sha256(self.content).hexdigest()

    def jacobian(self) -> csr_array:
        """The linear parts of the rows, (m, n)."""
        shape = (self.header.constraints, self.header.variables)
        places = [(np.full(len(columns), row), columns, values) for row, (columns, values) in self.linear.items()]
        if not places:
            return csr_array(shape)
        rows, columns, values = (np.concatenate(part) for part in zip(*places, strict=True))
        used = values != 0  # a variable that only C uses is listed with 0
        return csr_array((values[used], (rows[used], columns[used])), shape=shape)


def read_model(content: bytes) -> Model:
    """The model in the bytes of a file; `Refused` with the line where they do not hold one."""
    lines = Lines(content)
    model = Model(content, read_header(lines))
    _refuse_what_is_not_solved(model.header, lines)
    header = model.header
    expressions = Reader(lines, header.variables, header.variables + header.defined)
    seen: set[str] = set()
    while lines.at < len(lines):
        line = lines.next("a segment")
        read = _SEGMENTS.get(line[:1])
        if read is None:
            raise lines.refuse(f"'{line[:30]}' where a segment (C, O, V, J, G, b, r, x, ...) is expected")
        once = line[:1] if line[:1] in "bdkKrx" else ""
        if once and once.lower() in seen:
            raise lines.refuse(f"a second {once} segment")
        seen.add(once.lower())
        read(model, lines, expressions, line[1:].split())
    _check_complete(model, len(lines) + 1)
    return model


def _refuse_what_is_not_solved(header: Header, lines: Lines) -> None:
    if header.variables == 0:
        raise Refused("the problem has no variables", 2, 1)
    if header.objectives > 1:
        raise Refused(f"{header.objectives} objectives; keep one", 2, 1)
    if header.logical:
        raise Refused(f"{header.logical} logical constraints, which are not solved here", 2, 1)
    if header.complementarity:
        raise Refused("complementarity conditions, which are not solved here", 3, 1)
    if header.variables + header.constraints > len(lines):
        count = header.variables + header.constraints
        raise Refused(f"bounds of {count} variables and rows do not fit a file of {len(lines)} lines: cut?", 2, 1)


def _check_complete(model: Model, end: int) -> None:
    """Everything that the header announces is there."""
    header = model.header
    missing = [f"C{row}" for row in range(header.constraints) if row not in model.rows][:1]
    missing += ["O0"] if header.objectives and model.objective is None else []
    missing += [f"V{header.variables + k}" for k in range(header.defined) if k not in model.defined][:1]
    missing += ["r"] if header.constraints and "r" not in model.bounds else []
    missing += ["F0"] if header.functions else []  # where it is there, it has been refused
    missing += ["b"] if "b" not in model.bounds else []
    if missing:
        raise Refused(f"the segment {missing[0]} is missing: the file may be cut", end, 1)
    entries = sum(len(columns) for columns, _ in model.linear.values())
    gradient, _ = model.objective_linear
    for name, found, promised in (
        ("J", entries, header.jacobian),
        ("G", len(gradient), header.gradient),
    ):
        if found != promised:
            raise Refused(
                f"{found} entries in {name} segments where {promised} are promised: the file may be cut", end, 1
            )
    if model.columns is not None and entries:
        used = np.concatenate([columns for columns, _ in model.linear.values()])
        if np.any(np.bincount(used, minlength=header.variables)[:-1] != model.columns):
            raise Refused("the k segment does not agree with the J segments: the file may be damaged", end, 1)


# -- segments -------------------------------------------------------------------------------------------------------


def _words(lines: Lines, words: list[str], count: int, form: str) -> list[str]:
    if len(words) != count:
        raise lines.refuse(f"a segment of the form {form} is expected")
    return words


def _read_defined(model: Model, lines: Lines, expressions: Reader, words: list[str]) -> None:
    name, count, _ = _words(lines, words, 3, "V<index> <linear terms> <use>")
    n = model.header.variables
    index = lines.integer(name, "a defined variable", n + model.header.defined)
    if index < n or index in expressions.defined:
        raise lines.refuse(f"V{index} is a variable already; those from v{n} on are defined, each once")
    terms = lines.integer(count, "a number of terms", len(lines))
    linear = lines.pairs(terms, "a term of a V segment", n)
    model.defined[index - n] = expressions.read(), linear
    expressions.defined.add(index)


def _read_row(model: Model, lines: Lines, expressions: Reader, words: list[str]) -> None:
    row = lines.integer(_words(lines, words, 1, "C<row>")[0], "a row", model.header.constraints)
    if row in model.rows:
        raise lines.refuse(f"a second C{row}")
    model.rows[row] = expressions.read()


def _read_objective(model: Model, lines: Lines, expressions: Reader, words: list[str]) -> None:
    index, sense = _words(lines, words, 2, "O<objective> <sense>")
    lines.integer(index, "an objective", model.header.objectives)
    if model.objective is not None:
        raise lines.refuse("a second O0")
    model.maximize = lines.integer(sense, "a sense", 2) == 1
    model.objective = expressions.read()


def _read_jacobian(model: Model, lines: Lines, expressions: Reader, words: list[str]) -> None:
    index, count = _words(lines, words, 2, "J<row> <entries>")
    row = lines.integer(index, "a row", model.header.constraints)
    if row in model.linear:
        raise lines.refuse(f"a second J{row}")
    entries = lines.integer(count, "a number of entries", model.header.variables + 1)
    model.linear[row] = lines.pairs(entries, f"an entry of J{row}", model.header.variables)


def _read_gradient(model: Model, lines: Lines, expressions: Reader, words: list[str]) -> None:
    index, count = _words(lines, words, 2, "G<objective> <entries>")
    lines.integer(index, "an objective", model.header.objectives)
    if model.objective_linear is not NOTHING:
        raise lines.refuse("a second G0")
    entries = lines.integer(count, "a number of entries", model.header.variables + 1)
    model.objective_linear = lines.pairs(entries, "an entry of G0", model.header.variables)


def _read_bounds(what: str, count: Callable[[Header], int]) -> Segment:
    def read(model: Model, lines: Lines, expressions: Reader, words: list[str]) -> None:
        _words(lines, words, 0, what)
        bounds = np.empty((count(model.header), 2))
        for position in range(len(bounds)):
            bounds[position] = _bounds(lines, what)
        model.bounds[what] = bounds

    return read


def _bounds(lines: Lines, what: str) -> tuple[float, float]:
    """Two bounds: a code, and the numbers that it asks for."""
    code, *words = lines.next("a line of bounds").split() or [""]
    infinity = float("inf")
    numbers = {"0": 2, "1": 1, "2": 1, "3": 0, "4": 1}.get(code)
    if code == "5" and what == "r":
        raise lines.refuse("a complementarity condition, which is not solved here")
    if numbers is None or len(words) != numbers:
        raise lines.refuse("bounds are 0 and two numbers, 1 and an upper, 2 and a lower one, 3, or 4 and a value")
    values = [lines.number(word) for word in words]
    match code:
        case "0":
            if values[0] > values[1]:
                raise lines.refuse(f"the lower bound {values[0]:g} and the upper bound {values[1]:g} leave no room")
            return values[0], values[1]
        case "1":
            return -infinity, values[0]
        case "2":
            return values[0], infinity
        case "3":
            return -infinity, infinity
        case _:
            return values[0], values[0]


def _read_guess(name: str, what: str, limit: Callable[[Header], int]) -> Segment:
    def read(model: Model, lines: Lines, expressions: Reader, words: list[str]) -> None:
        bound = limit(model.header)
        count = lines.integer(_words(lines, words, 1, f"{what}<entries>")[0], "a number of entries", bound + 1)
        setattr(model, name, lines.pairs(count, f"an entry of the {what} segment", bound))

    return read


def _read_columns(cumulative: bool) -> Segment:
    def read(model: Model, lines: Lines, expressions: Reader, words: list[str]) -> None:
        count = lines.integer(_words(lines, words, 1, "k<entries>")[0], "a number of entries", len(lines))
        if count != model.header.variables - 1:
            raise lines.refuse(f"{count} entries of a k segment; {model.header.variables - 1} are needed")
        numbers = lines.integers(count, "an entry of the k segment")
        model.columns = np.diff(numbers, prepend=0) if cumulative else numbers

    return read


def _read_suffix(model: Model, lines: Lines, expressions: Reader, words: list[str]) -> None:
    """Suffixes are for other solvers; they are read to see where they end."""
    kind, count, _ = _words(lines, words, 3, "S<kind> <entries> <name>")
    header = model.header
    limits = (header.variables, header.constraints + header.logical, header.objectives, 1)
    limit = limits[lines.integer(kind, "a kind of suffix", 8) % 4]
    lines.pairs(lines.integer(count, "a number of entries", limit + 1), "an entry of an S segment", limit)


def _refuse_function(model: Model, lines: Lines, expressions: Reader, words: list[str]) -> None:
    name = words[-1][:60] if len(words) == 4 else "?"
    raise lines.refuse(f"the imported function '{name}' is code outside of the file; write it as a formula")


def _refuse_logical(model: Model, lines: Lines, expressions: Reader, words: list[str]) -> None:
    raise lines.refuse("a logical constraint, which is not solved here")


_SEGMENTS: dict[str, Segment] = {
    "C": _read_row,
    "F": _refuse_function,
    "G": _read_gradient,
    "J": _read_jacobian,
    "K": _read_columns(cumulative=False),
    "L": _refuse_logical,
    "O": _read_objective,
    "S": _read_suffix,
    "V": _read_defined,
    "b": _read_bounds("b", lambda header: header.variables),
    "d": _read_guess("duals", "d", lambda header: header.constraints),
    "k": _read_columns(cumulative=True),
    "r": _read_bounds("r", lambda header: header.constraints),
    "x": _read_guess("start", "x", lambda header: header.variables),
}
