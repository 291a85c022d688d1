"""Tables for people: what a column holds, and how each value and each absence is written."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from markupsafe import Markup

from pipelines.publish import formats

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

Row = dict[str, Any]
Kind = Literal["text", "name", "year", "count", "money", "share", "date", "code"]

NOT_APPLICABLE = "–"
NOT_PUBLISHED = "non publié"
SUPPRESSED = "non diffusable (effectif trop faible)"
NUMERIC = frozenset({"year", "count", "money", "share"})


@dataclass(frozen=True)
class Column:
    """One column of a table.

    `absent` is the mark of a missing value, or a function of the row giving it; a cell is never blank. `href` gives the
    page a cell leads to, from the site's root, or None. `name` cells are isolated (names may be written right to left).
    """

    name: str
    title: str
    kind: Kind = "text"
    absent: str | Callable[[Row], str] = NOT_APPLICABLE
    href: Callable[[Row], str | None] | None = None
    header: bool = False


class Cell(NamedTuple):
    """One cell as printed. `key` is what a numeric sort compares; `is_mark` tells an absence from a value."""

    text: str
    kind: Kind
    key: str | None
    href: str | None
    header: bool
    is_mark: bool


@dataclass(frozen=True)
class Table:
    """A frame with the columns people see of it. `search` is the label of the filter box, None for no box."""

    id: str
    caption: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    sortable: bool = False
    search: str | None = None

    def rows(self) -> list[list[Cell]]:
        """Every row of the frame, in its order."""
        return [[cell(column, row) for column in self.columns] for row in records(self.frame)]

    def body(self, root: str) -> Markup:
        """The rows as HTML, for a page whose way to the site's root is `root`; words that say so when there is none."""
        rows = records(self.frame)
        lines = list(map("".join, zip(*(_drawn(column, rows, root) for column in self.columns), strict=True)))
        if not lines:
            lines = [f'<td colspan="{len(self.columns)}" class="mark">Aucune ligne.</td>']
        return Markup("".join([f"<tr>{line}</tr>\n" for line in lines]))  # noqa: S704  (escaped cell by cell)


def records(frame: pd.DataFrame) -> list[Row]:
    """The rows of `frame` as dictionaries."""
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in frame.to_numpy(dtype=object).tolist()]


def written(value: Any, kind: Kind, *, currency: str = "EUR") -> str:
    """A present value as people read it."""
    if kind == "count":
        return formats.count(value)
    if kind == "year":
        return str(int(value))
    if kind == "money":
        return formats.money(value, currency=currency)
    if kind == "share":
        return formats.percent(float(value))
    if kind == "date":
        return formats.date(value)
    return str(value)


def cell(column: Column, row: Row) -> Cell:
    """The cell of `column` in `row`; an absent value gives the column's mark."""
    value = row[column.name]
    href = column.href(row) if column.href else None
    if formats.is_missing(value) or value == "":
        mark = column.absent(row) if callable(column.absent) else column.absent
        return Cell(mark, column.kind, "", href, column.header, is_mark=True)
    key = None
    if column.kind in NUMERIC:
        key = f"{float(value):.6f}".rstrip("0").rstrip(".")
    elif column.kind == "date":
        key = f"{value:%Y%m%d}"
    currency = row.get("currency") or "EUR"
    text = written(value, column.kind, currency=currency if isinstance(currency, str) else "EUR")
    return Cell(text, column.kind, key, href, column.header, is_mark=False)


def _drawn(column: Column, rows: Sequence[Row], root: str) -> list[str]:
    """The cells of one column as HTML: what depends on its value alone is drawn once for each value."""
    if column.href is not None or callable(column.absent):
        return [_markup(cell(column, row), root) for row in rows]
    made: dict[tuple[Any, ...], str] = {}
    drawn = []
    for row in rows:
        value = row[column.name]
        place = (value, row.get("currency")) if isinstance(value, (int, float, str)) else None
        text = made.get(place) if place else None
        if text is None:
            text = _markup(cell(column, row), root)
            if place:
                made[place] = text
        drawn.append(text)
    return drawn


def _markup(cell: Cell, root: str) -> str:
    """One cell as HTML. Not a template: a large site has millions of them."""
    text, css = escape(cell.text), ""
    if cell.is_mark:
        css = ' class="mark long"' if len(cell.text) > 12 else ' class="mark"'
    elif cell.kind in {"count", "money", "share"}:
        css = ' class="n"'
    elif cell.kind == "code":
        text = f"<code>{text}</code>"
    elif cell.kind == "name":
        text = f"<bdi>{text}</bdi>"
    if cell.href:
        text = f'<a href="{escape(root + cell.href)}">{text}</a>'
    key = "" if cell.key is None else f' data-k="{cell.key}"'
    return f'<th scope="row"{css}{key}>{text}</th>' if cell.header else f"<td{css}{key}>{text}</td>"
