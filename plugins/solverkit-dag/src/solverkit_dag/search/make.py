"""Which search fits a problem."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.dag.problem import Dag
from solverkit.kinds.dag.scores import edge_price
from solverkit_dag.options.swaps import TopologicalSwapsOptions
from solverkit_dag.precedence import Precedence
from solverkit_dag.ridge import conditioned, refuse_dependent
from solverkit_dag.search.base import Search


def make_search(
    problem: Dag, options: TopologicalSwapsOptions, log: Callable[[str], None], device: str = "cpu"
) -> Search:
    """The search of a problem's score and knowledge. UsageError where the options do not fit it."""
    precedence = Precedence.of(problem.known)
    plain = problem.score == "least-squares" and problem.l1 == 0 and precedence.free_parents
    if options.candidates == "paper" and not plain:
        raise UsageError(
            "candidates: paper is for least squares without l1 and without forbidden edges other than tiers; "
            f"problem {problem.name!r} has score {problem.score}, l1 = {problem.l1:g}. Leave candidates out"
        )
    if problem.score == "mlp":
        from solverkit_dag.search.networks import Networks

        return Networks(problem, precedence, options.tried, device)
    if problem.score == "bic" and options.ridge is None:
        refuse_dependent(problem.gram, problem.names, problem.n)
    gram = conditioned(problem.gram, options.ridge, log)
    if plain:
        return _closed_form(problem, options, precedence, gram)
    if problem.score == "bic":
        from solverkit_dag.search.grow_shrink import GrowShrink

        return GrowShrink(gram, edge_price(problem), precedence, problem.known.forbidden, problem.known.required)
    from solverkit_dag.search.fits import make_fits
    from solverkit_dag.search.nodewise import Nodewise

    return Nodewise(make_fits(problem, gram), gram, precedence, options.exhaustive)


def _closed_form(problem: Dag, options: TopologicalSwapsOptions, precedence: Precedence, gram: np.ndarray) -> Search:
    from solverkit_dag.search.candidates import Candidates, Sizes
    from solverkit_dag.search.closed_form import ClosedForm

    if options.candidates == "all":
        return ClosedForm(gram, precedence)
    default = Sizes.automatic(problem.d)
    sizes = Sizes(
        default.small if options.s_small is None else options.s_small,
        default.large if options.s_large is None else options.s_large,
        default.no_large if options.no_large is None else options.no_large,
    )
    return Candidates(gram, precedence, sizes, options.version)
