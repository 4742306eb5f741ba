# %% [markdown]
# # Thirty penalties for a classifier
#
# For users of machine learning. A logistic regression on the breast cancer data (Wisconsin, UCI, CC BY 4.0, shipped by scikit-learn) gets one
# penalty for each of its thirty features. The penalties are chosen so that the *trained* model does well on validation data: a bilevel problem.

# %%
import numpy as np

import solverkit as sk
from solverkit.kinds.bilevel import bilevel
from solverkit_bilevel.generators import breast_cancer_split

split = breast_cancer_split(seed=3, train=120, validation=120)
problem = bilevel(
    upper={
        "variables": {"penalty": {"shape": 30, "start": -2}},
        "minimize": "mean(logistic(-label_validation*(A_validation @ w + b))) + 1e-4*normsq(penalty)",
        "samples": ["A_validation", "label_validation"],
    },
    lower={
        "variables": {"w": {"shape": 30}, "b": {"shape": []}},
        "minimize": "mean(logistic(-label*(A @ w + b))) + 0.5*sum(exp(penalty)*w**2)",
        "samples": ["A", "label"],
        "convex": True,
    },
    data={name: split[name] for name in ("A", "label", "A_validation", "label_validation")},
)
problem

# %% [markdown]
# Which methods take it, and why the others do not:

# %%
sk.methods(problem)

# %%
result = sk.solve(problem, "implicit-gradient")
result.plot()

# %% [markdown]
# The certificate is the core's own: it trained the model again to check the lower level, compared the gradients with finite differences, and
# recomputed the gradient of the validation loss through the training.

# %%
result.certificate


# %%
def accuracy(w, b):
    """Share of the test samples on the right side."""
    return float(np.mean(np.sign(split["A_test"] @ w + b) == split["label_test"]))


print(f"test accuracy {accuracy(result.point['w'], result.point['b']):.3f}")
assert result.success
