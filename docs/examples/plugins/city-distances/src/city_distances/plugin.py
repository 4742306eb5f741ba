"""What SolverKit reads first: a data source."""

from solverkit.plugin import SourceSpec, hookimpl


@hookimpl
def solverkit_sources() -> list[SourceSpec]:
    """The source."""
    return [
        SourceSpec("city-distances", "Distances between random places on a sphere.", "city_distances.source:distances")
    ]
