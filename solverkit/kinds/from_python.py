"""Problems from Python, without a file: what a problem file says, given as a mapping of its keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from solverkit.kinds.messages import found
from solverkit.kinds.source import NamedSource, reserved

if TYPE_CHECKING:
    from solverkit.kinds.base import Kind


def build(kind: Kind, keys: Mapping[str, Any], source: NamedSource, *more: Any) -> Any:
    """The kind's problem of these keys. Raises InvalidProblem with everything that is wrong.

    more : what the kind's `build` takes besides, which no file can say
    """
    for section, names in (("parameters", source.parameters), ("data", source.data)):
        for name in names:
            if message := reserved(name):
                source.defect((section, name), message)
    try:
        file = kind.schema.model_validate(keys)
    except ValidationError as error:
        for wrong in found(error, kind.schema, keys):
            source.defect(wrong.path, wrong.message, key=wrong.key)
        source.check()
        raise
    problem = kind.build(file, source, *more)
    source.check()
    return problem
