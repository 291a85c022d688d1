"""Which titles are nearly the same: the pairs that models chose, compared letter by letter.

Not in SQL: DuckDB's `levenshtein` takes four times as long as rapidfuzz for the same distances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    from numpy.typing import NDArray

NEAR = "near_wordings"
NEARNESS = 0.7
"""Share of letters that need no change, from which two titles are shown to analysts, linked or not."""
_SCHEMA = pa.schema([("wording", pa.int32()), ("other_wording", pa.int32())])
_AT_ONCE = 100_000  # pairs whose texts are held in memory
_MET = """
    SELECT met.wording, met.other_wording, a.words_line, b.words_line, a.sorted_line, b.sorted_line
    FROM cofunding_meetings AS met
    JOIN cofunding_wordings AS a USING (wording)
    JOIN cofunding_wordings AS b ON met.other_wording = b.wording
    WHERE met.wording <> met.other_wording
"""


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `near_wordings` readable by models: the pairs of `cofunding_meetings` that are nearly the same."""
    found = []
    for pairs in connection.sql(_MET).to_arrow_reader(_AT_ONCE):
        lines, others, sorted_lines, sorted_others = (pairs.column(place).to_pylist() for place in range(2, 6))
        is_near = likeness(lines, others, sorted_lines, sorted_others) >= NEARNESS
        found.append(pairs.select(_SCHEMA.names).filter(pa.array(is_near)))
    connection.register(NEAR, pa.Table.from_batches(found, schema=_SCHEMA))


def likeness(
    lines: Sequence[str], others: Sequence[str], sorted_lines: Sequence[str], sorted_others: Sequence[str]
) -> NDArray[np.float64]:
    """What the macro `lines_likeness` says of each pair of lines of words, given their words sorted too."""
    same_order = _share(lines, others)
    return np.maximum(same_order, _share(sorted_lines, sorted_others))


def _share(lines: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    return cpdist(lines, others, scorer=Levenshtein.normalized_similarity, dtype=np.float64)
