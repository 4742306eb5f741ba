"""What this distribution registers. Reading it imports nothing heavy."""

from __future__ import annotations

from solverkit.plugin import SolverSpec, hookimpl


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """The methods of this distribution."""
    return [
        SolverSpec(
            name="halpern",
            kind="inclusion",
            summary="Anchored iterations with restarts: reflected Halpern PDHG for games, LPs and bilinear "
            "saddle points.",
            target="solverkit_halpern.pdhg.method:Halpern",
            options="solverkit_halpern.pdhg.options:HalpernOptions",
            requires=("resolvent",),
            backends=("cpu", "cuda"),
            packages=("scipy",),
            paper="H. Lu, J. Yang, Restarted Halpern PDHG for linear programming, arXiv 2407.16144; weight "
            "control: H. Lu, "
            "Z. Peng, J. Yang, cuPDLPx, arXiv 2507.14051; anchored gradients: T. Yoon, E. K. Ryu, arXiv 2102.07922",
            pays="Games and linear programs that are large or dense, to moderate accuracy: two products an iteration.",
            avoid="Small linear programs to high accuracy, where simplex and interior point methods are "
            "exact, and fast.",
            priority=10,
        ),
        SolverSpec(
            name="vr-halpern",
            kind="inclusion",
            summary="Variance-reduced Halpern iteration: sums of many components, by a few of them at a time.",
            target="solverkit_halpern.variance_reduced.method:VRHalpern",
            options="solverkit_halpern.variance_reduced.options:VRHalpernOptions",
            requires=("resolvent",),
            backends=("cpu", "cuda"),
            packages=("numba", "numpy", "scipy"),
            paper="X. Cai, A. Alacaoglu, J. Diakonikolas, Variance reduced Halpern iteration for finite-sum monotone "
            "inclusions, ICLR 2024, arXiv 2310.02987",
            pays="Cocoercive sums of many components with L_Q^2 / L^2 well below n, such as data-fitting operators.",
            avoid="Games of high stable rank and linear programs, where halpern needs far fewer evaluations.",
            priority=6,
        ),
        SolverSpec(
            name="extragradient",
            kind="inclusion",
            summary="Extragradient with a searched step, plain or anchored.",
            target="solverkit_halpern.extragradient.method:Extragradient",
            options="solverkit_halpern.extragradient.options:ExtragradientOptions",
            requires=("resolvent",),
            backends=("cpu", "cuda"),
            packages=("numba", "numpy", "scipy"),
            paper="G. Korpelevich 1976; searched step: E. Khobotov 1987, P. Marcotte 1991; anchored: T. Yoon, "
            "E. K. Ryu, arXiv 2102.07922",
            pays="Any monotone Lipschitz operator with a cheap resolvent; nothing has to be known of it.",
            avoid="Bilinear problems to high accuracy, which halpern solves in fewer products.",
            priority=4,
        ),
        SolverSpec(
            name="forb",
            kind="inclusion",
            summary="Forward-reflected-backward splitting: one evaluation of the operator a step.",
            target="solverkit_halpern.extragradient.forb:Forb",
            options="solverkit_halpern.extragradient.options:ForbOptions",
            requires=("resolvent",),
            backends=("cpu", "cuda"),
            packages=("numba", "numpy", "scipy"),
            paper="Y. Malitsky, M. Tam, SIAM J. Optim. 30 (2020), arXiv 1808.04162",
            pays="Monotone operators that are expensive to evaluate and far from skew: one evaluation a step.",
            avoid="Bilinear problems, where its shorter step undoes what it saves.",
            priority=3,
        ),
        SolverSpec(
            name="vr-extragradient",
            kind="inclusion",
            summary="Loopless variance-reduced extragradient, or its reflected form.",
            target="solverkit_halpern.extragradient.vr:VRExtragradient",
            options="solverkit_halpern.extragradient.options:VRExtragradientOptions",
            requires=("resolvent",),
            backends=("cpu", "cuda"),
            packages=("numba", "numpy", "scipy"),
            paper="A. Alacaoglu, Y. Malitsky, COLT 2022, arXiv 2102.08352",
            pays="Games and monotone sums of very low stable rank, n large.",
            avoid="Anything of high stable rank: extragradient needs fewer evaluations.",
            priority=2,
        ),
    ]
