"""From a validated problem file to a sequence: the four forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, eye_array

from solverkit.kinds.base import Block
from solverkit.kinds.expectation import expected
from solverkit.kinds.linear_sequence.folder import read_folder
from solverkit.kinds.linear_sequence.grid import strays
from solverkit.kinds.linear_sequence.pattern import Pattern
from solverkit.kinds.linear_sequence.problem import SOLUTIONS, LinearSequence
from solverkit.kinds.linear_sequence.structure import structure
from solverkit.kinds.linear_sequence.systems import Combination, Given, Matrices, Recorded, Stepping, Stored
from solverkit.kinds.linear_sequence.tables import Tables, Unusable

if TYPE_CHECKING:
    from solverkit.kinds.base import Source
    from solverkit.kinds.linear_sequence.schema import (
        FolderForm,
        LinearSequenceFile,
        ShiftedForm,
        SteppingForm,
        SystemsForm,
    )

FORMS = ("systems", "shifted", "stepping", "folder")


def build(file: LinearSequenceFile, source: Source) -> LinearSequence:
    """The sequence of a file. Where there is a defect, it is recorded and a harmless stand-in comes back."""
    try:
        stored = _stored(file, source)
    except Unusable:
        return _stand_in(source)
    return LinearSequence(
        name=source.name,
        systems=stored,
        structure=structure(stored.pattern, stored.matrices),
        rtol=_rtol(file, source),
        grid=_grid(file, source, stored.pattern),
        shifts=_shifts(file, stored),
        expect=expected(source, [Block(SOLUTIONS, (stored.T, stored.pattern.n), np.zeros(0))]),
    )


def _stored(file: LinearSequenceFile, source: Source) -> Stored:
    given = [form for form in FORMS if getattr(file, form) is not None]
    if not given and source.defects:  # what was meant as a form may be among them
        raise Unusable
    if len(given) != 1:
        found = f"here are {' and '.join(given)}" if given else "here is none"
        source.defect((given[1] if given else "kind",), f"give exactly one of {', '.join(FORMS)}; {found}", key=True)
        raise Unusable
    form, read = getattr(file, given[0]), Tables(source, given[0])
    builders: dict[str, Any] = {"systems": _systems, "shifted": _shifted, "stepping": _stepping, "folder": _folder}
    return builders[given[0]](form, read)


def _systems(form: SystemsForm, read: Tables) -> Stored:
    recorded = form.pattern is not None and form.values is not None and form.matrix is None
    alone = form.matrix is not None and form.pattern is None and form.values is None
    if not (recorded or alone):
        if read.source.defects:  # a misspelt key
            raise Unusable
        read.refuse((), "needs either `pattern` and `values`, or `matrix` alone")
    key = "pattern" if recorded else "matrix"
    pattern, values = Pattern.of(read.sparse(getattr(form, key), key))
    if recorded:
        held = read.table(form.values, "values", None, pattern.nnz, "an entry of the pattern")
        T, matrices = len(held), Recorded(held)
        read.sized(T, pattern, T, "values")
        rights = read.table(form.right_hand_sides, "right_hand_sides", T, pattern.n, "an unknown")
    else:
        rights = read.table(form.right_hand_sides, "right_hand_sides", None, pattern.n, "an unknown")
        T = len(rights)
        read.sized(T, pattern, 1, "right_hand_sides")
        matrices = Recorded(np.broadcast_to(values, (T, pattern.nnz)), constant=True)
    return Stored(pattern, matrices, Given(rights), *read.context(form, T), np.zeros(pattern.n))


def _shifted(form: ShiftedForm, read: Tables) -> Stored:
    base = read.sparse(form.matrix, "matrix")
    by: csr_array = csr_array(eye_array(base.shape[0])) if form.by is None else read.sparse(form.by, "by")
    pattern, parts = read.union([base, by], [("matrix",), ("by",)])
    shifts = read.vector(form.shifts, "shifts")
    read.sized(len(shifts), pattern, 2, "shifts")
    rights = read.table(form.right_hand_sides, "right_hand_sides", len(shifts), pattern.n, "an unknown")
    if form.context is None:
        context, names = shifts[:, None].copy(), tuple(form.context_names or ("shift",))
    else:
        context, names = read.context(form, len(shifts))
    matrices = Combination(parts, np.column_stack([np.ones(len(shifts)), shifts]))
    return Stored(pattern, matrices, Given(rights), context, names, np.zeros(pattern.n))


def _stepping(form: SteppingForm, read: Tables) -> Stored:
    left = [read.sparse(value, "matrices", k) for k, value in enumerate(form.matrices)]
    pattern, parts = read.union(left, [("matrices", k) for k in range(len(left))])
    coefficients = read.table(form.coefficients, "coefficients", None, len(left), "one of `matrices`")
    T, n = len(coefficients), pattern.n
    read.sized(T, pattern, len(left), "coefficients")
    right = [read.sparse(value, "previous", k) for k, value in enumerate(form.previous)]
    for k, matrix in enumerate(right):
        if matrix.shape != (n, n):
            read.refuse(("previous", k), f"has shape {matrix.shape}, not ({n}, {n})")
    factors = read.table(form.previous_coefficients, "previous_coefficients", T, len(right), "one of `previous`")
    forcing = read.table(form.forcing, "forcing", T, n, "an unknown")
    initial = read.table(form.initial, "initial", 1, n, "an unknown")[0]
    rights = Stepping(tuple(right), factors, forcing)
    return Stored(pattern, Combination(parts, coefficients), rights, *read.context(form, T), initial)


def _folder(form: FolderForm, read: Tables) -> Stored:
    tape = read_folder(form.path, read)
    T, pattern = len(tape.rights), tape.first.pattern
    read.sized(T, pattern, len(tape.tables), "path")
    rights = Given(np.array(tape.rights))
    return Stored(pattern, tape.matrices(), rights, *read.context(form, T), np.zeros(pattern.n))


def _shifts(file: LinearSequenceFile, stored: Stored) -> np.ndarray | None:
    """The shifts where they are of the identity."""
    if file.shifted is None or file.shifted.by is not None:
        return None
    assert isinstance(stored.matrices, Combination)
    return stored.matrices.coefficients[:, 1]


def _rtol(file: LinearSequenceFile, source: Source) -> float | None:
    if file.rtol is None:
        return None
    before = len(source.defects)
    rtol = source.number(file.rtol, ("rtol",))
    if len(source.defects) == before and not 0 < rtol < 1:
        source.defect(("rtol",), f"a number between 0 and 1, not {rtol:g}")
    return rtol


def _grid(file: LinearSequenceFile, source: Source, pattern: Pattern) -> tuple[int, ...] | None:
    if file.grid is None:
        return None
    before = len(source.defects)
    lengths = tuple(source.shape(length, ("grid", k))[0] for k, length in enumerate(file.grid))
    if len(source.defects) > before:
        return None
    if int(np.prod(lengths)) != pattern.n:
        source.defect(("grid",), f"a grid of {' x '.join(map(str, lengths))} points, and {pattern.n} unknowns")
    elif place := strays(pattern, lengths):
        source.defect(("grid",), f"the entry [{place[0]},{place[1]}] couples points that are no neighbours on the grid")
    return lengths


def _stand_in(source: Source) -> LinearSequence:
    """Never returned by the loader, which raises for the defect."""
    pattern, values = Pattern.of(np.eye(1))
    matrices: Matrices = Recorded(values[None], constant=True)
    stored = Stored(pattern, matrices, Given(np.ones((1, 1))), np.zeros((1, 0)), (), np.zeros(1))
    return LinearSequence(source.name, stored, structure(pattern, matrices))
