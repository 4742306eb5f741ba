"""Problem files whose problem is in a file of another format beside them: the .yaml adds the source and the answer.

kind: nonlinear
nl: model.nl
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeVar

from solverkit.errors import InvalidProblem
from solverkit.formats.document import Envelope, validate
from solverkit.formats.files import Refused, resolve
from solverkit.kinds.expectation import expected

if TYPE_CHECKING:
    from solverkit.formats.source import FileSource

P = TypeVar("P")


def problem_beside(
    model: type[Envelope], key: str, kind: str, load: Callable[[Path], P], value: dict[str, Any], source: FileSource
) -> P:
    """The problem of the file that a problem file names under `key`. Raises InvalidProblem with every defect of either.

    model : of the problem file; kind : the only kind that such a file holds; load : reads the file beside
    """
    file = validate(model, value, source)
    if value.get("kind") != kind:
        source.defect(("kind",), f"an .{key} file holds a problem of kind {kind}")
    source.check()
    assert file is not None  # a file that does not fit its model has defects
    source.name = file.name
    source.expect = file.expect.model_dump(exclude_unset=True, exclude_none=True)
    path: str = getattr(file, key)
    try:
        problem: Any = load(resolve(source.folder, path))
    except Refused as refused:
        raise InvalidProblem([source.locate((key,), refused.message, None, False)]) from None
    except InvalidProblem as error:
        folder = PurePath(path).parent
        raise InvalidProblem([replace(defect, file=str(folder / defect.file)) for defect in error.defects]) from None
    found: P = replace(problem, name=source.name, expect=expected(source, problem.variables))
    source.check()
    return found
