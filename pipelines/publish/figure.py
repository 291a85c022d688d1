"""A figure: one tidy frame, said in words, drawn, tabled, downloadable, with its source and its rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from pipelines.publish import comma_separated, formats
from pipelines.publish.charts import Chart, YearGrid
from pipelines.publish.script_json import script_json
from pipelines.publish.tables import Column, Table
from pipelines.publish.tile_map import TileMap

if TYPE_CHECKING:
    import pandas as pd

CONFIG = {"displaylogo": False, "showSendToCloud": False, "responsive": True, "locale": "fr"}
"""Plotly's own defaults would offer to send the figure to a third party: switched off here."""


@dataclass(frozen=True)
class Figure:
    """One figure of a page.

    `headline` is computed by a tested condition (module `headlines`), `subtitle` says measure, place and period,
    `summary` gives the numbers in one or two sentences, `coverage` on how many lines it rests and how many lack the
    information. `method` is an anchor of the method page. `interactive` adds the Plotly version behind a button.
    `search` is the label of the table's filter box: such a table sorts too.
    """

    id: str
    headline: str
    subtitle: str
    summary: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    chart: Chart | None
    coverage: str
    source: str
    method: str
    interactive: bool = False
    note: str = ""
    search: str | None = None

    @property
    def table(self) -> Table:
        """The same frame as a table."""
        return Table(
            id=f"{self.id}-table",
            caption=f"{self.headline}. {self.subtitle}",
            frame=self.frame,
            columns=self.columns,
            sortable=self.search is not None,
            search=self.search,
        )

    @property
    def is_grid(self) -> bool:
        """True when the picture already is the table."""
        return isinstance(self.chart, YearGrid)

    @property
    def picture_class(self) -> str:
        """The class of the picture's box: `tiles`, or `chart`, with `long` when labels need a line of their own."""
        if isinstance(self.chart, TileMap):
            return "tiles"
        label = getattr(self.chart, "label", None)
        is_long = label is not None and any(len(str(text)) > 12 for text in self.frame[label])
        return "chart long" if is_long else "chart"

    def csv(self) -> bytes:
        """The frame as a comma-separated file."""
        return comma_separated.from_pandas(self.frame)

    def plotly_json(self) -> str:
        """Data, layout and configuration of the interactive version, as JSON safe inside a script element."""
        if self.chart is None:
            raise ValueError(f"la figure {self.id} n'a pas de graphique")
        traces = self.chart.traces(self.frame)
        drawn = go.Figure(data=traces, layout=self._layout(traces)).to_plotly_json()
        return script_json({"data": drawn["data"], "layout": drawn["layout"], "config": CONFIG})

    def _layout(self, traces: list[dict[str, Any]]) -> dict[str, Any]:
        horizontal = any(trace.get("orientation") == "h" or trace["type"] == "scatter" for trace in traces)
        labels = {label for trace in traces for label in trace["y" if horizontal else "x"]}
        category: dict[str, Any] = {"type": "category", "automargin": True, "fixedrange": True}
        value: dict[str, Any] = {"automargin": True, "fixedrange": True, "rangemode": "tozero", "tickformat": ",.2~f"}
        if any(trace["meta"].get("percent") for trace in traces):
            value |= {"tickformat": ".0%", "range": [0, 1]}
        layout: dict[str, Any] = {
            "template": "none",
            "separators": f",{formats.THIN}",
            "barmode": "stack",
            "showlegend": len(traces) > 1,
            "legend": {"orientation": "h", "y": -0.15},
            "margin": {"l": 8, "r": 16, "t": 16, "b": 40},
            "height": max(320, 90 + 30 * len(labels)) if horizontal else 420,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
        }
        if horizontal:
            return layout | {"xaxis": value, "yaxis": category | {"autorange": "reversed"}}
        return layout | {"xaxis": category, "yaxis": value}
