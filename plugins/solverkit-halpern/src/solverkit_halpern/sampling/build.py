"""The components of a problem: compiled where the kernels know it, by its oracles elsewhere, and L_Q of the draws."""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.sampling.base import Components
from solverkit_halpern.sampling.compiled import CompiledComponents, compilable
from solverkit_halpern.sampling.device import DeviceComponents, movable
from solverkit_halpern.sampling.lipschitz import MOVES, SAMPLES, probe
from solverkit_halpern.sampling.oracles import OracleComponents


def components_of(
    problem: Inclusion, ctx: Context, *, importance: bool = True, centre: bool = True, repeat: bool = True
) -> Components:
    """Compiled, on the problem's device, or by oracles; the same for the same problem and options."""
    if compilable(problem):
        return CompiledComponents(problem, ctx.charge, importance=importance, centre=centre, repeat=repeat)
    if movable(problem):
        return DeviceComponents(problem, ctx.charge, importance=importance, centre=centre)
    return OracleComponents(problem, repeat=repeat)


def mean_lipschitz(problem: Inclusion, parts: Components, u: np.ndarray, ctx: Context) -> float:
    """L_Q of the draws: known, or probed at u, counted and said in the log."""
    if parts.mean_lipschitz is not None:
        return parts.mean_lipschitz
    draw = parts.draw(ctx.rng, MOVES, SAMPLES)
    found = probe(problem, u, ctx.rng, draw)
    ctx.log(
        f"L of the components is not known: probed {found.mean:.3g} (of F {found.lipschitz:.3g}) with "
        f"{1 + MOVES} evaluations of F and {2 * draw.size} of components"
    )
    return found.mean
