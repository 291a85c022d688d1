"""The archive of publications: what each of them told of refusals, so that two of them cannot be subtracted.

`warehouse/publications/<number>/` holds one publication, written aside and renamed before the public database is
swapped in: one that was archived and then not swapped in only makes the next ones more careful. It holds the
funder-years (*blocks*) that changed since the former publication, nothing else:
- `counts.parquet`: block, atom, measure, awards and count (private: the warehouse is);
- `printed.parquet`: block, level, keys and measure of the rows whose figures were new;
- `marks.parquet`: block and a hash of what could have been printed, to know it again;
- `reasons.parquet`: block, measure, reason, count and whether it was printed;
- `rows_<table>.parquet`: the public rows themselves, with their date;
- `publication.json`: its date and limits, and the sha256 of each of these files, so that one damaged later is known as
  such and nothing is compared with it.
`sound.txt` beside them has the marks of the blocks that the audit found sound.

The rule is in `holding`; this module only keeps and finds.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse import holding, suppression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

BLOCK = list(suppression.FUNDER_YEAR)
ATOM = [*BLOCK, "service_key", "departement_code", "scheme"]
PRINTED = pl.Schema({
    "funder_id": pl.String, "fiscal_year": pl.Int32, "level": pl.String, "service_key": pl.String,
    "departement_code": pl.String, "scheme": pl.String, "measure": pl.String,
})  # fmt: skip
"""One row per printed row and measure; the keys that a level does not have are null."""
REASONS = pl.Schema({
    "funder_id": pl.String, "fiscal_year": pl.Int32, "measure": pl.String, "refusal_reason": pl.String,
    "count": pl.Int64, "is_shown": pl.Boolean,
})  # fmt: skip
COUNTS = pl.Schema({name: dtype for name, dtype in suppression.ATOMS.items() if name != "is_known_zero"})
"""One row per atom and measure."""
_MARKS = pl.Schema({"funder_id": pl.String, "fiscal_year": pl.Int32, "mark": pl.String})
_SOUND = "sound.txt"
_LEVEL_KEYS: Mapping[str, tuple[str, ...]] = {
    holding.FUNDER: (),
    holding.SERVICE: ("service_key",),
    holding.TERRITORY: ("service_key", "departement_code"),
    holding.SCHEME: ("scheme",),
}


_SAID = "publication.json"


class DamagedArchiveError(RuntimeError):
    """A file of the archive is not what was written: nothing can be compared with it, hence nothing published."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"La mémoire des publications est abîmée : « {path.parent.name}/{path.name} » manque ou n'est plus ce "
            "qui a été écrit. Rien n'est publié, car deux publications pourraient alors être comparées. Rétablissez "
            "« publications » depuis une sauvegarde."
        )
        self.path = path


@dataclass(frozen=True)
class Archive:
    """The publications of one warehouse, in a folder that need not exist yet."""

    folder: Path

    def numbers(self) -> list[int]:
        """The publications archived, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(int(path.name) for path in self.folder.iterdir() if path.name.isdigit())

    def read(self, name: str, schema: pl.Schema | None = None) -> pl.DataFrame:
        """One kind of file of every publication, oldest first, with its `publication`; empty under `schema` if none.

        Raises `DamagedArchiveError` when one of them is not what was written.
        """
        parts = [
            frame.with_columns(pl.lit(number, dtype=pl.Int32).alias("publication"))
            for number in self.numbers()
            if (frame := self._frame(number, name)) is not None
        ]
        if not parts:
            return pl.DataFrame(schema={**(schema or {}), "publication": pl.Int32})
        return pl.concat(parts, how="diagonal_relaxed")

    def damaged(self) -> list[Path]:
        """The files that are missing or are not what was written, oldest first. Reads them all."""
        found = []
        for number in self.numbers():
            try:
                for name in sorted({*self._sums(number), *(p.stem for p in self._place(number).glob("*.parquet"))}):
                    self._frame(number, name)
            except DamagedArchiveError as error:
                found.append(error.path)
        return found

    def _frame(self, number: int, name: str) -> pl.DataFrame | None:
        path, wanted = self._place(number) / f"{name}.parquet", self._sums(number).get(name)
        if wanted is None and not path.is_file():
            return None
        try:
            content = path.read_bytes()
            if wanted is not None and hashlib.sha256(content).hexdigest() != wanted:
                raise DamagedArchiveError(path)
            return pl.read_parquet(content)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise DamagedArchiveError(path) from error

    def _sums(self, number: int) -> dict[str, str]:
        """The sha256 of the files of a publication, by name; earlier versions told none."""
        path = self._place(number) / _SAID
        try:
            told: dict[str, str] = json.loads(path.read_text(encoding="utf-8")).get("sha256", {})
        except (OSError, ValueError, AttributeError) as error:
            raise DamagedArchiveError(path) from error
        return told

    def sound(self) -> frozenset[str]:
        """Marks of the blocks that the audit found sound."""
        path = self.folder / _SOUND
        return frozenset(path.read_bytes().decode(errors="replace").split()) if path.is_file() else frozenset()

    def keep_sound(self, marks: Iterable[str]) -> None:
        """Replace the marks of sound blocks."""
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f".{_SOUND}"
        aside.write_text("".join(f"{mark}\n" for mark in sorted(marks)), encoding="utf-8")
        aside.replace(self.folder / _SOUND)

    def write(self, files: Mapping[str, pl.DataFrame], said: Mapping[str, object]) -> int:
        """Archive one publication whole, or not at all; returns its number."""
        number = max(self.numbers(), default=0) + 1
        aside = self.folder / f".{number:04}.building"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        sums = {}
        for name, frame in files.items():
            path = aside / f"{name}.parquet"
            frame.write_parquet(path)
            sums[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        told = json.dumps({**said, "sha256": sums}, ensure_ascii=False, indent=1)
        (aside / _SAID).write_text(f"{told}\n", encoding="utf-8")
        aside.replace(self._place(number))
        return number

    def _place(self, number: int) -> Path:
        return self.folder / f"{number:04}"


@dataclass(frozen=True)
class Decided:
    """What a publication prints anew.

    `fresh`: see `PRINTED`. `changed`: the blocks to archive, with their mark.
    """

    fresh: pl.DataFrame
    changed: pl.DataFrame


def decide(
    archive: Archive,
    atoms: pl.DataFrame,
    wanted: pl.DataFrame,
    limits: suppression.Thresholds,
    *,
    narrowed: Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame],
) -> Decided:
    """Which of the `wanted` rows (`PRINTED`) may be printed anew, after the publications of `archive`.

    `atoms`: see `suppression.ATOMS`, of the whole warehouse. `narrowed` takes out of the wanted rows of the changed
    blocks, given with their atoms, those that cost too much to judge when nothing changed. A block that prints nothing
    leaves no trace.
    """
    wanted = wanted.select(PRINTED.names()).cast(PRINTED)
    open_atoms = atoms.filter(~pl.col("is_known_zero")).select(COUNTS.names()).cast(COUNTS)
    marks = _marks(open_atoms, wanted)
    past = archive.read("marks", _MARKS)
    last = past.group_by(BLOCK, maintain_order=True).agg(pl.col("mark", "publication").last())
    unchanged = marks.join(last, on=[*BLOCK, "mark"], how="inner")
    printed = archive.read("printed", PRINTED)
    kept = printed.join(unchanged, on=[*BLOCK, "publication"], how="semi").select(PRINTED.names())
    changed = marks.join(unchanged, on=BLOCK, how="anti")
    wanted = narrowed(atoms.join(changed, on=BLOCK, how="semi"), wanted.join(changed, on=BLOCK, how="semi"))
    first = changed.join(last, on=BLOCK, how="anti")
    fresh = [kept, wanted.join(first, on=BLOCK, how="semi")]
    again = changed.join(last, on=BLOCK, how="semi")
    if again.height:
        counts = archive.read("counts", COUNTS)
        for block in again.select(BLOCK).iter_rows():
            here = (pl.col("funder_id") == block[0]) & (pl.col("fiscal_year") == block[1])
            mine = wanted.filter(here)
            new = _edition(open_atoms.filter(here), mine)
            formers = _formers(counts.filter(here), printed.filter(here), past.filter(here)["publication"])
            rows = holding.fresh_rows(new, formers, limits)
            is_fresh = [_row(found) in rows for found in mine.iter_rows(named=True)]
            fresh.append(mine.filter(pl.Series(is_fresh, dtype=pl.Boolean)))
    return Decided(pl.concat(fresh), changed)


def decide_reasons(archive: Archive, reasons: pl.DataFrame, *, min_count: int) -> pl.DataFrame:
    """The blocks and measures whose reasons may be printed anew: `BLOCK`, measure. `reasons`: see `REASONS`."""
    keys = [*BLOCK, "measure"]
    past = archive.read("reasons", REASONS)
    new = reasons.select(REASONS.names()).cast(REASONS)
    spread = (
        past.select("publication", *keys)
        .unique()
        .join(new.select(*keys, "refusal_reason"), on=keys)
        .select("publication", *keys, "refusal_reason")
    )
    every = pl.concat([spread, past.select("publication", *keys, "refusal_reason")]).unique()
    both = every.join(new, on=[*keys, "refusal_reason"], how="left").join(
        past, on=["publication", *keys, "refusal_reason"], how="left", suffix="_then"
    )
    told = pl.col("is_shown").fill_null(False) & pl.col("is_shown_then").fill_null(False)
    moved = (
        both.with_columns(
            pl.when(told).then(pl.col("refusal_reason")).otherwise(pl.lit(None)).alias("piece"),
            (pl.col("count").fill_null(0) - pl.col("count_then").fill_null(0)).alias("moved"),
        )
        .group_by("publication", *keys, "piece")
        .agg(pl.col("moved").sum())
    )
    wrong = moved.filter(pl.col("moved").abs().is_between(1, min_count - 1))
    return new.select(keys).unique().join(wrong, on=keys, how="anti")


def _marks(atoms: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    lines = [
        frame.join(wanted.select(BLOCK).unique(), on=BLOCK, how="semi").select(
            *BLOCK,
            pl.concat_str([pl.col(c).cast(pl.String).fill_null("-") for c in frame.columns], separator="|").alias(
                "line"
            ),
        )
        for frame in (atoms, wanted)
    ]
    joined = pl.concat(lines).group_by(BLOCK).agg(pl.col("line").sort().str.join("\n")).sort(BLOCK)
    marks = [hashlib.sha256(text.encode()).hexdigest() for text in joined["line"]]
    return joined.select(BLOCK).with_columns(pl.Series("mark", marks, dtype=pl.String))


def _edition(counts: pl.DataFrame, printed: pl.DataFrame) -> holding.Edition:
    by_measure: dict[str, dict[holding.Atom, holding.Count]] = {}
    for service, departement, scheme, measure, awarded, count in counts.select(
        "service_key", "departement_code", "scheme", "measure", "n_awarded", "count"
    ).iter_rows():
        by_measure.setdefault(measure, {})[holding.Atom(service, departement, scheme)] = (awarded, count)
    rows: dict[str, set[holding.Row]] = {}
    for found in printed.iter_rows(named=True):
        rows.setdefault(found["measure"], set()).add(_row(found))
    return holding.Edition(by_measure, {measure: frozenset(mine) for measure, mine in rows.items()})


def _formers(counts: pl.DataFrame, printed: pl.DataFrame, publications: pl.Series) -> list[holding.Edition]:
    return [
        _edition(counts.filter(pl.col("publication") == number), printed.filter(pl.col("publication") == number))
        for number in publications.unique().sort()
    ]


def _row(found: Mapping[str, str]) -> holding.Row:
    return holding.Row(found["level"], tuple(found[key] for key in _LEVEL_KEYS[found["level"]]))


def archived_counts(atoms: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """What `counts.parquet` holds of the `changed` blocks."""
    kept = atoms.filter(~pl.col("is_known_zero")).join(changed, on=BLOCK, how="semi")
    return kept.select(COUNTS.names()).cast(COUNTS)
