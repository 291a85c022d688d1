"""What all pages share: style, script, and the Plotly script that is loaded only on a click."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.offline

from pipelines.publish.context import HERE, PLOTLY
from pipelines.publish.reports import Output

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = ("awards.js", "beneficiary.js", "finder.js", "search.js", "site.css", "site.js")


def shared() -> Iterator[Output]:
    """The shared files. Plotly comes from the installed package, whatever its version."""
    for name in FILES:
        yield Output(f"assets/{name}", (HERE / "static" / name).read_bytes())
    yield Output(PLOTLY, plotly.offline.get_plotlyjs().encode())
