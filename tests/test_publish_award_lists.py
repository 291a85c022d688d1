"""The awards of each holder of a key: the same whether they are looked for or read from all of them, in any order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from pipelines.publish import award_lists, awards
from pipelines.publish.award_lists import KEYS, AwardLists, values_of
from pipelines.publish.context import Context
from pipelines.publish.database import PublicDatabase
from pipelines.publish.reports import Output, Stream
from tests.publish_database import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicDatabase]:
    with PublicDatabase(build(tmp_path_factory.mktemp("lists") / "public.duckdb", size=20)) as opened:
        yield opened


@pytest.mark.parametrize("order", ["of pages", "any", "some"])
@pytest.mark.parametrize("key", sorted(KEYS))
def test_sorted_and_looked_for_are_the_same(
    database: PublicDatabase, monkeypatch: pytest.MonkeyPatch, key: str, order: str
) -> None:
    monkeypatch.setattr(award_lists, "MOST_HELD", 7)
    monkeypatch.setattr("pipelines.publish.database.AT_ONCE", 5)
    values = values_of(Context(database).directory, key)
    asked = {"of pages": values, "any": random.Random(3).sample(values, len(values)), "some": values[::3]}[order]
    monkeypatch.setattr(award_lists, "LOOKED_FOR", 10_000)
    looked_for = AwardLists(database, key, values)
    wanted = [(looked_for.first(value), looked_for.whole(value)) for value in asked]
    monkeypatch.setattr(award_lists, "LOOKED_FOR", 0 if key == "region_code" else 1)  # one région there
    lists = AwardLists(database, key, values)
    total = 0
    for value, ((first, n_awards), whole) in zip(asked, wanted, strict=True):
        assert lists.first(value)[1] == n_awards == whole.height
        assert lists.first(value)[0].equals(first)
        assert lists.whole(value).equals(whole)
        total += n_awards
    assert total
    assert lists._sorted is not None
    if order != "some":
        [(n_known,)] = database.typed(f"SELECT count({KEYS[key]}) FROM awards").rows()
        assert total == n_known


def test_a_stream_has_the_bytes_of_an_output(
    database: PublicDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    context = Context(database)
    for funder_id in context.directory.funders:
        short = awards.file(context, "funder_id", funder_id, "data/a.csv")
        with monkeypatch.context() as patched:
            patched.setattr(awards, "AT_ONCE", -1)
            long = awards.file(context, "funder_id", funder_id, "data/a.csv")
        long.into(tmp_path / "a.csv")
        assert isinstance(short, Output)
        assert isinstance(long, Stream)
        assert (tmp_path / "a.csv").read_bytes() == short.content
        assert (long.size, long.digest) == (short.size, short.digest)
