"""What Spark's workers compute in Python: the macros that DuckDB knows and Spark does not, by DuckDB itself.

A worker needs `duckdb`, `pyarrow` and `pandas`; it does not need this project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd  # noqa: TC002 - Spark reads the annotations of the function

from pipelines.warehouse.connection import MACROS

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb


def computed_by_duckdb(macro: str) -> Callable[[pd.Series], pd.Series]:
    """A function of many texts that gives what the macro of that name says of each, in their order.

    It goes to the workers by value, with the text of the macros.
    """
    definitions = MACROS.read_text(encoding="utf-8")
    query = f"SELECT {macro}(words) AS told FROM given"
    kept: list[duckdb.DuckDBPyConnection] = []  # by a worker, from one batch to the next

    def told(words: pd.Series) -> pd.Series:
        import duckdb
        import pyarrow as pa

        if not kept:
            kept.append(duckdb.connect(":memory:", config={"threads": 1}))  # Spark has as many workers as processors
            kept[0].execute(definitions).fetchall()
        # said to be text: a batch may hold nothing
        kept[0].register("given", pa.table({"words": pa.array(words, pa.string(), from_pandas=True)}))
        given: pd.Series = kept[0].sql(query).df()["told"]
        return given

    return told
