"""Swing a pendulum up with as little effort as possible, the motor being too weak to lift it at once.

min  integral of u^2    s.t.  angle' = speed,  speed' = u - sin(angle),  |u| <= 0.6,
at rest and hanging down at time 0, at rest and upright at time T; trapezoidal rule on N steps.
"""

import math

import pyomo.environ as pyo

N = 60
T = 10.0
STRONGEST = 0.6


def build() -> pyo.ConcreteModel:
    """The discretized control problem: 3 (N + 1) variables, 2 N + 4 equations."""
    model = pyo.ConcreteModel("pendulum")
    model.t = pyo.RangeSet(0, N)
    model.interval = pyo.RangeSet(1, N)
    step = T / N
    model.angle = pyo.Var(model.t, initialize=lambda model, t: math.pi * t / N)
    model.speed = pyo.Var(model.t, initialize=math.pi / T)
    model.torque = pyo.Var(model.t, bounds=(-STRONGEST, STRONGEST), initialize=0.0)
    angle, speed, torque = model.angle, model.speed, model.torque
    model.acceleration = pyo.Expression(model.t, rule=lambda model, t: torque[t] - pyo.sin(angle[t]))
    model.effort = pyo.Objective(
        expr=step * sum(0.5 * (torque[t - 1] ** 2 + torque[t] ** 2) for t in model.interval),
    )
    model.turning = pyo.Constraint(
        model.interval, rule=lambda model, t: angle[t] == angle[t - 1] + 0.5 * step * (speed[t - 1] + speed[t])
    )
    model.driving = pyo.Constraint(
        model.interval,
        rule=lambda model, t: (
            speed[t] == speed[t - 1] + 0.5 * step * (model.acceleration[t - 1] + model.acceleration[t])
        ),
    )
    model.hanging = pyo.Constraint(expr=angle[0] == 0)
    model.resting = pyo.Constraint(expr=speed[0] == 0)
    model.upright = pyo.Constraint(expr=angle[N] == math.pi)
    model.still = pyo.Constraint(expr=speed[N] == 0)
    return model
