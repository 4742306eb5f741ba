"""The ten lines with which an .nl file begins: how much of everything it promises."""

from __future__ import annotations

import re
from dataclasses import dataclass

from solverkit.formats.nl.text import Lines

# least number of counts in lines 2 to 10; what older writers leave out is 0
_LEAST = (3, 2, 2, 2, 2, 2, 2, 2, 5)
_MOST = (6, 6, 2, 3, 5, 5, 2, 2, 5)


@dataclass(frozen=True)
class Header:
    """Counts, in the words of D. M. Gay, "Writing .nl files" (Sandia report 2005-7907P)."""

    variables: int
    constraints: int
    objectives: int
    logical: int
    complementarity: int
    nonlinear_in_constraints: int
    nonlinear_in_objectives: int
    nonlinear_in_both: int
    functions: int
    binary: int
    integer: int
    integer_in_both: int
    integer_in_constraints: int
    integer_in_objectives: int
    jacobian: int  # entries of all J segments
    gradient: int  # entries of all G segments
    defined: int  # common expressions, V segments

    def discrete(self) -> list[int]:
        """Positions of binary and integer variables: they end each group of the format's order of variables."""
        both = self.nonlinear_in_both
        only_constraints = self.nonlinear_in_constraints
        only_objectives = max(self.nonlinear_in_constraints, self.nonlinear_in_objectives)
        groups = [
            (both, self.integer_in_both),
            (only_constraints, self.integer_in_constraints),
            (only_objectives, self.integer_in_objectives),
            (self.variables, self.binary + self.integer),
        ]
        return [position for end, count in groups for position in range(max(end - count, 0), end)]


def read_header(lines: Lines) -> Header:
    """The counts; each is held against the number of lines, so that nothing is allocated on a mere promise."""
    first = lines.next("the first line of an .nl file")
    if not re.match(r"g[0-9]", first):
        raise lines.refuse("a text .nl file begins with g and a digit")
    rows = [_counts(lines, least, most) for least, most in zip(_LEAST, _MOST, strict=True)]
    sizes, nonlinear, _, kinds, functions, discrete, nonzeros, _, defined = rows
    return Header(
        variables=sizes[0],
        constraints=sizes[1],
        objectives=sizes[2],
        logical=sizes[5],
        complementarity=nonlinear[2] + nonlinear[3],
        nonlinear_in_constraints=kinds[0],
        nonlinear_in_objectives=kinds[1],
        nonlinear_in_both=kinds[2],
        functions=functions[1],
        binary=discrete[0],
        integer=discrete[1],
        integer_in_both=discrete[2],
        integer_in_constraints=discrete[3],
        integer_in_objectives=discrete[4],
        jacobian=nonzeros[0],
        gradient=nonzeros[1],
        defined=sum(defined),
    )


def _counts(lines: Lines, least: int, most: int) -> list[int]:
    words = lines.next("a line of the header").split()
    if not least <= len(words) <= most:
        raise lines.refuse(f"line {lines.at} of an .nl file has {least} to {most} counts, not {len(words)}")
    counts = []
    for position, word in enumerate(words):
        # flags, and the lengths of names, count nothing that the file holds
        free = lines.at == 9 or (lines.at == 6 and position > 1)
        counts.append(lines.integer(word, "a count", 10**6 if free else len(lines) + 1))
    return counts + [0] * (most - len(counts))
