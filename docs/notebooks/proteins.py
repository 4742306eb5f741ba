# %% [markdown]
# # Which protein drives which?
#
# For users of causal discovery. Sachs and others (2005) measured eleven proteins in single cells; the data are part of the repository. The score is
# bic, which does not depend on units.

# %%
import solverkit as sk

problem = sk.load("problems/dag/sachs/problem.yaml")
problem

# %%
result = sk.solve(problem, "topological-swaps")
result.plot()

# %% [markdown]
# The certificate tries every change of one edge, every swap and every insertion of the order: none improves the score. That says that this graph explains the
# data best among its neighbours. It does not say that the arrows are causes; the notes say how far the biologists' graph is.

# %%
for note in result.notes:
    print("-", note)
result.certificate

# %%
import numpy as np

W = result.point["W"]
edges = sorted(zip(*np.nonzero(np.abs(W) > 0.3), strict=True), key=lambda edge: -abs(W[edge]))
for cause, effect in edges[:12]:
    print(f"{problem.names[cause]:>8} -> {problem.names[effect]:<8} {W[cause, effect]:+.2f}")
assert result.success
