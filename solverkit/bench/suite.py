"""A suite file: which problems, which methods, and the one tolerance, limits and threads that all of them get.

    solverkit: 1
    kind: suite
    name: toys
    problems:
      - ../bilevel/*/problem.yaml                        # a file or a pattern, from the folder of the suite
      - {file: toy/problem.yaml, parameters: {n: [100, 1000], seed: [0, 1]}}     # four problems
    methods:
      - lv-hba
      - {method: lv-hba, label: paper, options: {schedule: paper}}
    seeds: [0, 1, 2]
    tol: 1e-6                                            # of the certificate, the same for every method
    limits: {max_time: 60}

The measure is the certificate: every run is certified while it goes on, and ends where the certificate holds.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from solverkit.errors import SolverKitError
from solverkit.formats import yaml
from solverkit.formats.document import NAME, Origin
from solverkit.formats.source import FileSource
from solverkit.kinds.fields import Also, MayBeEmpty, Name, Schema, refusal
from solverkit.kinds.messages import Found, found, keys_at, unknown_key

MAX_FILES = 10_000
"""Most files that one pattern may stand for."""

Count = Annotated[int, Field(ge=0)]


def _numbers(value: Any) -> Any:
    """A parameter's values as a list; a number is a list of one."""
    return value if isinstance(value, list) else [value]


def _different(values: list[Any]) -> list[Any]:
    if len(set(map(repr, values))) < len(values):
        raise refusal("the same value is there twice")
    return values


def _file(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


def _method(value: Any) -> Any:
    return {"method": value} if isinstance(value, str) else value


Values = Annotated[
    list[int | float],
    Field(min_length=1),
    AfterValidator(_different),
    BeforeValidator(_numbers),
    Also({"type": "number"}),
]


class ProblemEntry(Schema):
    """Problem files, each once for every combination of the parameters."""

    file: Annotated[str, Field(min_length=1, max_length=1000, description="a path or a pattern with *, ?, ** or []")]
    parameters: Annotated[
        dict[Name, Values],
        MayBeEmpty,
        Field(default_factory=dict, description="numbers in place of the file's; a list is one problem each"),
    ]
    name: Annotated[str | None, Field(pattern=NAME, description="name in tables; by default the file's own")] = None


class MethodEntry(Schema):
    """A method with its options."""

    method: Annotated[str, Field(min_length=1, max_length=64, description="name of a method, see `solverkit methods`")]
    label: Annotated[
        str | None, Field(min_length=1, max_length=64, description="name in tables; by default the method's")
    ] = None
    options: Annotated[
        dict[str, Any], MayBeEmpty, Field(default_factory=dict, description="see `solverkit describe METHOD`")
    ]
    device: Annotated[str, Field(min_length=1, max_length=32, description="cpu or cuda")] = "cpu"
    dtype: Annotated[Literal["float64", "float32"], Field(description="arithmetic of the method")] = "float64"

    @property
    def shown(self) -> str:
        """The name in tables."""
        return self.label or self.method


class RunLimits(Schema):
    """What one run may cost at most."""

    max_time: Annotated[float, Field(gt=0, description="seconds in the method; certificates come on top")] = 60.0
    max_iter: Annotated[Count | None, Field(description="steps of the method")] = None
    max_calls: Annotated[Count | None, Field(description="oracle calls of every sort together")] = None
    kill_after: Annotated[
        float | None,
        Field(gt=0, description="seconds, certificates included, after which a run that hangs is ended from outside; "
              "by default 1.5 max_time + 5"),
    ] = None  # fmt: skip

    @property
    def hard(self) -> float:
        """Seconds after which a run is ended from outside."""
        return self.kill_after or 1.5 * self.max_time + 5.0


class Suite(Schema):
    """What `solverkit bench` runs: every problem by every method with every seed, `repetitions` times."""

    solverkit: Annotated[Literal[1], Field(description="version of the file format")]
    kind: Annotated[Literal["suite"], Field(description="what the file is")]
    name: Annotated[str, Field(pattern=NAME, description="up to 64 letters, digits, _ and -")]
    description: Annotated[str, Field(max_length=5000, description="what the comparison is to show")] = ""
    source: Annotated[Origin, MayBeEmpty, Field(description="where the comparison comes from")] = Origin()
    problems: Annotated[
        list[Annotated[ProblemEntry, BeforeValidator(_file), Also({"type": "string"})]],
        Field(min_length=1, description="files, patterns, or files with parameters"),
    ]
    methods: Annotated[
        list[Annotated[MethodEntry, BeforeValidator(_method), Also({"type": "string"})]],
        Field(min_length=1, description="names, or methods with options"),
    ]
    seeds: Annotated[
        list[Count], Field(min_length=1, description="of the start and of the method"), AfterValidator(_different)
    ] = [0]  # noqa: RUF012
    repetitions: Annotated[int, Field(ge=1, le=1000, description="of the same run, for its time")] = 1
    tol: Annotated[float, Field(gt=0, description="tolerance of the certificate, the same for all")] = 1e-6
    limits: Annotated[RunLimits, MayBeEmpty, Field(description="of each run")] = RunLimits()
    threads: Annotated[int, Field(ge=1, le=1024, description="of BLAS, numba and torch in each worker")] = 1


@dataclass(frozen=True)
class Case:
    """One problem of a suite: a file and numbers in place of its parameters."""

    file: str
    parameters: Mapping[str, float]
    name: str  # empty: the file's own


def load_suite(path: str | Path) -> tuple[Suite, list[Case]]:
    """The suite in a file and its problems. Raises InvalidProblem with every defect and its place."""
    path = Path(path)
    document = yaml.load(path)
    source = FileSource(document, path.parent)
    try:
        suite = Suite.model_validate(document.value)
    except ValidationError as error:
        for item in found(error, Suite, document.value):
            source.defect(item.path, _message(item, document.value), key=item.key)
        source.check()
        raise
    for path_, message in wrong_methods(suite):
        source.defect(path_, message)
    cases = []
    for number, entry in enumerate(suite.problems):
        place: tuple[str | int, ...] = ("problems", number)
        some, problem = cases_of(path.parent, entry)
        if problem:
            source.defect((*place, "file") if (*place, "file") in document.places else place, problem)
        cases += some
    source.check()
    return suite, _once(cases)


def cases_of(folder: Path, entry: ProblemEntry) -> tuple[list[Case], str]:
    """Every file of an entry with every combination of the parameters, and what is wrong with it."""
    files, problem = _files(folder, entry.file)
    combinations = [dict(zip(entry.parameters, values, strict=True)) for values in product(*entry.parameters.values())]
    return [Case(file, chosen, entry.name or "") for file in files for chosen in combinations], problem


def _message(item: Found, value: Any) -> str:
    """Pydantic's finding in words; for an unknown key in an entry of a list, the keys that there are."""
    entries: dict[str, type[BaseModel]] = {"problems": ProblemEntry, "methods": MethodEntry}
    if item.kind == "extra_forbidden" and len(item.path) > 2 and item.path[0] in entries:
        section, number, *rest = item.path
        model = entries[str(section)]
        return unknown_key(str(item.path[-1]), keys_at(model, tuple(rest[:-1]), value[section][number]))
    if item.path == ("kind",):
        return f"{item.message}: `solverkit bench` reads suites, `solverkit solve` problems"
    return item.message


def wrong_methods(suite: Suite) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with the methods: unknown ones, options that they do not have, labels that clash."""
    from solverkit.engine.choices import check_options
    from solverkit.registry import registry

    labels: dict[str, int] = {}
    for number, entry in enumerate(suite.methods):
        place = ("methods", number)
        if labels.setdefault(entry.shown, number) != number:
            yield place, f"the label '{entry.shown}' is taken by methods[{labels[entry.shown]}]; add a `label:`"
        try:
            spec = registry.method(entry.method)
        except SolverKitError as error:
            yield (*place, "method"), _line(error)
            continue
        try:
            check_options(registry.options(spec), entry.options, spec.name)
        except SolverKitError as error:
            yield (*place, "options"), _line(error)


def _line(error: Exception) -> str:
    return "; ".join(str(error).splitlines())


def _files(folder: Path, pattern: str) -> tuple[list[str], str]:
    """The files that an entry stands for, sorted, and what is wrong with it."""
    if glob.has_magic(pattern):
        names = list(islice(glob.iglob(pattern, root_dir=folder, recursive=True), MAX_FILES + 1))
        if len(names) > MAX_FILES:
            return [], f"'{pattern}' stands for more than {MAX_FILES} files"
        files = sorted(str(folder / name) for name in names if (folder / name).is_file())
        return files, "" if files else f"no file matches '{pattern}'"
    if not (folder / pattern).is_file():
        return [], f"no such file: '{pattern}'"
    return [str(folder / pattern)], ""


def _once(cases: list[Case]) -> list[Case]:
    """Without those that two patterns name."""
    kept: dict[tuple[str, str, str], Case] = {}
    for case in cases:
        kept.setdefault((str(Path(case.file).resolve()), repr(case.parameters), case.name), case)
    return list(kept.values())
