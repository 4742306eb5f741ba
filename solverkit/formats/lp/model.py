"""What an LP file says, as the rows and columns of an MPS file.

| section | what is read |
|---|---|
| Minimize, Maximize | [name:] terms; a number alone is the constant |
| Subject To, such that, st, s.t. | [name:] terms <= number; number <= terms <= number; >= and = alike |
| Bounds | number <= x <= number, one side or both, `x = number`, `x free`; `inf` and `-inf` are numbers here |
| General, Integer, Binary, Semi-continuous, SOS | refused by name where they hold anything |
| End | the end: without it the file may be cut |

A term is a sign, a number, a name, or a number and a name. Terms of one variable in one row are added. Variables begin
at [0, inf). Brackets, which hold quadratic terms, and indicators (`->`) are refused. A row without a name is called
`row 1`, `row 2`, ... by its place: with a blank, which no name of the file can hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isfinite

from solverkit.formats.files import Refused
from solverkit.formats.lp.tokens import Word, words
from solverkit.formats.mps.model import MAX_COUNT, RELAX, Model

SECTIONS = {
    **dict.fromkeys(("minimize", "minimise", "minimum", "min"), "minimize"),
    **dict.fromkeys(("maximize", "maximise", "maximum", "max"), "maximize"),
    **dict.fromkeys(("st", "s.t.", "st."), "rows"),
    **dict.fromkeys(("bounds", "bound"), "bounds"),
    **dict.fromkeys(("generals", "general", "gen", "integers", "integer", "int"), "integer variables"),
    **dict.fromkeys(("binaries", "binary", "bin"), "binary variables"),
    **dict.fromkeys(("semi-continuous", "semi", "semis"), "semi-continuous variables"),
    **dict.fromkeys(("sos", "sos1", "sos2"), "special ordered sets"),
    "end": "end",
}
PAIRS = {"subject": "to", "such": "that"}  # headers of two words
FOREIGN = {
    "[": "quadratic terms",
    "]": "quadratic terms",
    "^": "quadratic terms",
    "*": "products",
    "/": "quotients",
    "->": "indicator constraints",
}
SENSES = {"<=": "L", ">=": "G", "=": "E"}
MIRRORED = {"L": "G", "G": "L", "E": "E"}


def read_model(content: bytes) -> Model:
    """The model in a file. `Refused` with the place of what is wrong."""
    return _Reader(words(content)).model


class _Reader:
    """Recursive descent; words that were looked at too early are put back."""

    def __init__(self, found: Iterator[Word]) -> None:
        self.model, self._found = Model(), found
        self._held: list[Word] = []  # words that were put back, the next one last
        self._last = Word("operator", "", 1, 1, True)
        self._entries = 0
        self._given: set[tuple[str, str]] = set()  # sides of variables that the file gives
        self._below: dict[str, Word] = {}  # variables with an upper bound below 0
        self._word = next(found, None)
        self._objective()
        self._rows()
        self._rest()

    # -- words

    def _next(self) -> Word:
        word = self._word
        if word is None:
            raise Refused("the file has no End: it may be cut", self._last.line, self._last.column)
        self._last = word
        self._word = self._held.pop() if self._held else next(self._found, None)
        return word

    def _refuse(self, message: str, word: Word | None = None) -> Refused:
        word = word or self._word or self._last
        return Refused(message, word.line, word.column)

    def _header(self) -> str:
        """The section that begins here; empty where none does. Headers begin their line."""
        word = self._word
        if word is None or not word.first or word.kind != "name":
            return ""
        text = word.text.lower()
        return "rows" if text in PAIRS else SECTIONS.get(text, "")

    def _enter(self) -> str:
        """Step over a header."""
        section, word = self._header(), self._next()
        if word.text.lower() in PAIRS:
            second = self._next()
            if second.text.lower() != PAIRS[word.text.lower()]:
                raise self._refuse(f"'{word.text}' is the beginning of '{word.text} to'", second)
        return section

    def _is(self, *texts: str) -> bool:
        return self._word is not None and self._word.kind == "operator" and self._word.text in texts

    def _label(self) -> str:
        """A name and its colon, if they come next."""
        word = self._word
        if word is None or word.kind != "name" or self._header():
            return ""
        self._next()
        if self._is(":"):
            self._next()
            return word.text
        self._back(word)
        return ""

    def _back(self, word: Word) -> None:
        """Put a word back before the next."""
        if self._word is not None:
            self._held.append(self._word)
        self._word = word

    # -- sections

    def _objective(self) -> None:
        if self._header() not in ("minimize", "maximize"):
            raise self._refuse("an LP file begins with Minimize or Maximize")
        self.model.maximize = self._enter() == "maximize"
        self.model.objective = self._label()  # without a name, a name that no row can have
        self.model.types[self.model.objective] = "N"
        constant, terms = self._terms()
        self.model.constant = constant
        self._enter_terms(self.model.objective, terms)

    def _rows(self) -> None:
        if self._header() != "rows":
            raise self._refuse("'Subject To' follows the objective")
        self._enter()
        while not self._header():
            self._row()

    def _row(self) -> None:
        begin, name = self._word, self._label()
        left = self._number_before_sense()
        sense = self._sense() if left is not None else ""
        constant, terms = self._terms()
        if constant:
            raise self._refuse("a number without a variable: numbers stand on the other side of a row", begin)
        if not terms:
            raise self._refuse("a row has at least one term")
        right = None
        if left is None or self._is(*SENSES):
            other = self._sense()
            right = self._number()
        name = name or f"row {len(self.model.types)}"
        if name in self.model.types:
            raise self._refuse(f"there is a row '{name[:60]}' already", begin)
        if left is not None and right is not None:
            if sense != other or sense == "E":
                raise self._refuse("the two sides of a row point in one direction", begin)
            self.model.types[name] = "L"
            self.model.between[name] = (left, right) if sense == "L" else (right, left)
        else:
            side = right if left is None else left
            self.model.types[name] = other if left is None else MIRRORED[sense]
            self.model.sides[name] = float(side or 0.0)
        self._enter_terms(name, terms)

    def _rest(self) -> None:
        while (section := self._enter()) != "end":
            if section == "bounds":
                while not self._header():
                    self._bound()
            elif section in ("minimize", "maximize", "rows"):
                raise self._refuse("this section is there already, or comes too late", self._last)
            elif self._word is not None and not self._header():
                raise self._refuse(f"{section}: {RELAX} them out of this section")
        if self._word is not None:
            raise self._refuse("text after End")
        for name, word in self._below.items():
            if (name, "G") not in self._given:
                why = "has an upper bound below 0 and no lower one, which readers take in two ways: write both"
                raise self._refuse(f"'{name[:60]}' {why}", word)

    def _bound(self) -> None:
        left = self._number_before_sense(infinite=True)
        sense = self._sense() if left is not None else ""
        word = self._next()
        if word.kind != "name":
            raise self._refuse("a bound is one of one variable", word)
        self.model.columns.setdefault(word.text, {})
        if left is not None:
            self._side(word, MIRRORED[sense], left)
        if self._word is not None and self._word.text.lower() == "free" and left is None:
            self._next()
            self._side(word, "G", -inf)
            self._side(word, "L", inf)
        elif left is None or self._is(*SENSES):
            self._side(word, self._sense(), self._number(infinite=True))
        if self.model.upper.get(word.text, inf) < 0:
            self._below[word.text] = word

    def _side(self, word: Word, sense: str, value: float) -> None:
        for side, sides in (("G", self.model.lower), ("L", self.model.upper)):
            if sense in (side, "E"):
                if (word.text, side) in self._given:
                    raise self._refuse(f"'{word.text[:60]}' has this bound already", word)
                self._given.add((word.text, side))
                sides[word.text] = value

    # -- parts

    def _terms(self) -> tuple[float, list[tuple[str, float]]]:
        """(the sum of numbers alone, (variable, coefficient) of each term), up to a sense or a header."""
        constant, terms = 0.0, []
        while self._word is not None and not self._header() and not self._is(*SENSES):
            begin, factor = self._word, self._signs()
            word = self._word
            alone = word is not None and word.kind == "number"
            if alone:
                factor *= self._value(self._next())
                word = self._word
            if word is not None and word.kind == "name" and not self._header():
                self._next()
                if self._is(":"):
                    raise self._refuse("a row ends with a sense and a number before the next one is named")
                terms.append((word.text, factor))
            elif alone:
                constant += factor
            else:
                raise self._foreign(begin)
        return constant, terms

    def _foreign(self, begin: Word) -> Refused:
        word = self._word or begin
        if word.text in FOREIGN:
            return self._refuse(f"{FOREIGN[word.text]}: only linear programs are read from LP files", word)
        return self._refuse(f"'{word.text[:60]}' where a number or a variable is expected", word)

    def _signs(self) -> float:
        sign = 1.0
        while self._is("+", "-"):
            sign = -sign if self._next().text == "-" else sign
        return sign

    def _sense(self) -> str:
        if not self._is(*SENSES):
            raise self._foreign(self._last)
        return SENSES[self._next().text]

    def _number(self, infinite: bool = False) -> float:
        sign, word = self._signs(), self._next()
        if infinite and word.text.lower() in ("inf", "infinity"):
            return sign * inf
        if word.kind != "number":
            raise self._refuse(f"'{word.text[:60]}' where a number is expected", word)
        return sign * self._value(word)

    def _value(self, word: Word) -> float:
        value = float(word.text)
        if not isfinite(value):
            raise self._refuse(f"{word.text[:60]} is beyond the numbers of float64", word)
        return value

    def _number_before_sense(self, infinite: bool = False) -> float | None:
        """A number that stands before a sense; None, and nothing read, where something else comes."""
        taken: list[Word] = []
        while self._is("+", "-"):
            taken.append(self._next())
        word = self._word
        named = word is not None and infinite and word.text.lower() in ("inf", "infinity")
        if word is not None and (word.kind == "number" or named):
            taken.append(self._next())
            if self._is(*SENSES):
                sign = -1.0 if sum(each.text == "-" for each in taken) % 2 else 1.0
                return sign * (inf if named else self._value(word))
        for each in reversed(taken):
            self._back(each)
        return None

    def _enter_terms(self, row: str, terms: list[tuple[str, float]]) -> None:
        self._entries += len(terms)
        if self._entries > MAX_COUNT:
            raise self._refuse(f"more than {MAX_COUNT} terms")
        for variable, factor in terms:
            column = self.model.columns.setdefault(variable, {})
            column[row] = column.get(row, 0.0) + factor
            if not isfinite(column[row]):
                raise self._refuse(f"the terms of '{variable[:60]}' sum to more than float64 holds", self._last)
