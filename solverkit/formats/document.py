"""The keys that all problem files share, and how a file is held against them and its kind's own.

    YAML with places -> this model -> parameters -> data -> the kind's `build` -> a problem

Every step records what it finds and goes on with what is left, so that one look shows all that is wrong.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, PlainValidator, Tag, ValidationError, create_model

from solverkit.kinds.fields import MayBeEmpty, Name, Quantity, Scalar, Schema, refusal, what
from solverkit.kinds.messages import Found, KeyPath, found

if TYPE_CHECKING:
    from solverkit.formats.source import FileSource
    from solverkit.kinds.base import Kind

NAME = r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$"
SHA256 = r"^[0-9a-fA-F]{64}$"


class Origin(Schema):
    """Where a problem comes from."""

    paper: Annotated[str | None, Field(description="the paper or book")] = None
    note: Annotated[str | None, Field(description="what a reader should know, such as how the answer was found")] = None
    url: Annotated[str | None, Field(description="where to read on")] = None


class FileData(Schema):
    """An array from a file in the problem's folder."""

    file: Annotated[str, Field(min_length=1, max_length=1000, description="path within the problem's folder")]
    key: Annotated[str | None, Field(description="array of an .npz, column of a .csv, X or y")] = None
    sha256: Annotated[str | None, Field(pattern=SHA256, description="of the file; checked before parsing")] = None
    header: Annotated[bool | None, Field(description="whether a .csv begins with names; default: look")] = None
    features: Annotated[int | None, Field(ge=1, description="number of columns of a .libsvm")] = None


class BundledData(Schema):
    """A data set that comes with scikit-learn."""

    sklearn: Annotated[str, Field(description="breast_cancer, diabetes, digits, iris or wine")]
    key: Annotated[Literal["data", "target"], Field(description="data (n, d) or target (n,)")] = "data"


class GeneratedData(Schema, extra="allow"):
    """An array that a named generator makes from numbers; other keys are the generator's arguments."""

    generate: Annotated[str, Field(pattern=NAME, description="name of a generator, see `solverkit plugins`")]
    key: Annotated[str | None, Field(description="which array, where the generator makes several")] = None
    __pydantic_extra__: dict[str, Scalar]


def _which(value: Any) -> str | None:
    if isinstance(value, list | int | float):
        return "<inline>"
    if isinstance(value, dict):
        tags = [f"<{key}>" for key in ("file", "sklearn", "generate") if key in value]
        return (tags or ["<file>"])[0] if value else None
    return None


Data = Annotated[
    Annotated[FileData, Tag("<file>")]
    | Annotated[BundledData, Tag("<sklearn>")]
    | Annotated[GeneratedData, Tag("<generate>")]
    | Annotated[Quantity, Tag("<inline>")],
    Discriminator(
        _which,
        custom_error_type="refused",
        custom_error_message="must be {file: ...}, {sklearn: ...}, {generate: ...} or a list of numbers",
    ),
]


class Expected(Schema):
    """The known answer."""

    objective: Annotated[Scalar | None, Field(description="value of the objective")] = None
    lower_objective: Annotated[Scalar | None, Field(description="value of the lower objective (bilevel)")] = None
    point: Annotated[
        dict[Name, Quantity], MayBeEmpty, Field(default_factory=dict, description="blocks of the solution")
    ]
    tolerance: Annotated[Scalar | None, Field(description="how far a good answer may be off")] = None


def _kind(value: Any) -> Any:
    if not isinstance(value, str):
        raise refusal(f"must be the name of a kind of problem, not {what(value)}")
    return value


class Envelope(Schema):
    """What every problem file has."""

    solverkit: Annotated[Literal[1], Field(description="version of the file format")]
    kind: Annotated[str, PlainValidator(_kind, json_schema_input_type=str), Field(description="kind of problem")]
    name: Annotated[str, Field(pattern=NAME, description="up to 64 letters, digits, _ and -")]
    source: Annotated[Origin, MayBeEmpty, Field(description="where the problem comes from")] = Origin()
    parameters: Annotated[
        dict[Name, Scalar], MayBeEmpty, Field(default_factory=dict, description="numbers that expressions name")
    ]
    data: Annotated[
        dict[Name, Data], MayBeEmpty, Field(default_factory=dict, description="arrays that expressions name")
    ]
    expect: Annotated[
        Expected,
        MayBeEmpty,
        Field(default_factory=lambda: Expected.model_validate({}), description="the known answer"),
    ]


def model_of(kind: Kind) -> type[BaseModel]:
    """The model of whole files of one kind: the envelope and the kind's own keys."""
    return create_model(f"{kind.name.title().replace('-', '')}Problem", __base__=(kind.schema, Envelope))


def validate(model: type[BaseModel], value: dict[str, Any], source: FileSource) -> Any:
    """The file as an instance of `model`. Its defects go to `source`, and the rest is repaired to find more of them.

    None where too little is left.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        wrong = found(error, model, value)
    for item in wrong:
        source.defect(item.path, item.message, key=item.key)
    source.settled.update(item.path for item in wrong)
    left = copy.deepcopy(value)
    for item in wrong:
        _repair(left, item)
        if item.meant:
            source.document.rename(item.path, item.meant)
    for _ in range(2):
        try:
            return model.model_validate(left)
        except ValidationError as error:
            for item in found(error, model, left):
                source.settled.add(item.path)
                _fill(left, item.path, 1 if item.path == ("solverkit",) else "0")
    return None


def _repair(value: Any, item: Found) -> None:
    """Take away what is wrong; put what stands under a misspelt key where it belongs."""
    path = item.path[:2] if item.path[0] in ("data", "parameters") else item.path
    holder = _at(value, path[:-1])
    if isinstance(holder, dict) and path[-1] in holder:
        content = holder.pop(path[-1])
        if item.meant:
            holder[item.meant] = content


def _fill(value: Any, path: KeyPath, content: Any) -> None:
    """A stand-in for a value that is missing: whatever is found out about it is not reported."""
    holder = _at(value, path[:-1])
    if isinstance(holder, dict):
        holder[path[-1]] = content


def _at(value: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value
