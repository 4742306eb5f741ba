"""Seeded data for the bilevel problem files: the same seed gives the same arrays on every machine.

| name in a file | function | used by, in problems/bilevel |
|---|---|---|
| `coupled-strongly-convex` | `coupled_strongly_convex` | strongly-convex-seeded |
| `breast-cancer-split` | `breast_cancer_split` | the three of breast cancer |
| `digits-split` | `digits_split` | digits-cleaning-30, digits-cleaning-50, digits-representation |
| `exponential-tail` | `exponential_tail` | exponential-tail, exponential-tail-100 |
| `priced-demand` | `priced_demand` | pricing-polyhedral, pricing-polyhedral-40 |
| `shrunk-tasks` | `shrunk_tasks` | multi-task-blocks, multi-task-blocks-500 |

`accuracy` says how well an answer classifies the samples that no level has seen.
"""

from solverkit_bilevel.generators.breast_cancer import breast_cancer_split
from solverkit_bilevel.generators.coupled import coupled_strongly_convex
from solverkit_bilevel.generators.demand import priced_demand
from solverkit_bilevel.generators.digits import digits_split
from solverkit_bilevel.generators.tail import exponential_tail
from solverkit_bilevel.generators.tasks import shrunk_tasks

__all__ = [
    "breast_cancer_split",
    "coupled_strongly_convex",
    "digits_split",
    "exponential_tail",
    "priced_demand",
    "shrunk_tasks",
]
