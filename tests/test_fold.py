"""What people write, compared: a column is folded as each of its cells is."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.fold import fold_words, folded_words

LATIN = st.text(
    st.characters(max_codepoint=0x24F) | st.sampled_from("œŒæß’€%°–—«»\u0301\u0327\u202f\u00a0"), max_size=30
)


@given(st.lists(st.none() | LATIN, max_size=5))
def test_a_column_is_folded_as_its_cells_are(cells: list[str | None]) -> None:
    folded = folded_words(pl.Series(cells, dtype=pl.String)).to_list()
    assert folded == [None if cell is None else fold_words(cell) for cell in cells]


def test_accents_punctuation_and_ligatures_do_not_count() -> None:
    names = pl.Series(["L'Épicerie du Lez", "Œuvre & Cie", "100 % bio", "M.A.I.S.", None])
    told = ["l epicerie du lez", "oeuvre cie", "100 pct bio", "m a i s", None]
    assert folded_words(names).to_list() == told
