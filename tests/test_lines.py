"""Lines with a mark on those that are kept say what a frame of those alone says, and are written as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.lines import Lines

if TYPE_CHECKING:
    from pathlib import Path

_ROWS = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.booleans()), max_size=30)


def marked(rows: list[tuple[str | None, bool]]) -> tuple[Lines, pl.DataFrame]:
    frame = pl.DataFrame(
        {"name": [name for name, _ in rows], "n": range(len(rows))}, schema={"name": pl.String, "n": pl.Int64}
    ).with_columns(pl.lit("x").alias("constant"))
    left_out = [n for n, (_, kept) in enumerate(rows) if not kept]
    return Lines.without(frame, left_out), frame.filter(~frame["n"].is_in(left_out))


@given(_ROWS, _ROWS, st.integers(1, 7))
def test_marked_lines_are_the_frame_of_those_kept(
    rows: list[tuple[str | None, bool]], others: list[tuple[str | None, bool]], size: int
) -> None:
    lines, plain = marked(rows)
    assert lines.frame.equals(plain)
    assert lines.height == plain.height
    assert lines.lazy().collect().equals(plain)
    assert lines.column("name").equals(plain["name"], null_equal=True)
    assert lines.null_counts() == plain.null_count().row(0, named=True)
    assert lines.lazy().select("name").collect().equals(plain.select("name"))
    assert Lines.of(plain).frame.equals(plain)
    parts = [part.frame for part in lines.slices(size)]
    assert pl.concat([plain.clear(), *parts]).equals(plain)
    more, plain_more = marked(others)
    assert Lines.together([lines, more]).frame.equals(pl.concat([plain, plain_more]))
    renamed = lines.with_columns(pl.format("{}!", "name").alias("name"))
    assert renamed.frame.equals(plain.with_columns(pl.format("{}!", "name").alias("name")))


def test_marked_lines_are_written_as_those_kept_alone(tmp_path: Path) -> None:
    lines, plain = marked([("a", n % 3 != 0) for n in range(1_000)])
    lines.lazy().sink_parquet(tmp_path / "lines.parquet")
    assert pl.read_parquet(tmp_path / "lines.parquet").equals(plain)
