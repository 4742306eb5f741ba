"""The kinds of the core, registered through the same hook as a third party's."""

from __future__ import annotations

from solverkit.registry.hookspecs import hookimpl
from solverkit.registry.specs import KindSpec, SourceSpec


@hookimpl
def solverkit_problem_kinds() -> list[KindSpec]:
    """The kinds that come with the core."""
    return [
        KindSpec(
            "bilevel",
            "min F(x, y) subject to y solving a constrained lower problem",
            "solverkit.kinds.bilevel.kind:BilevelKind",
        ),
        KindSpec(
            "composite",
            "min f(x) + h(x) + chi(x): smooth, plus nonsmooth, plus simple",
            "solverkit.kinds.composite.kind:CompositeKind",
        ),
        KindSpec(
            "dag",
            "min score(W) subject to W being the weights of a directed acyclic graph",
            "solverkit.kinds.dag.kind:DagKind",
        ),
        KindSpec(
            "inclusion",
            "0 in F(u) + G(u), F monotone: games, saddle points, variational inequalities, linear programs",
            "solverkit.kinds.inclusion.kind:InclusionKind",
        ),
        KindSpec(
            "linear-sequence",
            "A_t x_t = b_t for t = 1, ..., T, sparse systems of one pattern",
            "solverkit.kinds.linear_sequence.kind:LinearSequenceKind",
        ),
        KindSpec(
            "nonlinear",
            "min f(x) subject to lower <= c(x) <= upper and bounds on x",
            "solverkit.kinds.nonlinear.kind:NonlinearKind",
        ),
    ]


@hookimpl
def solverkit_sources() -> list[SourceSpec]:
    """Seeded data that belong to a kind rather than to a method."""
    return [
        *_sources(
            "solverkit.kinds.composite.generators",
            fused_lasso="Measurements of a piecewise constant signal.",
            graph_features="Labelled samples whose features are the nodes of a graph, neighbours alike.",
            outlier_regression="Linear measurements, some of them spoilt, beside a few trusted ones.",
            partial_dct="Some of the cosine coefficients of a piecewise constant image.",
            scenario_returns="Returns of correlated assets in scenarios.",
            step_image="A piecewise constant image with noise of known size at each pixel.",
        ),
        *_sources(
            "solverkit.kinds.dag.generators",
            gene_network="Samples of a published network of gene expression.",
            linear_sem="Samples of a linear structural model on a random graph.",
            logistic_sem="Binary samples of a logistic structural model.",
            mlp_sem="Samples of a nonlinear structural model of random networks.",
        ),
        *_sources(
            "solverkit.kinds.inclusion.generators",
            breast_cancer_saddle="scikit-learn's breast cancer data with groups, for min-max fitting.",
            constrained_qp="A quadratic program that is hard for first-order methods, as a saddle problem.",
            gaussian_game="A matrix of standard normal payoffs.",
            kuhn_poker="Kuhn poker in sequence form.",
            policeman_burglar="Where to wait for a burglar: the matrix game of arXiv 2310.02987.",
            quadratic_game="A quadratic game as the mean of random ones.",
            random_poker="Kuhn's poker with more cards and sizes of bets.",
            sparse_game="Standard normal payoffs, most of them zero.",
        ),
    ]


def _sources(module: str, **summaries: str) -> list[SourceSpec]:
    """One for each function of a module, named as it with hyphens."""
    return [SourceSpec(name.replace("_", "-"), summary, f"{module}:{name}") for name, summary in summaries.items()]
