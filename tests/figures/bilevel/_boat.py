"""The quadratic of `boat` for the BOAT toolkit, which loads losses by their dotted names."""

from __future__ import annotations

import os
import time
from typing import Any

import torch
from torch import nn

OPERATIONS: dict[str, dict[str, Any]] = {
    "NGD+RAD": {"gm_op": ["NGD"], "na_op": ["RAD"]},
    "NGD+CG": {"gm_op": ["NGD"], "na_op": ["CG"]},
    "NGD+NS": {"gm_op": ["NGD"], "na_op": ["NS"]},
    "NGD+FD": {"gm_op": ["NGD"], "na_op": ["FD"]},
    "VSO": {"fo_op": "VSO"},
    "VFO": {"fo_op": "VFO"},
    "MESO": {"fo_op": "MESO"},
    "MESO, eta .1, gamma .1, c0 1": {"fo_op": "MESO", "MESO": {"eta": 0.1, "gamma_1": 0.1, "c0": 1.0, "y_hat_lr": 0.1}},
    "PGDO": {"fo_op": "PGDO"},
    "PGDO, difference, gamma 10": {"fo_op": "PGDO", "PGDO": {"penalty": "difference", "gamma_max": 10.0}},
}


class Vector(nn.Module):
    """One vector of parameters, zero at the start."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.v = nn.Parameter(torch.zeros(n))

    def forward(self) -> torch.Tensor:
        """The vector."""
        return self.v


def lower_loss(feed: Any, upper: Any, lower: Any, params: Any = None) -> torch.Tensor:
    """|y - x|^2 / 2."""
    return 0.5 * ((lower() - upper()) ** 2).sum()


def upper_loss(feed: Any, upper: Any, lower: Any, params: Any = None) -> torch.Tensor:
    """|y - 1|^2 / 2 + |x|^2 / 2."""
    return 0.5 * ((lower() - 1) ** 2).sum() + 0.5 * (upper() ** 2).sum()


def run(boat: Any, operation: str, n: int, iterations: int) -> tuple[float, float, float]:
    """(largest error of x, of y, seconds) after `iterations` of one operation; steps .05 for x, .1 for y, 10 lower."""
    torch.manual_seed(0)
    upper, lower = Vector(n), Vector(n)
    options: dict[str, Any] = {
        "fo_op": None,
        "gm_op": None,
        "na_op": None,
        "lower_level_model": lower,
        "upper_level_model": upper,
        "lower_level_var": list(lower.parameters()),
        "upper_level_var": list(upper.parameters()),
        "lower_level_opt": torch.optim.SGD(lower.parameters(), lr=0.1),
        "upper_level_opt": torch.optim.SGD(upper.parameters(), lr=0.05),
        "lower_iters": 10,
        "device": "cpu",
        "fo_ol_batch_input": False,
        "accumulate_grad": False,
        "copy_last_param": True,
        "return_grad": False,
        "loss_log_path": os.devnull,
        "GDA": {"alpha_init": 0.0, "alpha_decay": 0.0},
        "RGT": {"truncate_iter": 0},
        "CG": {"tolerance": 1e-10, "k": 10},
        "FD": {"r": 1e-2},
        "DI": {"lr": 0.1},
        "MESO": {"eta": 0.001, "gamma_1": 0.01, "c0": 0.2, "y_hat_lr": 0.1},
        "VFO": {"y_hat_lr": 0.1, "eta": 0.5, "u1": 0.5},
        "VSO": {"z_loop": 5, "ll_l2_reg": 0.1, "ul_l2_reg": 0.01, "ul_ln_reg": 10.0, "reg_decay": 0.1, "z_lr": 0.01},
        "PGDO": {
            "y_hat_lr": 0.1,
            "gamma_init": 0.0,
            "gamma_max": 0.2,
            "gamma_argmax_step": 30,
            "update_y_ahead": False,
            "penalty": "gradient",
        },
    }
    for key, value in OPERATIONS[operation].items():
        options[key] = {**options[key], **value} if isinstance(value, dict) else value
    losses = {
        name: {"function": f"tests.figures.bilevel._boat.{name[:5]}_loss", "params": {}}
        for name in ("lower_level_loss", "upper_level_loss")
    }
    problem = boat.Problem(options, losses)
    problem.build_ll_solver()
    problem.build_ul_solver()
    begin = time.perf_counter()
    for k in range(iterations):
        problem.run_iter({}, {}, k)
    seconds = time.perf_counter() - begin
    errors = [float((vector().detach() - 0.5).abs().max()) for vector in (upper, lower)]
    return errors[0], errors[1], seconds
