"""The gradient of Phi(x) = F(x, y*(x)) for a free, strongly convex lower level, by Hessian-vector products alone.

    grad Phi = grad_x F - f_xy z,     f_yy z = grad_y F,     all at (x, y*(x))

(implicit function theorem; Ghadimi and Wang 2018, arXiv 1802.02246). Three estimators, one file each:
`conjugate_gradients`, `neumann`, `unrolled`. `answer` solves the lower level, `descent` walks along -grad Phi.
"""
