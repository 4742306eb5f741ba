"""The tree of an expression: immutable nodes, each with its place in the text, and walks over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


def _offset() -> int:
    return field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A real literal."""

    value: float
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a parameter or a data array: which of them is not the syntax's business."""

    name: str
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Negative:
    """-operand."""

    operand: Tree
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Chain:
    """first op operand op operand ..., left to right; the operators are all of {+, -} or all of {*, /, @}."""

    first: Tree
    rest: tuple[tuple[str, Tree], ...]
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Power:
    """base ** exponent, elementwise."""

    base: Tree
    exponent: Tree
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the table `FUNCTIONS`; the number of arguments is right, their shapes are not yet known."""

    function: str
    arguments: tuple[Tree, ...]
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Slice:
    """start:stop:step within an index; None where left out."""

    start: Tree | None
    stop: Tree | None
    step: Tree | None
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Index:
    """base[items]; the items are integer expressions of numbers and parameters, or slices of them."""

    base: Tree
    items: tuple[Tree | Slice, ...]
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Compare:
    """operands[0] operators[0] operands[1] ...; only at the top of a constraint, or first in `where`."""

    operands: tuple[Tree, ...]
    operators: tuple[str, ...]
    offset: int = _offset()


Tree = Number | Name | Negative | Chain | Power | Call | Index | Compare


def names(tree: Tree) -> frozenset[str]:
    """Every name that occurs in the tree, in indices too; functions are not names."""
    return frozenset(node.name for node in walk(tree) if isinstance(node, Name))


def walk(tree: Tree | Slice) -> Iterator[Tree | Slice]:
    """All nodes of a tree, the tree itself first."""
    stack: list[Tree | Slice] = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def children(node: Tree | Slice) -> tuple[Tree | Slice, ...]:
    """The direct parts of a node, from left to right."""
    match node:
        case Negative():
            return (node.operand,)
        case Chain():
            return (node.first, *(operand for _, operand in node.rest))
        case Power():
            return (node.base, node.exponent)
        case Call():
            return node.arguments
        case Index():
            return (node.base, *node.items)
        case Slice():
            return tuple(part for part in (node.start, node.stop, node.step) if part is not None)
        case Compare():
            return node.operands
    return ()
