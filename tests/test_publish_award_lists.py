"""The awards of each holder of a key: the lines that a query of them alone would give, however much is held at once."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pipelines.publish import award_lines, award_lists, awards, comma_separated
from pipelines.publish.award_lines import KEYS, SHOWN, SHOWN_COLUMNS, made
from pipelines.publish.award_lists import AwardLists, values_of
from pipelines.publish.context import Context
from pipelines.publish.database import PublicDatabase
from pipelines.publish.reports import Output, Stream
from tests.publish_database import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORDER = "fiscal_year DESC, amount DESC NULLS LAST, application_id, beneficiary_name, title, organisation_id, currency"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicDatabase]:
    with PublicDatabase(build(tmp_path_factory.mktemp("lists") / "public.duckdb", size=20)) as opened:
        yield opened


@pytest.mark.parametrize("order", ["of pages", "any", "some"])
@pytest.mark.parametrize("key", sorted(KEYS))
def test_lists_are_what_is_asked_of_the_database(
    database: PublicDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str, order: str
) -> None:
    monkeypatch.setattr("pipelines.publish.database.AT_ONCE", 5)
    monkeypatch.setattr(award_lines, "_READ_AT_ONCE", 4)
    monkeypatch.setattr(award_lists, "AT_ONCE", 3)
    monkeypatch.setattr(award_lists, "MOST_HELD", 2_000)
    values = values_of(Context(database).directory, key)
    asked = {"of pages": values, "any": random.Random(3).sample(values, len(values)), "some": values[::3]}[order]
    lists = AwardLists(made(database, tmp_path / "lines", {key: values}), key, values)
    total = 0
    for value in asked:
        wanted = database.typed(f"SELECT * FROM awards WHERE {KEYS[key]} = ? ORDER BY {ORDER}", [value])
        first, n_awards = lists.first(value)
        assert first.equals(wanted.head(SHOWN).select(SHOWN_COLUMNS))
        assert lists.total(value) == n_awards == wanted.height
        assert b"".join(lists.blocks(value)) == comma_separated.to_bytes(wanted)
        total += n_awards
    assert total
    if order != "some":
        [(n_known,)] = database.typed(f"SELECT count({KEYS[key]}) FROM awards").rows()
        assert total == n_known


def test_lines_are_made_once(database: PublicDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    values = {"funder_id": values_of(Context(database).directory, "funder_id")}
    first = made(database, tmp_path / "lines", values)
    monkeypatch.setattr(award_lines, "_make", None)
    assert made(database, tmp_path / "lines", values).header == first.header


@pytest.mark.parametrize("title", ["\0", "\x01\0 ; \x1f", 'une "ligne"\r\nen deux', "\r", "\n", "=1", ""])
def test_a_line_holds_any_character(title: str) -> None:
    frame = pl.DataFrame({"title": [title, None, "fin"], "amount": [1, 2, None]})
    lines, ends = award_lines._marked(comma_separated.neutralised(frame))
    assert comma_separated.to_bytes(frame.clear()) + lines.tobytes() == comma_separated.to_bytes(frame)
    apart = [comma_separated.to_bytes(row) for row in frame.iter_slices(1)]
    assert [int(end) for end in ends] == [
        sum(len(row) - len(comma_separated.to_bytes(frame.clear())) for row in apart[: number + 1])
        for number in range(3)
    ]


def test_a_cell_of_all_control_characters_is_told() -> None:
    with pytest.raises(ValueError, match="caractères de contrôle"):
        award_lines._marked(pl.DataFrame({"title": ["".join(award_lines._MARKS)]}))


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
