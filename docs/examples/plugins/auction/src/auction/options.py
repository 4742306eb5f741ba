"""Options of `auction`."""

from solverkit.plugin import Field, Options


class AuctionOptions(Options):
    """Options of `auction`."""

    scaling: float = Field(5.0, gt=1, description="Factor by which the least increase of a bid falls between phases.")
