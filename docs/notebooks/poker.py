# %% [markdown]
# # Kuhn's poker
#
# For users of game theory. Three cards, one bet: the smallest poker has a value of -1/18 for the first player, and the file knows the game in
# sequence form.

# %%
import solverkit as sk

problem = sk.load("problems/inclusion/kuhn-poker/problem.yaml")
problem

# %%
results = [sk.solve(problem, method) for method in ("halpern", "extragradient", "forb")]
sk.plot(results)

# %% [markdown]
# What each player can be sure of, from the certificate's best responses: the two bounds enclose the value of the game.

# %%
facts = results[0].certificate.facts
print(f"{facts['value_lower']:.7f} <= value <= {facts['value_upper']:.7f}, by theory {-1 / 18:.7f}")
assert facts["value_lower"] - 1e-9 <= -1 / 18 <= facts["value_upper"] + 1e-9
results[0].certificate

# %% [markdown]
# A strategy that looks right is not: bluff a little too often, and the best response takes the difference.

# %%
from solverkit.registry import registry

point = {name: block.copy() for name, block in results[0].point.items()}
point["x"][3] += 0.05
registry.kind("inclusion").certify(problem, point, 1e-6, 0)
