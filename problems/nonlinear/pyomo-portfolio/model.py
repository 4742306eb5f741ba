"""Mean and variance of a portfolio of four assets: a quadratic program that maximizes, with bounds and a range."""

import pyomo.environ as pyo

RETURN = {"stocks": 0.12, "funds": 0.10, "bonds": 0.07, "cash": 0.03}
COVARIANCE = {
    ("stocks", "stocks"): 0.04,
    ("funds", "funds"): 0.01,
    ("bonds", "bonds"): 0.0025,
    ("stocks", "funds"): 0.006,
    ("stocks", "bonds"): -0.004,
}
AVERSION = 8.0


def build() -> pyo.ConcreteModel:
    """Shares of four assets, none above 60 %; stocks and funds together make 30 to 70 %."""
    model = pyo.ConcreteModel("portfolio")
    model.asset = pyo.Set(initialize=list(RETURN))
    model.share = pyo.Var(model.asset, bounds=(0, 0.6), initialize=0.25)
    share = model.share
    variance = sum(
        (1 if one == other else 2) * value * share[one] * share[other] for (one, other), value in COVARIANCE.items()
    )
    gain = sum(RETURN[asset] * share[asset] for asset in model.asset)
    model.utility = pyo.Objective(expr=gain - 0.5 * AVERSION * variance, sense=pyo.maximize)
    model.budget = pyo.Constraint(expr=sum(share[asset] for asset in model.asset) == 1)
    model.risky = pyo.Constraint(expr=(0.3, share["stocks"] + share["funds"], 0.7))
    return model
