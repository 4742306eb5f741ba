"""Seeded sequences of linear systems for problem files: the same numbers give the same arrays on every machine.

| name in a file | function | form |
|---|---|---|
| `shifted-laplacian` | `shifted.shifted_laplacian` | A + c_t I, shifts by a beta law |
| `heat` | `heat.heat` | Crank-Nicolson steps, diffusion that varies in time |
| `heat-heterogeneous` | `heat.heat_heterogeneous` | the same with a conductivity over decades |
| `mesh-heat` | `mesh.mesh_heat` | finite elements on an unstructured mesh, moving source |
| `newton-p-laplace` | `newton.newton_p_laplace` | Newton systems of a nonlinear diffusion |
"""
