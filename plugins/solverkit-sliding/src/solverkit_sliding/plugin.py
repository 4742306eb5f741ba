"""What this distribution registers. Reading it imports nothing heavy."""

from __future__ import annotations

from solverkit.plugin import SolverSpec, hookimpl

PAYS = (
    "A gradient of f costs well over a product with K: dense data, f over a network. The log of a run says how "
    "much, and from what ratio on it pays."
)


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """Two sliding methods, three methods to compare them with, and the choice between them."""
    home, options = "solverkit_sliding", "solverkit_sliding.options"
    return [
        SolverSpec(
            name="composite-auto",
            kind="composite",
            summary="Accelerated gradient sliding or Condat-Vu, by the measured costs of a gradient of f and of K.",
            target=f"{home}.auto:CompositeAuto",
            options=f"{options}:AutoOptions",
            requires=("gradient",),
            packages=("numpy", "scipy"),
            pays="You do not know which of the two is faster here: three gradients of f tell.",
            avoid="You do, or runs have to be equal on any machine: the choice depends on a clock.",
            priority=20,
        ),
        SolverSpec(
            name="accelerated-gradient-sliding",
            kind="composite",
            summary="Few gradients of f, and products with K in proportion to 1/sqrt(eps), without restarts.",
            target=f"{home}.accelerated:AcceleratedSliding",
            options=f"{options}:AcceleratedOptions",
            requires=("gradient", "structured"),
            packages=("numpy", "scipy"),
            paper="arXiv 2602.04161",
            pays=PAYS,
            avoid="A gradient of f costs less than some ten pairs of products with K and K': condat-vu wins.",
            priority=10,
        ),
        SolverSpec(
            name="gradient-sliding",
            kind="composite",
            summary="Few gradients of f, and many subgradients of h, without restarts.",
            target=f"{home}.sliding:GradientSliding",
            options=f"{options}:SlidingOptions",
            requires=("gradient",),
            packages=("numpy", "scipy"),
            paper="arXiv 2602.04161",
            pays="h is known by subgradients alone, perhaps sampled ones, and a gradient of f is dear.",
            avoid="Accuracies below 1e-3 with a small mu: M^2 / (mu eps) subgradients; or h is structured.",
            priority=5,
        ),
        SolverSpec(
            name="condat-vu",
            kind="composite",
            summary="Primal-dual steps, over-relaxed and balanced: one gradient and one pair of products each.",
            target=f"{home}.baselines.condat_vu:CondatVu",
            options=f"{options}:CondatOptions",
            requires=("gradient", "structured"),
            packages=("numpy", "scipy"),
            paper="Condat 2013, Vu 2013",
            pays="A gradient of f costs about as much as a product with K, or h is not Lipschitz.",
            avoid="A gradient of f is dear: sliding takes a fraction of them.",
            priority=8,
        ),
        SolverSpec(
            name="smoothed-fista",
            kind="composite",
            summary="FISTA on a smoothed h: as many gradients of f as products with K.",
            target=f"{home}.baselines.smoothed_fista:SmoothedFista",
            options=f"{options}:SmoothedOptions",
            requires=("gradient", "structured", "lipschitz"),
            packages=("numpy", "scipy"),
            paper="Nesterov 2005",
            pays="As a yardstick, or for loose accuracies.",
            avoid="Accurate answers: L grows like 1/eps.",
            priority=2,
        ),
        SolverSpec(
            name="restarted-sliding",
            kind="composite",
            summary="Gradient sliding in phases that halve the gap.",
            target=f"{home}.baselines.restarted:RestartedSliding",
            options=f"{options}:RestartedOptions",
            requires=("gradient", "structured", "strongly-convex", "lipschitz"),
            packages=("numpy", "scipy"),
            paper="Lan 2016",
            pays="As a yardstick.",
            avoid="The gap of the start is not known: phases are wasted.",
            priority=1,
        ),
    ]
