"""From a path to a problem: the reader is chosen by suffix."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solverkit.errors import UsageError
from solverkit.text import clean, nearest

if TYPE_CHECKING:
    from solverkit.kinds.base import Kind, Problem

YAML = (".yaml", ".yml")
NL = ".nl"
MPS = ".mps"
LP = ".lp"
SUFFIXES = (*YAML, NL, MPS, LP)
NL_KEY = "nl"
"""The key by which a problem file says that the problem itself is in an .nl file beside it."""
MPS_KEY = "mps"
"""The same for an MPS file."""


def load(
    path: str | os.PathLike[str],
    *,
    parameters: Mapping[str, float] | None = None,
    data: Mapping[str, Any] | None = None,
    allow_python: bool = False,
) -> Problem:
    """The problem in a file.

    parameters : numbers in place of those under `parameters:`, by name
    data : arrays or sparse matrices in place of those under `data:`, by name; those entries are not read
    allow_python : run the Python files that the problem names. They can do whatever you can; read them first

    With other parameters or data the problem is another one, so the file's `expect:` is left out.

    Raises `InvalidProblem` with every defect and its place, `UsageError` for a suffix that is not known,
    `MissingPackage` where the problem needs what is not installed.
    """
    path = Path(path)
    if path.suffix.lower() == NL:
        from solverkit.formats.nl.problem import load_nl

        _known("parameter", parameters or {}, {})
        _known("data", data or {}, {})
        return load_nl(path)
    if path.suffix.lower() == MPS:
        from solverkit.formats.mps.problem import load_mps

        _known("parameter", parameters or {}, {})
        _known("data", data or {}, {})
        return load_mps(path)
    if path.suffix.lower() == LP:
        from solverkit.formats.lp.model import read_model
        from solverkit.formats.mps.problem import program_in

        _known("parameter", parameters or {}, {})
        _known("data", data or {}, {})
        return program_in(path, read_model, "an LP file")
    if path.suffix.lower() not in YAML:
        known = ", ".join(SUFFIXES)
        raise UsageError(f"'{path.name}': no reader for '{path.suffix}'; problem files end in {known}")
    return load_yaml(path, parameters or {}, data or {}, allow_python)


def load_yaml(
    path: Path, parameters: Mapping[str, float], data: Mapping[str, Any], allow_python: bool = False
) -> Problem:
    """The problem in a YAML file, with `parameters` and `data` in place of the file's."""
    from solverkit.formats import yaml
    from solverkit.formats.data import give_data, read_data
    from solverkit.formats.document import Envelope, model_of, validate
    from solverkit.formats.source import FileSource

    document = yaml.load(path)
    source = FileSource(document, path.parent, allow_python)
    if NL_KEY in document.value:
        from solverkit.formats.nl.document import problem_beside

        _known("parameter", parameters, {})
        _known("data", data, {})
        return problem_beside(document.value, source)
    if MPS_KEY in document.value:
        from solverkit.formats.mps.document import program_beside

        _known("parameter", parameters, {})
        _known("data", data, {})
        return program_beside(document.value, source)
    kind = find_kind(document.value.get("kind"), source)
    if kind is None:
        known = {key: value for key, value in document.value.items() if key in Envelope.model_fields}
        validate(Envelope, known, source)
        source.check()
    assert kind is not None
    file = validate(model_of(kind), document.value, source)
    if file is None:
        source.check()
    source.name = file.name
    if not parameters and not data:
        source.expect = file.expect.model_dump(exclude_unset=True, exclude_none=True)
    _known("parameter", parameters, file.parameters)
    _known("data", data, file.data)
    source.read_parameters({**file.parameters, **parameters})
    give_data(data, source)
    read_data({name: entry for name, entry in file.data.items() if name not in data}, source)
    try:
        problem = kind.build(file, source)
    except Exception:
        # After a defect the kind works with stand-ins, and may trip over them; without one it is a bug.
        source.check()
        raise
    source.check()
    return problem


def _known(what: str, given: Mapping[str, Any], names: Mapping[str, Any]) -> None:
    """Raise UsageError for a name that the file does not have."""
    for name in given:
        if name not in names:
            here = ", ".join(names) or "none"
            raise UsageError(f"the file has no {what} {clean(name)!r}{nearest(name, names)}; it has: {here}")


def find_kind(name: Any, source: Any) -> Kind | None:
    """The kind of this name; None, with a defect, where there is none."""
    from solverkit.registry import registry

    if not isinstance(name, str):
        return None
    try:
        return registry.kind(name)
    except UsageError as error:
        source.defect(("kind",), " ".join(str(error).split()))
        return None
