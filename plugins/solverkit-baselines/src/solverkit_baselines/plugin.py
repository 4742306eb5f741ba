"""What this distribution registers."""

from __future__ import annotations

from solverkit.plugin import SolverSpec, hookimpl

BILEVEL = (
    SolverSpec(
        name="kkt-ipopt",
        kind="bilevel",
        summary="The lower level's KKT conditions, complementarity relaxed step by step, solved by IPOPT.",
        target="solverkit_baselines.bilevel.kkt_ipopt:KktIpopt",
        options="solverkit_baselines.bilevel.options:KktIpoptOptions",
        requires=("gradient", "jacobian", "hessian"),
        packages=("casadi",),
        paper="S. Scholtes, Convergence properties of a regularization scheme for mathematical programs with "
        "complementarity constraints, SIAM J. Optimization 11 (2001), doi:10.1137/S1052623499361233; IPOPT: A. "
        "Waechter, L. T. Biegler, Mathematical Programming 106 (2006), doi:10.1007/s10107-004-0559-y",
        pays="The lower level is convex and smooth, and Hessians are cheap: few iterations, high accuracy.",
        avoid="The lower level is nonconvex: a stationary point of it need not be its minimizer.",
        priority=-10,
    ),
    SolverSpec(
        name="nested",
        kind="bilevel",
        summary="A derivative-free search over x with SciPy; the lower level is solved at every x.",
        target="solverkit_baselines.bilevel.nested:Nested",
        options="solverkit_baselines.bilevel.options:NestedOptions",
        requires=("gradient", "jacobian", "hessian"),
        paper="COBYQA: T. M. Ragonneau, Model-based derivative-free optimization methods and software, PhD thesis, "
        "Hong Kong Polytechnic University (2022), arXiv 2210.12018; the other searches as in SciPy",
        pays="There are a few upper variables, and the leader's cost may jump or have kinks.",
        avoid="There are more than some tens of upper variables, or the follower has many equally good answers.",
        priority=-20,
    ),
)

NONLINEAR = (
    SolverSpec(
        name="ipopt",
        kind="nonlinear",
        summary="IPOPT, a filter line-search interior point method, as CasADi brings it along.",
        target="solverkit_baselines.nonlinear.ipopt:IpoptPeer",
        options="solverkit_baselines.nonlinear.options:IpoptOptions",
        requires=("gradient", "jacobian"),
        packages=("casadi",),
        paper="A. Waechter, L. T. Biegler, On the implementation of an interior-point filter line-search algorithm "
        "for large-scale nonlinear programming, Mathematical Programming 106 (2006), doi:10.1007/s10107-004-0559-y",
        pays="Sparse problems with exact Hessians, of any kind of constraint.",
        avoid="Many dense constraint rows, whose factorization fills up.",
        priority=-10,
    ),
    SolverSpec(
        name="trust-constr",
        kind="nonlinear",
        summary="SciPy's trust-region SQP, with a barrier for inequalities.",
        target="solverkit_baselines.nonlinear.trust_constr:TrustConstr",
        options="solverkit_baselines.nonlinear.options:TrustConstrOptions",
        requires=("gradient", "jacobian"),
        packages=("scipy",),
        paper="R. H. Byrd, M. E. Hribar, J. Nocedal, An interior point algorithm for large-scale nonlinear "
        "programming, SIAM J. Optimization 9 (1999), doi:10.1137/S1052623497325107; as in SciPy",
        pays="Equations, and Hessians that are known by products only.",
        avoid="Active inequalities at high accuracy, or many iterations: it is written in Python.",
        priority=-20,
    ),
    SolverSpec(
        name="slsqp",
        kind="nonlinear",
        summary="SciPy's SLSQP: dense sequential quadratic programming with a BFGS matrix.",
        target="solverkit_baselines.nonlinear.slsqp:Slsqp",
        options="solverkit_baselines.nonlinear.options:SlsqpOptions",
        requires=("gradient", "jacobian"),
        packages=("scipy",),
        paper="D. Kraft, A software package for sequential quadratic programming, DFVLR-FB 88-28 (1988)",
        pays="Up to some hundred variables, first derivatives only.",
        avoid="Degenerate constraints, or accuracy beyond what BFGS gives.",
        priority=-20,
    ),
)

LINEAR_SEQUENCE = (
    SolverSpec(
        name="scipy-cg",
        kind="linear-sequence",
        summary="SciPy's conjugate gradients on each system, from the solution before it in time steps.",
        target="solverkit_baselines.linear_sequence.cg:ScipyCg",
        options="solverkit_baselines.linear_sequence.options:CgOptions",
        requires=("symmetric", "positive-diagonal"),
        packages=("scipy",),
        paper="M. R. Hestenes, E. Stiefel, Methods of conjugate gradients for solving linear systems, J. Research "
        "of the National Bureau of Standards 49 (1952), doi:10.6028/jres.049.044; as in SciPy",
        pays="Systems that are well conditioned, such as short time steps.",
        avoid="Fine meshes with long steps: iterations grow as one over the spacing.",
        priority=-10,
    ),
    SolverSpec(
        name="pyamg",
        kind="linear-sequence",
        summary="CG preconditioned by PyAMG's multigrid, the hierarchy built anew when that pays.",
        target="solverkit_baselines.linear_sequence.amg:PyAmg",
        options="solverkit_baselines.linear_sequence.options:AmgOptions",
        requires=("symmetric", "positive-diagonal"),
        packages=("scipy", "pyamg"),
        paper="N. Bell, L. N. Olson, J. Schroder, PyAMG: Algebraic multigrid solvers in Python, JOSS 7 (2022), "
        "doi:10.21105/joss.04142",
        pays="Elliptic problems of many unknowns: the iterations hardly grow with them.",
        avoid="Systems that CG solves in twenty iterations, or matrices that are no M-matrices by far.",
        priority=-15,
    ),
    SolverSpec(
        name="superlu",
        kind="linear-sequence",
        summary="SuperLU: a factorization for each matrix that changed, then triangular solves.",
        target="solverkit_baselines.linear_sequence.direct:SuperLu",
        options="solverkit_baselines.linear_sequence.options:DirectOptions",
        packages=("scipy",),
        paper="X. S. Li, An overview of SuperLU, ACM Trans. Mathematical Software 31 (2005), "
        "doi:10.1145/1089014.1089017; as in SciPy",
        pays="Small or one-matrix sequences, and matrices without symmetry, for which it is the only method here.",
        avoid="Matrices that change at each step with 1e5 unknowns or more.",
        priority=-20,
    ),
)

INCLUSION = (
    SolverSpec(
        name="highs-simplex",
        kind="inclusion",
        summary="HiGHS's dual simplex method on a game or linear program.",
        target="solverkit_baselines.inclusion.highs:HighsSimplex",
        options="solverkit_baselines.inclusion.options:HighsOptions",
        requires=("bilinear",),
        packages=("scipy", "highspy"),
        paper="Q. Huangfu, J. A. J. Hall, Parallelizing the dual revised simplex method, Mathematical Programming "
        "Computation 10 (2018), doi:10.1007/s12532-017-0130-5",
        pays="Small or sparse linear programs, to full accuracy.",
        avoid="Dense games of a thousand strategies or more.",
        priority=-10,
    ),
    SolverSpec(
        name="highs-ipm",
        kind="inclusion",
        summary="HiGHS's interior point method, without crossover, on a game or linear program.",
        target="solverkit_baselines.inclusion.highs:HighsIpm",
        options="solverkit_baselines.inclusion.options:HighsOptions",
        requires=("bilinear",),
        packages=("scipy", "highspy"),
        paper="Q. Huangfu, J. A. J. Hall, Parallelizing the dual revised simplex method, Mathematical Programming "
        "Computation 10 (2018), doi:10.1007/s12532-017-0130-5",
        pays="Sparse linear programs of any size whose factors stay sparse.",
        avoid="Dense games: each iteration factorizes a dense matrix.",
        priority=-15,
    ),
    SolverSpec(
        name="highs-pdlp",
        kind="inclusion",
        summary="HiGHS's restarted primal-dual hybrid gradient on a game or linear program.",
        target="solverkit_baselines.inclusion.highs:HighsPdlp",
        options="solverkit_baselines.inclusion.options:HighsOptions",
        requires=("bilinear",),
        packages=("scipy", "highspy"),
        paper="D. Applegate et al., Practical large-scale linear programming using primal-dual hybrid gradient, "
        "arXiv 2106.04756; as in HiGHS",
        pays="Very large linear programs to moderate accuracy.",
        avoid="Small ones: its process takes longer to start than they to solve.",
        priority=-20,
    ),
    SolverSpec(
        name="cvxpy",
        kind="inclusion",
        summary="Clarabel's interior point method by way of CVXPY, on a game or linear program.",
        target="solverkit_baselines.inclusion.convex:Cvxpy",
        options="solverkit_baselines.inclusion.options:CvxpyOptions",
        requires=("bilinear",),
        packages=("scipy", "cvxpy", "clarabel"),
        paper="S. Diamond, S. Boyd, CVXPY, JMLR 17 (2016); P. J. Goulart, Y. Chen, Clarabel, arXiv 2405.12762",
        pays="Linear programs of up to some ten thousand variables, to high accuracy.",
        avoid="Dense games of a thousand strategies or more.",
        priority=-25,
    ),
)

DAG = (
    SolverSpec(
        name="dagma",
        kind="dag",
        summary="DAGMA: least squares with a log-det measure of cycles, by Adam; thresholded and refitted.",
        target="solverkit_baselines.dag.dagma:Dagma",
        options="solverkit_baselines.dag.options:DagmaOptions",
        requires=("gram", "samples"),
        packages=("dagma",),
        paper="K. Bello, B. Aragam, P. Ravikumar, DAGMA: Learning DAGs via M-matrices and a log-determinant "
        "acyclicity characterization, NeurIPS 2022, arXiv 2209.08037",
        pays="To compare with; noise of equal variances, up to about 100 variables.",
        avoid="Standardized data, and whenever a search over orders fits the problem: it is faster and better.",
        priority=-10,
    ),
    SolverSpec(
        name="boss",
        kind="dag",
        summary="BOSS of causal-learn: every variable of an order to its best place, by BIC.",
        target="solverkit_baselines.dag.causal_learn:Boss",
        options="solverkit_baselines.dag.options:CausalLearnOptions",
        requires=("gram", "samples"),
        packages=("causallearn",),
        paper="B. Andrews et al., Fast scalable and accurate discovery of DAGs using the best order score search "
        "and grow-shrink trees, NeurIPS 2023, arXiv 2310.17679",
        pays="To compare with; bic, up to about 50 variables.",
        avoid="More variables: it is written in Python, and 100 take it more than eight minutes.",
        priority=-10,
    ),
    SolverSpec(
        name="ges",
        kind="dag",
        summary="GES of causal-learn: edges of Markov classes added, then deleted, by BIC.",
        target="solverkit_baselines.dag.causal_learn:Ges",
        options="solverkit_baselines.dag.options:CausalLearnOptions",
        requires=("gram",),
        packages=("causallearn",),
        paper="D. M. Chickering, Optimal structure identification with greedy search, JMLR 3 (2002)",
        pays="To compare with; sparse graphs of up to some tens of variables.",
        avoid="Dense graphs: subsets of neighbours are enumerated in Python.",
        priority=-20,
    ),
)

COMPOSITE = (
    SolverSpec(
        name="cvxpy-clarabel",
        kind="composite",
        summary="Clarabel's interior point method by way of CVXPY, on a composite problem.",
        target="solverkit_baselines.composite.conic:CvxpyClarabel",
        options="solverkit_baselines.composite.options:ConicOptions",
        packages=("scipy", "cvxpy", "clarabel"),
        paper="S. Diamond, S. Boyd, CVXPY, JMLR 17 (2016); P. J. Goulart, Y. Chen, Clarabel, arXiv 2405.12762",
        pays="Up to some ten thousand variables and sparse data, to high accuracy.",
        avoid="Images of a million pixels, many dense rows, or an f that is no quadratic, logistic or Huber loss.",
        priority=-10,
    ),
    SolverSpec(
        name="cvxpy-scs",
        kind="composite",
        summary="SCS, operator splitting on cones, by way of CVXPY, on a composite problem.",
        target="solverkit_baselines.composite.conic:CvxpyScs",
        options="solverkit_baselines.composite.options:ConicOptions",
        packages=("scipy", "cvxpy", "scs"),
        paper="S. Diamond, S. Boyd, CVXPY, JMLR 17 (2016); B. O'Donoghue, E. Chu, N. Parikh, S. Boyd, Conic "
        "optimization via operator splitting and homogeneous self-dual embedding, J. Optimization Theory and "
        "Applications 169 (2016), doi:10.1007/s10957-016-0892-3",
        pays="Sparse data of up to a hundred thousand variables, to moderate accuracy.",
        avoid="High accuracy, or dense data of many rows.",
        priority=-15,
    ),
)


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """The peers. Their priority is low: they are there to be compared with."""
    return [*BILEVEL, *NONLINEAR, *LINEAR_SEQUENCE, *INCLUSION, *DAG, *COMPOSITE]
