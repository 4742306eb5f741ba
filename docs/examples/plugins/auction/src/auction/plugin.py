"""What SolverKit reads first: a method for the kind of another plugin."""

from solverkit.plugin import SolverSpec, hookimpl


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """The method."""
    return [
        SolverSpec(
            name="auction",
            kind="assignment",
            summary="Rows bid for columns until each has one.",
            target="auction.method:Auction",
            options="auction.options:AuctionOptions",
            packages=("assignment",),
            paper="Bertsekas, The auction algorithm, 1988",
            pays="Large problems with many good matchings.",
            avoid="Small ones, which are solved at once by shortest paths.",
        )
    ]
