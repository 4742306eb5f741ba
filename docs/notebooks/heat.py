# %% [markdown]
# # Heat flow, with a solver that learns its own parameter
#
# For users who simulate. Implicit steps of a heat equation on an unstructured mesh make two hundred linear systems with one sparsity pattern. A bandit
# chooses for each system how to solve it, and learns from what each choice cost.

# %%
import solverkit as sk

problem = sk.load("problems/linear-sequence/mesh-heat/problem.yaml")
problem

# %%
learnt = sk.solve(problem, "sor-tuner")
learnt.plot()

# %% [markdown]
# The dots are the systems; their colour is the parameter that was chosen. Beside SciPy's conjugate gradients:

# %%
plain = sk.solve(problem, "scipy-cg")
for result in (learnt, plain):
    print(
        f"{result.method:<10} {result.timing['solve']:6.2f} s  {result.counts['niter']:8d} iterations  {result.point_status.name}"
    )

# %% [markdown]
# Every residual of every system is recomputed by the core, whatever a method says of its own:

# %%
learnt.certificate

# %%
assert learnt.success
assert plain.success
