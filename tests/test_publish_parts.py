"""Parts of a report: made again when anything that they read changed, whatever it is; left as they stand otherwise."""

from __future__ import annotations

import hashlib
import random
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pipelines.publish import comma_separated, parts
from pipelines.publish.context import Context
from pipelines.publish.database import PublicDatabase
from pipelines.publish.reports import File, Kept, Output, Stream
from pipelines.publish.site import publish
from tests.publish_database import build
from tests.test_faults_site import content_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SEED = 20261127
ASIDE = {"s", "manifest"}
"""Where a site keeps what the publication before it left."""
CHANGED = {
    "VARCHAR": "{0} || 'é'", "BIGINT": "{0} + 1", "INTEGER": "{0} + 1", "DOUBLE": "{0} / 2", "BOOLEAN": "NOT {0}",
    "DATE": "{0} + 1",
}  # fmt: skip
"""Another value of each type. Decimals too: see `_change`."""


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("parts") / "public.duckdb", size=20)


def _change(path: Path, table: str, chance: random.Random) -> str | None:
    """Change one known cell of `table`; says which, None when there is none to change."""
    with duckdb.connect(str(path)) as db:
        columns = [row[:2] for row in db.execute(f'DESCRIBE "{table}"').fetchall()]
        for name, kind in chance.sample(columns, len(columns)):
            wanted = CHANGED.get(kind, "{0} + 1" if kind.startswith("DECIMAL") else None)
            is_code = name.endswith(("_id", "_key", "_code", "level", "code")) and kind == "VARCHAR"
            rows = db.execute(f'SELECT rowid FROM "{table}" WHERE "{name}" IS NOT NULL').fetchall()
            if wanted is None or is_code or not rows:
                continue
            (row,) = chance.choice(rows)
            value = wanted.format(f'"{name}"')
            db.execute(f'UPDATE "{table}" SET "{name}" = {value} WHERE rowid = ?', [row])
            return f"{table}.{name}, ligne {row}"
    return None


def proved(database: Path, folder: Path, tables: list[str], *, seed: int = SEED) -> dict[str, int]:
    """Publish after one cell of each of `tables` changed, and assert that the site is one made from nothing.

    Returns how many files each change left to be written.
    """
    chance, written = random.Random(seed), {}
    publish(database, folder / "site")
    for number, table in enumerate(tables):
        former = shutil.copy(database, folder / "former.duckdb")
        what = _change(database, table, chance)
        if what is None:
            continue
        fresh = folder / f"fresh-{number}"
        try:
            publish(database, fresh)
        except (
            duckdb.Error,
            ArithmeticError,
            LookupError,
            TypeError,
            ValueError,
        ):  # the change broke a rule that the database keeps: no site can be made of it
            shutil.copy(former, database)
            continue
        written[what] = publish(database, folder / "site").written
        stood, made = content_of(folder / "site"), content_of(fresh)
        stood = {path.relative_to(folder / "site"): content for path, content in stood.items()}
        made = {path.relative_to(fresh): content for path, content in made.items()}
        assert {path for path in made if stood.get(path) != made[path]} == set(), what
        assert {path for path in stood.keys() - made.keys() if path.parts[0] not in ASIDE} == set(), what
        shutil.rmtree(fresh)
    return written


@pytest.mark.slow
def test_a_change_anywhere_makes_the_site_that_nothing_would(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables that pages read in each way: whole, by rows of a key, by slices, through the directory."""
    monkeypatch.setattr("pipelines.publish.site._WORTH_IT", 1 << 60)  # in this process: starting others costs more
    database = shutil.copy(small, tmp_path / "public.duckdb")
    tables = ["awards", "funding_by_territory_year", "services", "beneficiaries"]
    written = proved(database, tmp_path, tables)
    assert len(written) == len(tables)
    assert all(number > 0 for number in written.values())


def one(context: Context, funder: str) -> Iterator[Output]:
    name = context.directory.funder_name(funder)
    years = context.database.where("funding_by_funder_year", "funder_id", funder)
    yield Output(f"{funder}.txt", f"{name} {len(years)}".encode())
    return {"name": name}


def large(context: Context, funder: str) -> Iterator[Stream]:
    lines = context.database.batches("SELECT title FROM awards WHERE funder_id = ? ORDER BY ALL", [funder])
    made = Stream(f"{funder}.csv", lambda file: comma_separated.write(lines, file))
    yield made
    return {"size": made.size}


def _made(
    database: Path, root: Path, *, recipe: str = "r", function: Callable[..., Iterator[File]] = one
) -> tuple[File, Any]:
    """What the part of one funder gives, its file being written as the site does."""
    with PublicDatabase(database) as opened:
        held = parts.Parts(root, "essai", recipe, Context(opened))
        made = held.part(function, ("130000003",))
        output = next(made)
        if not isinstance(output, Kept):
            output.into(root / output.path)
        with pytest.raises(StopIteration) as end:
            next(made)
        held.save()
    return output, end.value.value


def test_a_file_that_is_never_held_whole_stands_too(small: Path, tmp_path: Path) -> None:
    database, root = shutil.copy(small, tmp_path / "public.duckdb"), tmp_path / "root"
    root.mkdir()
    first, told = _made(database, root, function=large)
    content = (root / "130000003.csv").read_bytes()
    assert isinstance(first, Stream)
    assert (first.size, first.digest) == (len(content), hashlib.sha256(content).hexdigest())
    assert told == {"size": len(content)}
    assert content.startswith(b"title\r\n")
    assert _made(database, root, function=large) == (Kept(first.path, first.digest, first.size), told)
    with duckdb.connect(str(database)) as db:
        db.execute("UPDATE awards SET title = 'Autre objet' WHERE funder_id = '130000003'")
    assert isinstance(_made(database, root, function=large)[0], Stream)
    assert b"Autre objet" in (root / "130000003.csv").read_bytes()


def test_a_part_stands_while_code_answers_and_files_do(small: Path, tmp_path: Path) -> None:
    database, root = shutil.copy(small, tmp_path / "public.duckdb"), tmp_path / "root"
    root.mkdir()
    first, told = _made(database, root)
    assert isinstance(first, Output)
    assert _made(database, root) == (Kept(first.path, first.digest, len(first.content)), told)
    with duckdb.connect(str(database)) as db:  # of another funder: nothing that the part asked
        db.execute("UPDATE funding_by_funder_year SET amount = amount + 1 WHERE funder_id <> '130000003'")
        db.execute("UPDATE funders SET name = 'Autre' WHERE funder_id <> '130000003'")
    assert isinstance(_made(database, root)[0], Kept)
    with duckdb.connect(str(database)) as db:
        db.execute("UPDATE funders SET name = 'Autre' WHERE funder_id = '130000003'")
    assert isinstance(_made(database, root)[0], Output)
    assert isinstance(_made(database, root)[0], Kept)
    assert isinstance(_made(database, root, recipe="other")[0], Output)
    with duckdb.connect(str(database)) as db:  # what it asked cannot even be asked
        db.execute("ALTER TABLE funding_by_funder_year RENAME COLUMN funder_id TO other_id")
    with pytest.raises(KeyError):
        _made(database, root, recipe="other")
    with duckdb.connect(str(database)) as db:
        db.execute("ALTER TABLE funding_by_funder_year RENAME COLUMN other_id TO funder_id")
    assert isinstance(_made(database, root, recipe="other")[0], Kept)
    (root / first.path).write_bytes(b"damaged")
    assert isinstance(_made(database, root, recipe="other")[0], Output)
    (root / "manifest" / f"essai{parts.ENDING}").write_bytes(b"damaged")
    assert isinstance(_made(database, root, recipe="other")[0], Output)


def test_a_part_may_know_nothing_that_it_did_not_ask(small: Path, tmp_path: Path) -> None:
    with PublicDatabase(small) as opened:
        held = parts.Parts(tmp_path, "essai", "r", Context(opened))
        for function, arguments in ((lambda context: iter(()), ()), (one, (3,))):
            with pytest.raises(TypeError, match="fonction de module"):
                next(held.part(function, arguments))  # type: ignore[arg-type]
