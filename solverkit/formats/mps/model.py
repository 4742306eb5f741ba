"""What an MPS file says: rows with their sides, columns with their entries and bounds.

| section | fields | meaning |
|---|---|---|
| NAME | name | |
| OBJSENSE | MAX, MIN | in the line itself or below it; minimization where it is missing |
| OBJNAME | row | the objective; else the first N row is. Other N rows say nothing and are left out |
| ROWS | type, row | N, L (<=), G (>=), E (=) |
| COLUMNS | column, row, number [, row, number] | all entries of a column in one run |
| RHS | [set,] row, number [...] | the side of a row; of the objective: the negative of its constant |
| RANGES | [set,] row, number [...] | L: [b - abs(r), b]; G: [b, b + abs(r)]; E: [b, b + r], or [b + r, b] for r < 0 |
| BOUNDS | type, [set,] column [, number] | UP, LO, FX, FR, MI, PL; all variables begin at [0, inf) |
| ENDATA | | the end: without it the file may be cut |

UP with a negative number and no lower bound at all means [-inf, up] to some readers and [0, up], which is empty, to
others (HiGHS 1.16): it is refused. A file holds one set of
right-hand sides, ranges and bounds; a second one is refused rather than passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from math import inf

from solverkit.formats.files import Refused
from solverkit.formats.mps.text import Line, Split, lines, number
from solverkit.text import nearest

MAX_COUNT = 20_000_000  # rows or entries
MANY = 10_000  # names, among which the nearest is not looked for
SENSES = {"MAX": True, "MAXIMIZE": True, "MAXIMISE": True, "MIN": False, "MINIMIZE": False, "MINIMISE": False}
DISCRETE = {"BV": "binary", "LI": "integer", "UI": "integer", "SC": "semicontinuous", "SI": "semi-integer"}
FOREIGN = {
    "QUADOBJ": "a quadratic objective",
    "QMATRIX": "a quadratic objective",
    "QSECTION": "a quadratic objective",
    "QCMATRIX": "quadratic constraints",
    "CSECTION": "cones",
    "SOS": "special ordered sets",
    "SOS1": "special ordered sets",
    "SOS2": "special ordered sets",
    "INDICATORS": "indicator constraints",
    "LAZYCONS": "lazy constraints",
    "USERCUTS": "user cuts",
    "GENCONS": "general constraints",
}
RELAX = "only linear programs with continuous variables are solved here; solve its relaxation by taking"


@dataclass
class Model:
    """A linear program in the words of the file. Sides and bounds are None until the file gives them."""

    name: str = ""
    maximize: bool = False
    objective: str = ""  # the N row that is minimized
    constant: float = 0.0
    types: dict[str, str] = field(default_factory=dict)  # row -> N, L, G, E
    sides: dict[str, float] = field(default_factory=dict)  # row -> right-hand side; of the objective as it was given
    ranges: dict[str, float] = field(default_factory=dict)
    between: dict[str, tuple[float, float]] = field(default_factory=dict)  # row -> both sides, of an LP file
    columns: dict[str, dict[str, float]] = field(default_factory=dict)  # column -> row -> entry, in order
    lower: dict[str, float] = field(default_factory=dict)
    upper: dict[str, float] = field(default_factory=dict)


def read_model(content: bytes, split: Split) -> Model:
    """The model in a file of the format that `split` knows. `Refused` with the line of what is wrong."""
    reader = _Reader()
    last = 0
    for line in lines(content, split):
        last = line.number
        reader.take(line)
    if not reader.ended:
        raise Refused("the file has no ENDATA: it may be cut", last or 1, 1)
    return reader.finished(last)


class _Reader:
    """Goes through the sections; each has a method that takes one of its lines."""

    def __init__(self) -> None:
        self.model = Model()
        self.section = ""
        self.ended = False
        self._column = ""
        self._entries = 0
        self._sets: dict[str, str] = {}
        self._asked = ""  # by OBJNAME
        self._sections: dict[str, Callable[[Line], None]] = {
            "OBJSENSE": self._sense,
            "OBJNAME": self._name_objective,
            "ROWS": self._row,
            "COLUMNS": self._entry,
            "RHS": self._side,
            "RANGES": self._range,
            "BOUNDS": self._bound,
        }
        self._seen: set[str] = set()
        self._bounds: set[tuple[str, str]] = set()  # columns with the sides that a number was given for
        self._below: dict[str, int] = {}  # column -> line of its upper bound

    def take(self, line: Line) -> None:
        """One line."""
        if self.ended:
            raise Refused("text after ENDATA", line.number, 1)
        if line.heads:
            self._open(line)
        elif not line.fields:
            raise Refused(
                "the fields of fixed format are in columns 2-3, 5-12, 15-22, 25-36, 40-47 and 50-61", line.number, 1
            )
        elif self.section in self._sections:
            self._sections[self.section](line)
        else:
            raise Refused(
                f"a line of data {f'in {self.section}' if self.section else 'before a section'}", line.number, 1
            )

    def finished(self, last: int) -> Model:
        """The model, whole."""
        model = self.model
        if not model.columns:
            raise Refused("the file has no columns", last, 1)
        if self._asked and self._asked not in model.types:
            raise Refused(f"OBJNAME asks for the row '{self._asked}', which is not there", last, 1)
        for column, upper in model.upper.items():
            if upper < 0 and column not in model.lower:
                message = (
                    f"column '{column}' has the upper bound {upper:g} and no lower one, which readers take as 0 or "
                )
                raise Refused(message + "as -infinity: say which by a bound LO or MI", self._below[column], 1)
        return model

    # -- sections

    def _open(self, line: Line) -> None:
        word, rest = line.fields[0].upper(), line.fields[1:]
        if word in FOREIGN:
            what = FOREIGN[word]
            raise Refused(f"section {word}: {what}; {RELAX} the section out", line.number, 1)
        if word == "NAME":
            self.model.name = rest[0] if rest else ""
        elif word == "ENDATA":
            self.ended = True
        elif word not in self._sections:
            raise Refused(f"'{line.fields[0][:30]}' is no section{nearest(word, self._sections)}", line.number, 1)
        if word in self._seen and word != "OBJSENSE":
            raise Refused(f"a second section {word}", line.number, 1)
        if word in ("COLUMNS", "RHS", "RANGES", "BOUNDS") and "ROWS" not in self._seen:
            raise Refused(f"section {word} before ROWS", line.number, 1)
        if word in ("RHS", "RANGES", "BOUNDS", "ENDATA") and "COLUMNS" not in self._seen:
            raise Refused(f"section {word} before COLUMNS", line.number, 1)
        self._seen.add(word)
        self.section = word
        if word in ("OBJSENSE", "OBJNAME") and rest:
            self._sections[word](Line(line.number, False, rest))

    def _sense(self, line: Line) -> None:
        word = "".join(line.fields).upper()
        if word not in SENSES:
            raise Refused(f"OBJSENSE is MAX or MIN, not '{word[:30]}'", line.number, 1)
        self.model.maximize = SENSES[word]

    def _name_objective(self, line: Line) -> None:
        self._asked = next((word for word in line.fields if word), "")

    def _row(self, line: Line) -> None:
        if len(line.fields) != 2:
            raise Refused(f"a row has a type and a name; {len(line.fields)} fields are here", line.number, 1)
        kind, name = line.fields[0].upper(), line.fields[1]
        if kind not in ("N", "L", "G", "E"):
            raise Refused(f"the type of a row is N, L, G or E, not '{kind[:10]}'", line.number, 1)
        model = self.model
        if name in model.types:
            raise Refused(f"the row '{name}' was given already", line.number, 1)
        self._room(len(model.types), line)
        model.types[name] = kind
        if kind == "N" and (name == self._asked or (not self._asked and not model.objective)):
            model.objective = name

    def _entry(self, line: Line) -> None:
        fields = line.fields if line.fields[0] else line.fields[1:]
        if len(fields) >= 3 and fields[1].strip("'") == "MARKER":
            self._marker(line)
            return
        if len(fields) not in (3, 5):
            raise Refused(f"an entry is a column, a row and a number; {len(fields)} fields are here", line.number, 1)
        model, name = self.model, fields[0]
        if name != self._column:
            if name in model.columns:
                raise Refused(f"column '{name}' goes on after another one began", line.number, 1)
            model.columns[name] = {}
            self._column = name
        column = model.columns[name]
        for row, text in zip(fields[1::2], fields[2::2], strict=True):
            self._known(row, line)
            if row in column:
                raise Refused(f"column '{name}' has an entry in row '{row}' already", line.number, 1)
            self._room(self._entries, line)
            column[row] = number(text, line.number)
            self._entries += 1

    def _marker(self, line: Line) -> None:
        if any("INTORG" in word.upper() for word in line.fields):
            raise Refused(f"a MARKER for integer variables; {RELAX} the MARKER lines out", line.number, 1)
        if not any("INTEND" in word.upper() for word in line.fields):
            raise Refused("a MARKER that is neither INTORG nor INTEND", line.number, 1)

    def _side(self, line: Line) -> None:
        model = self.model
        for row, value in self._pairs(line):
            if row in model.sides:
                raise Refused(f"the right-hand side of row '{row}' was given already", line.number, 1)
            model.sides[row] = value
            if row == model.objective:
                model.constant = -value

    def _range(self, line: Line) -> None:
        model = self.model
        for row, value in self._pairs(line):
            if row in model.ranges:
                raise Refused(f"the range of row '{row}' was given already", line.number, 1)
            if row == model.objective:
                raise Refused(f"a range of the objective '{row}'", line.number, 1)
            model.ranges[row] = value

    def _pairs(self, line: Line) -> list[tuple[str, float]]:
        """Rows and numbers of a line of RHS or RANGES, whose first name, of the set, may be missing."""
        fields = line.fields
        if len(fields) > 1 and not fields[0]:
            fields = fields[1:]  # fixed format: the type is empty
        elif len(fields) % 2 == 0:
            fields = ("", *fields)
        if len(fields) not in (3, 5):
            raise Refused(f"{self.section} has rows and numbers; {len(line.fields)} fields are here", line.number, 1)
        self._one_set(fields[0], line)
        for row in fields[1::2]:
            self._known(row, line)
        return [(row, number(text, line.number)) for row, text in zip(fields[1::2], fields[2::2], strict=True)]

    def _bound(self, line: Line) -> None:
        kind = line.fields[0].upper()
        if kind in DISCRETE:
            hint = "BOUNDS of types UP and LO in their place"
            raise Refused(f"a bound of type {kind}: {DISCRETE[kind]} variables; {RELAX} {hint}", line.number, 1)
        if kind not in ("UP", "LO", "FX", "FR", "MI", "PL"):
            raise Refused(f"'{kind[:10]}' is no type of a bound", line.number, 1)
        name, text = self._bounded(kind, line)
        lower, upper = self.model.lower, self.model.upper
        if kind in ("FR", "MI"):
            lower[name] = -inf
        if kind in ("FR", "PL"):
            upper[name] = inf
        if kind not in ("UP", "LO", "FX"):
            return
        self._once(kind, name, line)
        value = number(text, line.number, infinite=kind != "FX")
        if kind in ("LO", "FX"):
            lower[name] = value
        if kind in ("UP", "FX"):
            upper[name] = value
            self._below[name] = line.number

    def _once(self, kind: str, name: str, line: Line) -> None:
        """Refuse a second number for a side of a column: readers differ in which they take."""
        for side in {"UP": ("upper",), "LO": ("lower",), "FX": ("lower", "upper")}[kind]:
            if (name, side) in self._bounds:
                raise Refused(f"a second {side} bound of column '{name[:60]}': leave one", line.number, 1)
            self._bounds.add((name, side))

    def _bounded(self, kind: str, line: Line) -> tuple[str, str]:
        """Column and number of a bound: the name of the set may be missing, and the number where it has no meaning."""
        fields = line.fields[1:]
        valued = kind in ("UP", "LO", "FX")
        columns = self.model.columns
        if len(fields) == 3 or (len(fields) == 2 and not valued and fields[0] not in columns):
            self._one_set(fields[0], line)
            fields = fields[1:]
        if len(fields) not in ((2,) if valued else (1, 2)):
            raise Refused(f"a bound of type {kind} with {len(line.fields)} fields", line.number, 1)
        if fields[0] not in columns:
            raise Refused(f"no column '{fields[0][:60]}'{_near(fields[0], columns)}", line.number, 1)
        return fields[0], fields[1] if len(fields) == 2 else ""

    def _one_set(self, name: str, line: Line) -> None:
        if name != self._sets.setdefault(self.section, name):
            raise Refused(
                f"a second set '{name[:60]}' in {self.section} beside '{self._sets[self.section][:60]}': leave one",
                line.number,
                1,
            )

    def _known(self, row: str, line: Line) -> None:
        if row not in self.model.types:
            raise Refused(f"no row '{row[:60]}'{_near(row, self.model.types)}", line.number, 1)

    def _room(self, count: int, line: Line) -> None:
        if count >= MAX_COUNT:
            raise Refused(f"more than {MAX_COUNT} rows or entries", line.number, 1)


def _near(name: str, names: Collection[str]) -> str:
    """The nearest of the names, where looking at all of them takes no second."""
    return nearest(name, names) if len(names) <= MANY else ""
