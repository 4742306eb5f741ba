"""What this distribution offers to SolverKit. Reading it imports nothing heavy."""

from __future__ import annotations

from solverkit.plugin import SolverSpec, SourceSpec, hookimpl


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """`lv-hba`, `implicit-gradient`, `bo-rep`."""
    return [
        SolverSpec(
            name="lv-hba",
            kind="bilevel",
            summary="Bilevel problems with affine constraints, by the proximal Lagrangian value function.",
            target="solverkit_bilevel.lv_hba:LVHBA",
            options="solverkit_bilevel.options:LVHBAOptions",
            requires=("gradient", "hessian", "affine-constraints"),
            backends=("cpu", "cuda"),
            dtypes=("float64", "float32"),
            packages=("numpy", "scipy"),
            paper="arXiv 2401.16164",
            pays="The lower level is convex in y, merely convex included; affine constraints may couple x and y.",
            avoid="The lower level is not convex in y: lower KKT points are found, and the certificate says so.",
            priority=10,
        ),
        SolverSpec(
            name="bsvrb",
            kind="bilevel",
            summary="Many lower problems that share x, by sampled blocks with variance reduction and an exact finish.",
            target="solverkit_bilevel.blocks.method:BSVRB",
            options="solverkit_bilevel.blocks.options:BSVRBOptions",
            requires=("gradient", "hvp", "unconstrained-lower", "uncoupled", "upper-samples", "lower-samples"),
            backends=("cpu", "cuda"),
            dtypes=("float64", "float32"),
            packages=("numpy", "scipy"),
            paper="arXiv 2305.18730",
            pays="Hundreds of free, strongly convex lower problems or more, each with a few variables of its own.",
            avoid="The lower level is one problem, or its blocks share variables other than x.",
            priority=3,
        ),
        SolverSpec(
            name="penalty",
            kind="bilevel",
            summary="First-order bilevel optimization by the penalty psi_s and its extrapolation to s = 0.",
            target="solverkit_bilevel.penalty.method:Penalty",
            options="solverkit_bilevel.penalty.options:PenaltyOptions",
            requires=("gradient", "uncoupled"),
            backends=("cpu", "cuda"),
            dtypes=("float64", "float32"),
            packages=("numpy", "scipy"),
            paper="arXiv 2309.01753",
            pays="Gradients alone; the lower level has simple sets of its own, no rows that couple it to x, any size.",
            avoid="Rows couple x and y, or the lower level has many minima that jump with x.",
            priority=4,
        ),
        SolverSpec(
            name="implicit-gradient",
            kind="bilevel",
            summary="Descent along the implicit hypergradient, by Hessian-vector products alone.",
            target="solverkit_bilevel.implicit_gradient.method:ImplicitGradient",
            options="solverkit_bilevel.implicit_gradient.options:ImplicitGradientOptions",
            requires=("gradient", "hvp", "unconstrained-lower", "no-upper-rows"),
            backends=("cpu", "cuda"),
            dtypes=("float64", "float32"),
            packages=("numpy", "scipy"),
            paper="AID-BiO, ITD-BiO, stocBiO: arXiv 2010.07962",
            pays="The lower level is free and strongly convex, of any size; x is free, or in a box, ball or simplex.",
            avoid="The lower level has constraints, or minimizers that are not isolated.",
            priority=12,  # before lv-hba: faster and certified more often where both fit (figure bilevel.unseen)
        ),
        SolverSpec(
            name="bo-rep",
            kind="bilevel",
            summary="Normalized momentum with periodic lower steps, for upper objectives of unbounded smoothness.",
            target="solverkit_bilevel.bo_rep.method:BORep",
            options="solverkit_bilevel.bo_rep.options:BORepOptions",
            requires=("gradient", "hvp", "unconstrained-lower", "no-upper-rows"),
            backends=("cpu", "cuda"),
            dtypes=("float64", "float32"),
            packages=("numpy", "scipy"),
            paper="arXiv 2401.09587",
            pays="Objectives are means over many samples, or the upper one grows exponentially; lower level free.",
            avoid="The lower level has constraints or is not strongly convex; full gradients are cheap and smooth.",
        ),
    ]


@hookimpl
def solverkit_sources() -> list[SourceSpec]:
    """Seeded data of the plugin's examples."""
    module = "solverkit_bilevel.generators"
    return [
        SourceSpec(
            "coupled-strongly-convex",
            "Data of the strongly convex example of arXiv 2401.16164, drawn anew from the same law.",
            f"{module}:coupled_strongly_convex",
        ),
        SourceSpec(
            "breast-cancer-split",
            "A seeded split of scikit-learn's breast cancer data, with labels flipped at random where asked.",
            f"{module}:breast_cancer_split",
        ),
        SourceSpec(
            "digits-split",
            "A seeded split of scikit-learn's digits, with labels flipped at random where asked.",
            f"{module}:digits_split",
        ),
        SourceSpec(
            "exponential-tail",
            "A quadratic lower level under an upper objective of unbounded smoothness.",
            f"{module}:exponential_tail",
        ),
        SourceSpec("priced-demand", "Customers who answer prices within capacities.", f"{module}:priced_demand"),
        SourceSpec(
            "shrunk-tasks",
            "Many small lower problems that share one upper variable.",
            f"{module}:shrunk_tasks",
        ),
    ]
