"""The public names of Python: signatures and docstrings."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
from importlib import import_module
from types import GenericAlias, ModuleType
from typing import Any

import solverkit
from docs._build.markdown import code, docstring, escaped, page, table
from solverkit.registry import registry

INHERITED = (object, dict, Exception, BaseException, enum.Enum)
"""Classes whose methods are Python's own and not worth a line."""


def pages() -> dict[str, str]:
    """`reference/python.md`, `reference/python-problems.md` and `reference/python-plugin.md`."""
    return {
        "reference/python.md": _package(),
        "reference/python-problems.md": _problems(),
        "reference/python-plugin.md": _plugin(),
    }


def _package() -> str:
    names = [name for name in solverkit.__all__ if name != "__version__"]
    return page(
        "# Python: `import solverkit as sk`",
        "Every name is imported when it is first used. `sk.__version__` is the version.",
        *[member(name, _at_home(name)) for name in names],
    )


def _at_home(name: str) -> Any:
    """The object of a name of `solverkit`; `bench` is also the package of that name, which can be called."""
    home = solverkit._HOME.get(name)
    return getattr(import_module(f"solverkit.{home}"), name) if home else getattr(solverkit, name)


def _plugin() -> str:
    import solverkit.plugin as plugin

    return page(
        "# Python: what a plugin imports",
        "`from solverkit.plugin import ...`; see [how to write a method](../how-to/method.md).",
        *[member(name, getattr(plugin, name)) for name in plugin.__all__],
    )


def _problems() -> str:
    parts = ["# Python: problems", "`load` reads a file; these build a problem from arrays, functions and texts."]
    for spec in registry.kinds():
        package = import_module(type(registry.kind(spec.name)).__module__.rpartition(".")[0])
        names = getattr(package, "__all__", [])
        parts += [f"## {spec.name}", f"`from {package.__name__} import ...`", docstring(package.__doc__)]
        parts += [member(name, getattr(package, name), level=3) for name in names]
    return page(*parts)


def member(name: str, value: Any, level: int = 2) -> str:
    """One public name."""
    heading = f"{'#' * level} {code(name)}"
    if isinstance(value, int | str | tuple):
        return page(heading, f"`{value!r}`")
    if isinstance(value, GenericAlias):
        return page(heading, f"`{_type(str(value))}`")
    if not _ours(value):
        return page(heading, f"`{name}` of {value.__module__.partition('.')[0].title()}, as it is.")
    if isinstance(value, ModuleType):
        return page(heading, docstring(value.__doc__), *_module(value, level + 1))
    if inspect.isclass(value):
        return page(
            heading, _signature(name, value), docstring(_own_doc(value)), _fields(value), *_methods(value, level + 1)
        )
    if callable(value):
        return page(heading, _signature(name, value), docstring(inspect.getdoc(value)))
    raise TypeError(f"{name}: no way to document {type(value)}")


def _module(module: ModuleType, level: int) -> list[str]:
    names = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if not name.startswith("_") and _home(value) == module.__name__
    ]
    return [member(name, getattr(module, name), level) for name in names]


def _ours(value: Any) -> bool:
    home = str(getattr(value, "__module__", None) or getattr(value, "__name__", ""))
    return home.startswith("solverkit")


def _home(value: Any) -> str:
    return str(getattr(value, "__module__", "")) if callable(value) else ""


def _own_doc(value: type) -> str | None:
    return (
        value.__doc__
        if not (dataclasses.is_dataclass(value) and (value.__doc__ or "").startswith(f"{value.__name__}("))
        else None
    )


def _signature(name: str, value: Any) -> str:
    """The call as code, a parameter a line where it is long; empty where there is none to see."""
    if inspect.isclass(value) and (issubclass(value, enum.Enum) or getattr(value, "_is_protocol", False)):
        return ""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    parts = _parameters(signature)
    returned = signature.return_annotation
    end = "" if returned is signature.empty or inspect.isclass(value) else f" -> {_type(returned)}"
    text = f"{name}({', '.join(parts)}){end}"
    if len(text) > 90:
        text = f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){end}"
    return f"```py\n{text}\n```"


def _parameters(signature: inspect.Signature) -> list[str]:
    parts: list[str] = []
    star = False
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        star = star or parameter.kind is parameter.VAR_POSITIONAL
        parts.append(_parameter(parameter))
    return parts


def _parameter(parameter: inspect.Parameter) -> str:
    stars = "*" * (parameter.kind is parameter.VAR_POSITIONAL) + "**" * (parameter.kind is parameter.VAR_KEYWORD)
    text = stars + parameter.name
    typed = parameter.annotation is not parameter.empty
    if typed:
        text += f": {_type(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        default = re.sub(r"^<.*>$", "...", repr(parameter.default))  # an object that has no text of its own
        text += f" = {default}" if typed else f"={default}"
    return text


def _type(annotation: Any) -> str:
    """A type without the homes of its names."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z_]\w*)", "", text.strip("'"))


def _fields(value: type) -> str:
    """Members of an enum; of another class its fields, with the comments that stand behind them."""
    if issubclass(value, enum.Enum):
        return table(("member", "meaning"), [(code(item.name), escaped(item.value)) for item in value])
    if dataclasses.is_dataclass(value):
        fields = {field.name: field.type for field in dataclasses.fields(value)}
    else:
        fields = vars(value).get("__annotations__", {})
    notes = _comments(value)
    rows = [
        (code(name), code(_type(annotation)), escaped(notes.get(name, "")))
        for name, annotation in fields.items()
        if not name.startswith("_") and name != "model_config"
    ]
    if not notes:
        return table(("field", "type"), [row[:2] for row in rows])
    return table(("field", "type", "meaning"), rows)


def _comments(value: type) -> dict[str, str]:
    try:
        source = inspect.getsource(value)
    except (OSError, TypeError):
        return {}
    return dict(re.findall(r"^    (\w+): [^#\n]+?  # (.+)$", source, re.MULTILINE))


def _methods(value: type, level: int) -> list[str]:
    if issubclass(value, enum.Enum):
        return []
    parts = []
    for name, found in _public(value).items():
        target = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
        text = docstring(inspect.getdoc(target))
        heading = f"{'#' * level} {code(f'{value.__name__}.{name}')}"
        parts.append(page(heading, "" if isinstance(found, property) else _signature(name, target), text))
    return parts


def _call(value: type, name: str) -> bool:
    """Whether a member is what a protocol of a function consists of."""
    return name == "__call__" and getattr(value, "_is_protocol", False)


def _public(value: type) -> dict[str, Any]:
    """Public methods and properties that a class or its own bases define."""
    found: dict[str, Any] = {}
    for base in value.__mro__:
        if base in INHERITED or not base.__module__.startswith("solverkit"):
            continue
        for name, item in vars(base).items():
            if (not name.startswith("_") or _call(value, name)) and (
                isinstance(item, property | classmethod | staticmethod) or inspect.isfunction(item)
            ):
                found.setdefault(name, item)
    return found
