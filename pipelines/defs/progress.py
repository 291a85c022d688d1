"""How far a run is: a resource that the terminal replaces by a progress bar."""

from __future__ import annotations


class Progress:
    """Says nothing; Dagster's own page shows the progress of a run."""

    def file(self, path: str, rank: int, count: int) -> None:
        """The file `path`, `rank`-th of `count`, is being read."""

    def stage(self, title: str) -> None:
        """A stage of the run begins; `title` is French."""
