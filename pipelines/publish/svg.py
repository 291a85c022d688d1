"""Small SVG pictures, one a row, with horizontal sizes in percent and colours by CSS class.

Rows never scale their text (it lives in HTML beside them), so the same picture works from 320 px to paper, in the dark
and in forced colours. Every function takes shares between 0 and 1 and returns markup without any text from data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable

HEIGHT = 20
LEAST = 0.004
"""The narrowest bar drawn for a value above 0."""
_OPEN = '<svg width="100%" height="{height}" aria-hidden="true" focusable="false">'


def _percent(share: float) -> str:
    return f"{min(max(share, 0.0), 1.0) * 100:.2f}".rstrip("0").rstrip(".") + "%"


def _wrap(inner: str) -> Markup:
    return Markup(_OPEN.format(height=HEIGHT) + inner + "</svg>")  # noqa: S704  (numbers and class names of this module)


def bar(share: float, *, css: str = "c1") -> Markup:
    """One bar from the left edge. A share above 0 always leaves a visible trace."""
    if share <= 0:
        return _wrap('<line class="axis" x1="0" x2="0" y1="1" y2="19"/>')
    return _wrap(
        f'<rect class="{css}" x="0" y="3" width="{_percent(max(share, LEAST))}" height="14" rx="1.5"/>'
        '<line class="axis" x1="0" x2="0" y1="1" y2="19"/>'
    )


def stack(parts: Iterable[tuple[float, str]]) -> Markup:
    """Parts end to end; each part is (share of the full width, CSS class). Separators take the background's colour."""
    drawn, start = [], 0.0
    for share, css in parts:
        if share > 0:
            drawn.append(
                f'<rect class="{css} part" x="{_percent(start)}" y="3" width="{_percent(share)}" height="14"/>'
            )
            start += share
    return _wrap("".join(drawn) + '<line class="axis" x1="0" x2="0" y1="1" y2="19"/>')


def dot(value: float | None, *, low: float | None = None, high: float | None = None, css: str = "c1") -> Markup:
    """A dot on a 0–1 scale with its interval; without a value, the interval alone; gridlines every quarter."""
    grid = "".join(f'<line class="grid" x1="{x}%" x2="{x}%" y1="0" y2="{HEIGHT}"/>' for x in (0, 25, 50, 75, 100))
    span = ""
    if low is not None and high is not None:
        span = f'<line class="span {css}" x1="{_percent(low)}" x2="{_percent(high)}" y1="10" y2="10"/>'
    mark = "" if value is None else f'<circle class="{css}" cx="{_percent(value)}" cy="10" r="5.5"/>'
    return _wrap(grid + span + mark)
