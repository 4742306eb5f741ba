"""The YAML of problem files: plain data with places, and nothing else of YAML.

The file is read as a stream of events, so that anchors, aliases, merge keys, tags, directives and further documents
are refused where they stand, before anything is built from them. Scalars follow the core schema of YAML 1.2, with
whole numbers of more than 18 digits as floats. Every value remembers its line and column.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from solverkit.errors import Defect, InvalidProblem
from solverkit.formats.files import Refused, read
from solverkit.kinds.source import dotted

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_NODES = 50_000
MAX_SCALAR = 10_000
MAX_DEFECTS = 100
ELSEWHERE = "put large arrays into data files"

Path_ = tuple[str | int, ...]

_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NAN = (".nan", ".NaN", ".NAN")


@dataclass(frozen=True)
class Scalar:
    """Where the text of a scalar stands, to place an offset within it."""

    text: str
    raw: str
    line: int
    column: int

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of a character of the text.

        The text and its raw form agree in all but white space (and quotes, and the header of a block), so counting the
        other characters finds the place; where escapes make them differ, the start of the scalar has to do.
        """
        skip = 0
        if self.raw[:1] in ("'", '"'):
            skip = 1
        elif self.raw[:1] in ("|", ">"):
            skip = self.raw.find("\n")
        text, raw = "".join(self.text.split()), "".join(self.raw[skip:].split())
        if not raw.startswith(text):
            return self.line, self.column
        remaining = len("".join(self.text[:offset].split()))
        line, column = self.line, self.column
        for position, character in enumerate(self.raw):
            if position >= skip and not character.isspace():
                if remaining == 0:
                    return line, column
                remaining -= 1
            line, column = (line + 1, 1) if character == "\n" else (line, column + 1)
        return line, column


@dataclass
class Place:
    """Where a key (or a list's item) and its value stand, counted from 1."""

    line: int
    column: int
    value_line: int
    value_column: int
    scalar: Scalar | None = None


@dataclass
class Document:
    """A file's content as dicts, lists and scalars, and the place of everything in it."""

    file: str
    value: Any
    places: dict[Path_, Place] = field(default_factory=dict)

    def rename(self, path: Path_, name: str) -> None:
        """Let everything at and below `path` be found under its neighbour `name` too."""
        length = len(path)
        for other in [other for other in self.places if other[:length] == path]:
            self.places[(*path[:-1], name, *other[length:])] = self.places[other]

    def place(self, path: Path_, offset: int | None = None, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at `path` (of its key where `key`); of the nearest parent that is there."""
        while path and path not in self.places:
            path, offset, key = path[:-1], None, True
        place = self.places[path]
        if key:
            return place.line, place.column
        if offset is not None and place.scalar is not None:
            return place.scalar.at(offset)
        return place.value_line, place.value_column


def load(path: Path, file: str | None = None) -> Document:
    """The document in a file; `file` is its name in messages. Raises `InvalidProblem`."""
    file = file or str(path)
    try:
        content = read(path, MAX_BYTES, "a problem file")
    except Refused as refused:
        raise InvalidProblem([Defect(file, 0, 0, "", refused.message)]) from None
    return parse(content, file)


def parse(content: bytes, file: str) -> Document:
    """The document in these bytes. Raises `InvalidProblem` with everything that is wrong."""
    if len(content) > MAX_BYTES:
        raise InvalidProblem([Defect(file, 0, 0, "", f"a problem file has at most {MAX_BYTES} bytes")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _position(content[: error.start].decode("utf-8-sig", "replace"))
        raise InvalidProblem([Defect(file, line, column, "", "not UTF-8 text")]) from None
    found = _UNPRINTABLE.search(text)
    if found:
        line, column = _position(text[: found.start()])
        message = f"the control character U+{ord(found.group()):04X} has no place in a problem file"
        raise InvalidProblem([Defect(file, line, column, "", message)])
    for mark, many in ((",", "commas"), ("\n", "lines")):
        if text.count(mark) > MAX_NODES:  # seen at once, where the parser would take seconds to come this far
            raise InvalidProblem([Defect(file, 1, 1, "", f"more than {MAX_NODES} {many}; {ELSEWHERE}")])
    return _Builder(text, file).build()


def _position(before: str) -> tuple[int, int]:
    """Line and column of what comes after this text."""
    lines = re.split(r"\r\n|\r|\n", before)
    return len(lines), len(lines[-1]) + 1


class _Stop(Exception):
    """No use in reading on."""


@dataclass
class _Frame:
    """A mapping or list under construction."""

    value: dict[str, Any] | list[Any]
    path: Path_
    flow: bool
    key: str | None = None
    key_mark: tuple[int, int] = (0, 0)
    seen: dict[str, int] = field(default_factory=dict)  # key -> line


class _Builder:
    """Builds the document from parser events with a stack of its own, so that depth costs nothing."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.document = Document(file, None)
        self.defects: list[Defect] = []
        self.stack: list[_Frame] = []
        self.nodes = 0
        self.documents = 0

    def build(self) -> Document:
        with suppress(_Stop):
            self._parse()
        if not self.defects and self.documents == 0:
            self._refuse((1, 1), "the file is empty")
        if not self.defects and not isinstance(self.document.value, dict):
            self._refuse((1, 1), "a problem file is a mapping, and begins with `solverkit: 1`")
        if not self.defects and self.text[-1] not in "\n\r" and self.text.rstrip()[-1] not in "}]\"'":
            self._refuse(
                _position(self.text), "the last line does not end, as in a file that is cut; add a newline behind it"
            )
        if self.defects:
            raise InvalidProblem(self.defects)
        return self.document

    def _parse(self) -> None:
        """All events; what the parser refuses is a defect like the others."""
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        class Plain(YAML):
            def official_plug_ins(self) -> list[Any]:
                """None: a parser of data looks for no code in its own folder."""
                return []

        yaml = Plain(typ="safe", pure=True)
        try:
            for event in yaml.parse(self.text):
                self._event(event)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self._refuse((line, column), self._explain(error.problem or error.context or "not YAML"))
        except (YAMLError, RecursionError, MemoryError, ValueError, OverflowError, AttributeError, IndexError) as error:
            place = self.stack[-1].key_mark if self.stack and self.stack[-1].key else (1, 1)
            self._refuse(place, f"not YAML that can be read ({type(error).__name__})")

    def _explain(self, problem: str) -> str:
        problem = " ".join(problem.split())
        if any(frame.flow for frame in self.stack):
            problem += "; inside { } or [ ], put an expression that has commas or brackets in quotes"
        return f"not YAML: {problem}"

    def _refuse(self, place: tuple[int, int], message: str, stop: bool = False) -> None:
        path = dotted(self._path())
        self.defects.append(Defect(self.document.file, *place, path, message))
        if stop or len(self.defects) >= MAX_DEFECTS:
            raise _Stop

    def _path(self) -> Path_:
        """The path of the value that comes next."""
        if not self.stack:
            return ()
        frame = self.stack[-1]
        if isinstance(frame.value, list):
            return (*frame.path, len(frame.value))
        return frame.path if frame.key is None else (*frame.path, frame.key)

    def _event(self, event: Any) -> None:
        from ruamel.yaml import events

        mark = (event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, events.AliasEvent):
            self._refuse(mark, f"the alias *{event.anchor}: aliases are not allowed; an expression cannot begin with *")
            self._add(None, mark, None)
        elif isinstance(event, events.NodeEvent):
            self._node(event, mark)
        elif isinstance(event, events.CollectionEndEvent):
            self.stack.pop()
        elif isinstance(event, events.DocumentStartEvent):
            self.documents += 1
            if event.version or event.tags:
                self._refuse(mark, "directives (%) are not allowed", stop=True)
            if self.documents > 1:
                self._refuse(mark, "a second document: a file holds one problem", stop=True)

    def _node(self, event: Any, mark: tuple[int, int]) -> None:
        from ruamel.yaml import events

        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._refuse(mark, f"more than {MAX_NODES} values; {ELSEWHERE}", stop=True)
        if event.anchor:
            self._refuse(mark, f"the anchor &{event.anchor}: anchors are not allowed; write the value out")
        if getattr(event, "tag", None) is not None:
            self._refuse(mark, "tags (!) are not allowed")
        if isinstance(event, events.ScalarEvent):
            self._scalar(event, mark)
            return
        if len(self.stack) >= MAX_DEPTH:
            self._refuse(mark, f"nested deeper than {MAX_DEPTH}", stop=True)
        if self._wants_key():
            self._refuse(mark, "a key is a name, not a list or a mapping", stop=True)
        container: dict[str, Any] | list[Any] = {} if isinstance(event, events.MappingStartEvent) else []
        path = self._path()
        self._add(container, mark, None)
        self.stack.append(_Frame(container, path, bool(event.flow_style)))

    def _wants_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None

    def _scalar(self, event: Any, mark: tuple[int, int]) -> None:
        text: str = event.value
        if len(text) > MAX_SCALAR:
            self._refuse(mark, f"a value of {len(text)} characters; at most {MAX_SCALAR}")
            text = ""
        if _UNPRINTABLE.search(text):
            self._refuse(mark, "an escaped control character")
            text = ""
        plain = event.style is None
        if self._wants_key():
            self._key(text, plain, mark)
            return
        raw = self.text[event.start_mark.index : event.end_mark.index]
        self._add(self._resolve(text, mark) if plain else text, mark, Scalar(text, raw, *mark))

    def _key(self, text: str, plain: bool, mark: tuple[int, int]) -> None:
        frame = self.stack[-1]
        if plain and text == "<<":
            self._refuse(mark, "merge keys (<<) are not allowed; write the keys out")
        elif text in frame.seen:
            self._refuse(mark, f"the key '{text[:64]}' is already there, in line {frame.seen[text]}")
        elif plain and frame.flow and re.search(r"[()\[\]]", text):
            self._refuse(mark, f"'{text[:64]}' is not a key; inside {{ }}, put an expression with commas in quotes")
        frame.seen.setdefault(text, mark[0])
        frame.key, frame.key_mark = text, mark

    def _add(self, value: Any, mark: tuple[int, int], scalar: Scalar | None) -> None:
        """Put a value where it belongs, and note its place."""
        path = self._path()
        if not self.stack:
            self.document.value = value
            self.document.places[()] = Place(*mark, *mark, scalar)
            return
        frame = self.stack[-1]
        if isinstance(frame.value, list):
            frame.value.append(value)
            self.document.places[path] = Place(*mark, *mark, scalar)
        elif frame.key is None:  # an alias as a key, already refused
            frame.key, frame.key_mark = "", mark
        else:
            frame.value.setdefault(frame.key, value)
            self.document.places.setdefault(path, Place(*frame.key_mark, *mark, scalar))
            frame.key = None

    def _resolve(self, text: str, mark: tuple[int, int]) -> Any:
        """A plain scalar by the core schema of YAML 1.2."""
        if text in _WORDS:
            return _WORDS[text]
        if text in _NAN:
            self._refuse(mark, "NaN is not a number that a problem can use")
            return 0.0
        if _INTEGER.fullmatch(text) and len(text.lstrip("+-0")) <= 18:
            digits = int(text.lstrip("+-0") or "0")
            return -digits if text.startswith("-") else digits
        if _OTHER_BASE.fullmatch(text):
            if len(text) <= 18:
                return int(text, 0)
            self._refuse(mark, "a number of too many digits")
            return 0.0
        if _FLOAT.fullmatch(text):
            value = float(text)
            if math.isfinite(value):
                return value
            self._refuse(mark, "a number too large for float64")
            return 0.0
        return text
