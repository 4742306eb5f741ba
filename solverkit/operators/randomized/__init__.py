"""Randomized linear algebra on NumPy arrays and torch tensors, from one source.

| module | what |
|---|---|
| `sketches` | random maps S with E[S'S] = I: Gaussian, sparse sign, subsampled randomized Hadamard |
| `nystrom` | low-rank approximation of a positive semidefinite operator, and the preconditioner that it makes |
| `sketch_qr` | triangular factors of a sketched tall matrix, and least squares preconditioned by them |

Random numbers come from a NumPy `Generator`, on the host, whatever does the arithmetic: one seed, one sketch.
"""
