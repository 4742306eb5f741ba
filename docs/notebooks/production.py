# %% [markdown]
# # A production plan, its prices, and a plan that cannot be
#
# For users of operations research. A linear program written in CVXPY is solved by a first-order method for large programs; the answer is proven by
# the duality gap, and an impossible plan by a proof of infeasibility.

# %%
import cvxpy as cp
import numpy as np

import solverkit as sk

hours = np.array([[2.0, 1.0, 3.0], [1.0, 3.0, 2.0]])  # of two machines for three products
profit = np.array([3.0, 2.5, 4.0])
plan = cp.Variable(3, nonneg=True)
machines = hours @ plan <= np.array([40.0, 60.0])
problem = cp.Problem(cp.Maximize(profit @ plan), [machines, plan[0] >= 2])
result = sk.solve(problem)
print("plan", plan.value.round(4), "profit", round(problem.value, 4))
print("worth of an hour on each machine:", machines.dual_value.round(4))

# %%
result

# %% [markdown]
# The first note says how the problem was reduced. The certificate is of the original problem: CVXPY's own evaluation of its constraints and its
# objective at the written values is part of it.
#
# The prices predict what one more hour is worth; the program with one hour more agrees:

# %%
more = cp.Problem(cp.Maximize(profit @ plan), [hours @ plan <= np.array([41.0, 60.0]), plan[0] >= 2])
before = problem.value
sk.solve(more)
print(round(more.value - before, 4), "against", round(float(machines.dual_value[0]), 4))
assert abs(more.value - before - machines.dual_value[0]) < 1e-3

# %% [markdown]
# Ask for too much, and the run ends with a proof: weights of the rows that add up to a contradiction, which the core recomputes.

# %%
impossible = cp.Problem(cp.Maximize(profit @ plan), [hours @ plan <= np.array([40.0, 60.0]), plan[0] >= 25])
print(sk.solve(impossible))
print(impossible.status)
assert impossible.status == "infeasible"
