"""Names as numbers: pieces of texts, words that may be one, and links where there is next to nothing to link."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.warehouse.linking.arrays import distinct, is_among, rank, spread
from pipelines.warehouse.linking.decide import link
from pipelines.warehouse.linking.letters import LETTERS, pieces, written
from pipelines.warehouse.linking.likeness import Weighed
from pipelines.warehouse.linking.mentions import MENTIONS
from pipelines.warehouse.linking.model import load_model
from pipelines.warehouse.linking.resolve import resolve
from pipelines.warehouse.linking.spellings import Names, Spellings
from tests.linking_truth import Node, frame

FOLDED = st.text(LETTERS, max_size=14)
NUMBERS = st.lists(st.integers(0, 9), max_size=20)


@given(st.lists(FOLDED, max_size=4), st.integers(1, 12))
def test_texts_are_cut_in_all_their_pieces(texts: list[str], length: int) -> None:
    of, codes = pieces(texts, length)
    found = [(place, written(int(code), length)) for place, code in zip(of.tolist(), codes, strict=True)]
    wanted = [(p, text[at : at + length]) for p, text in enumerate(texts) for at in range(len(text) - length + 1)]
    assert found == wanted


@given(NUMBERS, NUMBERS)
def test_sorted_numbers_are_a_set(some: list[int], others: list[int]) -> None:
    known = distinct(np.array(some, dtype=np.int64))
    assert known.tolist() == sorted(set(some))
    assert is_among(np.array(others, dtype=np.int64), known).tolist() == [one in some for one in others]


@given(NUMBERS)
def test_equals_are_ranked(numbers: list[int]) -> None:
    ordered = sorted(numbers)
    assert rank(np.array(ordered, dtype=np.int64)).tolist() == [at - ordered.index(n) for at, n in enumerate(ordered)]


@given(NUMBERS)
def test_rows_are_spread(sizes: list[int]) -> None:
    row, at = spread(np.array(sizes, dtype=np.int64))
    assert list(zip(row.tolist(), at.tolist(), strict=True)) == [(r, a) for r, n in enumerate(sizes) for a in range(n)]


WORD = st.text("abc1", min_size=4, max_size=9)


@given(st.lists(WORD, min_size=2, max_size=6, unique=True))
def test_no_word_that_is_another_misspelt_is_left_out(words: list[str]) -> None:
    weighed = Weighed(names := Names((word, "") for word in words), np.ones(len(words), dtype=np.int64))
    places = np.arange(len(names.vocabulary))
    one, other = (side.ravel() for side in np.meshgrid(places, places))
    one, other = one[one != other], other[one != other]
    likeness = weighed._likeness(one, other)
    firsts, sizes = ([of(word) for word in names.vocabulary] for of in (lambda word: word[0], len))
    is_looked_at = np.array([
        firsts[a] == firsts[b] or abs(sizes[a] - sizes[b]) <= 1 for a, b in zip(one, other, strict=True)
    ])  # fmt: skip
    assert not (is_looked_at & (likeness > 0) & ~weighed._may_be_one(one, other)).any()


def test_a_name_that_several_nodes_bear_is_read_once() -> None:
    spellings = Spellings(pl.Series([["Les Amis du Lez", "AMIS DU LEZ"], ["Amis du Lez (asso)"], ["?"], None]))
    assert spellings.sizes.tolist() == [1, 1, 0, 0]
    assert spellings.uses()[spellings.borne].tolist() == [1, 1]
    assert Spellings(pl.Series([["Amis du Lez"], ["AMIS DU LEZ"]])).uses().max() == 2


@pytest.mark.parametrize("names", [(), ("?",), ("Zinzolin",), ("Zinzolin Farfadet", "Zinzolin Farfadet")])
def test_next_to_nothing_is_linked_without_a_fault(names: tuple[str, ...]) -> None:
    nodes = frame(Node(str(place), (name,)) for place, name in enumerate(names))
    assert {verdict.reason for verdict in link(nodes, load_model())} <= {None, "place", "likely"}


def test_no_lines_make_no_organisations() -> None:
    found = resolve(pl.DataFrame(schema=MENTIONS), load_model())
    assert {frame.height for frame in vars(found).values()} == {0}
