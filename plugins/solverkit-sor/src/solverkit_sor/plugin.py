"""What this distribution registers. Reading it imports nothing heavy."""

from __future__ import annotations

from solverkit.plugin import SolverSpec, SourceSpec, hookimpl


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """`sor-tuner`."""
    return [
        SolverSpec(
            name="sor-tuner",
            kind="linear-sequence",
            summary="Linear systems one after another, by solvers whose parameters are learnt on the way.",
            target="solverkit_sor.method:SorTuner",
            options="solverkit_sor.options:SorTunerOptions",
            packages=("numpy", "scipy", "numba"),
            paper="arXiv 2310.02246",
            pays="Many similar systems, where the best solver or parameter is not known or changes along the sequence.",
            avoid="A handful of systems, or one matrix with many right-hand sides that fits a direct factorization.",
            priority=10,
        )
    ]


@hookimpl
def solverkit_sources() -> list[SourceSpec]:
    """Seeded sequences of linear systems."""
    module = "solverkit_sor.generators"
    return [
        SourceSpec(
            "shifted-laplacian",
            "A Laplacian with shifts by a beta law: the first experiment of arXiv 2310.02246.",
            f"{module}.shifted:shifted_laplacian",
        ),
        SourceSpec(
            "heat",
            "Crank-Nicolson steps of heat with a diffusion that varies in time: its second experiment.",
            f"{module}.heat:heat",
        ),
        SourceSpec(
            "heat-heterogeneous",
            "The same with a random conductivity that spans a given contrast.",
            f"{module}.heat:heat_heterogeneous",
        ),
        SourceSpec(
            "mesh-heat",
            "Implicit Euler steps of heat by finite elements on an unstructured mesh, with a moving source.",
            f"{module}.mesh:mesh_heat",
        ),
        SourceSpec(
            "newton-p-laplace",
            "The Newton systems of a nonlinear diffusion under a growing load.",
            f"{module}.newton:newton_p_laplace",
        ),
    ]
