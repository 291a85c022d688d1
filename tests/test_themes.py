"""Themes: what the rule says of texts, of whole lines, and of 340 real lines labelled by hand before it existed.

`themes_labels.csv` names lines by file, sheet and row; the lines stay where they are. `stratum` says how a line was
drawn: `plain` is a simple random sample of all the lines in French, the others over-sample what a plain sample hardly
meets. `or_theme` is a second theme that the reader would have accepted, `doubtful` a label the reader was not sure of;
both were written down with the label. One half served to write the rule, the other half only to measure it; one person
read the lines of both before writing the rule, and copies of a line may stand in both, so that its figure flatters a
little. The lines drawn for their words of food aid say little of the recall on food aid told in other words.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.warehouse.build import build
from pipelines.warehouse.themes import FIELDS, programmes, said
from schemas import codelist
from schemas.funder import FunderFile
from schemas.source import source_hash
from schemas.themes import ThemesError, fold, folded, load_themes, programme_code, themes
from tests.warehouse_staging import Staging, line, row, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

LABELS = Path(__file__).with_name("themes_labels.csv")
FLOORS = {"develop": 0.93, "held_out": 0.89}
"""Share of lines given an accepted theme: just below what was measured (0.96 and 0.92)."""
STRICT_FLOOR = 0.79
"""The same on the held-out half with the first label alone (measured 0.82)."""
PLAIN_FLOOR = 0.86
"""The same on the plain sample of the held-out half (measured 0.90)."""
FOOD_AID_FLOORS = (0.94, 0.88)
"""Precision and recall of food aid on the held-out half (measured 1.00 and 0.94 on 18 lines)."""


def concluded(text: str, field: str = "title") -> tuple[str | None, str | None]:
    """The sure theme and the hint that a text gives."""
    found = said(pl.Series([text]), field, themes())
    return (found["theme"][0], found["hint_theme"][0]) if found.height else (None, None)


def test_texts_are_folded_into_words() -> None:
    folded_texts = fold(pl.Series(["L'Épicerie-sociale", "œuvres d¿été aux RESTOS", "Jeux", "bus", None]))
    assert folded_texts.to_list() == [" l epicerie sociale ", " oeuvre d ete aux resto ", " jeu ", " bus ", None]
    assert folded(["Élevages", "écolog*"]) == [" elevage ", " ecolog"]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40), st.sampled_from(sorted(FIELDS)))
def test_any_text_is_read_without_fault(text: str, field: str) -> None:
    found = said(pl.Series([text], dtype=pl.String), field, themes())
    assert found.height <= 1
    assert set(found["theme"].drop_nulls()) <= set(codelist.codes("theme"))


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", max_size=20))
def test_case_and_accents_change_nothing(text: str) -> None:
    assert fold(pl.Series([text.upper()])).to_list() == fold(pl.Series([text.replace("e", "é")])).to_list()


@pytest.mark.parametrize(
    ("text", "theme"),
    [
        ("Achat de DENRÉES alimentaires", "food_aid"),
        ("Épiceries solidaires", "food_aid"),
        ("Aide alimentaire au Sénégal", "international"),
        ("Réseau d'alimentation en eau potable", "environment"),
        ("Prévention du gaspillage alimentaire", "environment"),
        ("École de musique", "culture"),
        ("Tournoi de tennis", "sport"),
        ("Scolarité", "youth_education"),
        ("escola", None),
        ("Fonctionnement", None),
    ],
)
def test_whole_words_with_their_exceptions(text: str, theme: str | None) -> None:
    assert concluded(text)[0] == theme


def test_a_list_of_sectors_says_no_theme() -> None:
    assert concluded("Sport", "theme_raw") == ("sport", None)
    assert concluded("Sport;Social;Culture", "theme_raw") == (None, None)


def test_a_short_service_name_is_compared_whole() -> None:
    assert concluded("DAC", "service_name") == (None, "culture")
    assert concluded("DAC de la ville", "service_name") == (None, None)


def test_budget_programmes_in_every_writing() -> None:
    written = ["304-14", "P304", "BOP 163", "0163-04-01", "Santé et sports: 219 - Sport", "6574/920", "122", "libre"]
    expected = ["304-14", "304", "163", "163-04", "219", None, "122", None]
    assert programme_code(pl.Series(written)).to_list() == expected


def test_a_programme_means_what_it_meant_that_year() -> None:
    found = programmes(pl.Series(["P177", "304-14", "304-16", "999"]), themes())
    meanings = {(r["text"], r["theme"], r["first_year"], r["last_year"]) for r in found.iter_rows(named=True)}
    assert meanings == {
        ("P177", "social_inclusion", 0, 2014), ("P177", "housing", 2015, 9999), ("304-14", "food_aid", 2013, 9999),
        ("304-16", "social_inclusion", 2009, 9999),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("words = ['repas']\nunheard = []", "unheard"),
        ("words = ['repas', 'Répas']", "« Répas » mène deux fois à « food_aid »"),
        ("words = ['re*pas']", "l'étoile ne se met qu'à la fin"),
        ("words = ['à']", "moins de deux lettres"),
        ("programmes = ['30']", "programmes"),
        ("programmes = [{ code = '304', first_year = 2020, last_year = 2013 }]", "2020 est après 2013"),
        ("words = ['repas']\n[themes.sports]\nwords = ['judo']", "« sports » n'est pas un thème de la liste"),
        ("words = ['repas']\n[themes.sport]\nnames = ['repas']", "« repas » mène à « food_aid » et à « sport »"),
        ("programmes = ['304']\n[themes.sport]\nbroad_programmes = ['304']", "le programme 304 mène à"),
        ("words = [", "ce n'est pas une règle de thèmes"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_place(tmp_path: Path, written: str, message: str) -> None:
    path = tmp_path / "themes.toml"
    path.write_text(f"[themes.food_aid]\n{written}\n", encoding="utf-8")
    with pytest.raises(ThemesError, match=r"^themes\.toml") as caught:
        load_themes(path)
    assert message in str(caught.value)


def test_food_aid_stands_first(tmp_path: Path) -> None:
    path = tmp_path / "themes.toml"
    path.write_text("[themes.sport]\nwords = ['judo']\n", encoding="utf-8")
    with pytest.raises(ThemesError, match="le premier thème est « food_aid »"):
        load_themes(path)


def test_what_says_the_theme_comes_in_order(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    cases = {
        "stated": line(theme="culture", theme_raw="Culture", title="Aide alimentaire"),
        "lookup": line(theme="health", theme_raw="SOCIAL / HANDICAP"),
        "scheme": line(scheme="Mieux manger pour tous", title="Festival"),
        "programme": line(budget_programme="P219", title="Concert", year=2021),
        "title": line(title="Concert", theme_raw="Sport", applicant_name="Club de judo"),
        "theme_raw": line(title="Fonctionnement", theme_raw="Sport", applicant_name="Les amis du livre"),
        "applicant_name": line(title="Fonctionnement", applicant_name="Banque alimentaire du Lez"),
        "service": line(title="Fonctionnement", applicant_name="Zut", service_name="Direction de la culture"),
        "hint": line(title="Fonctionnement", applicant_name="Zut", service_name="DAC"),
        "none": line(title="Fonctionnement", applicant_name="Zut", service_name=None),
    }
    staging.deposit("one", list(cases.values()))
    target = tmp_path / "funding.duckdb"
    build(staging.inputs(), target)
    found = rows(target, "SELECT theme, theme_basis, theme_expression FROM applications ORDER BY source_row")
    assert [r["theme_basis"] for r in found] == list(cases)
    assert [r["theme"] for r in found] == [
        "culture", "health", "food_aid", "sport", "culture", "sport", "food_aid", "culture", "culture", "unknown",
    ]  # fmt: skip
    assert found[2]["theme_expression"] == "mieux manger pour tous"
    assert found[-1]["theme_expression"] is None
    assert row(target, "SELECT sum(n_lines) AS n FROM theme_resolution")["n"] == len(cases)


def test_what_one_funder_gives_to_one_theme_in_one_place(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    herault = {"funder_name": "Département de l'Hérault", "seat_commune_code": "34172", "year": 2024}
    staging.deposit(
        "one",
        [
            line(title="Aide alimentaire", amount=1000, org=1, **herault),
            line(title="Colis alimentaires", amount=500, org=2, **herault),
            line(title="Fonctionnement", applicant_name="Zut", service_name=None, amount=100, org=3, **herault),
            line(title="Festival", amount=70, org=4, **herault),
        ],
    )
    target = tmp_path / "funding.duckdb"
    build(staging.inputs(), target)
    found = row(
        target,
        "SELECT amount, n_awards, unknown_theme_share AS missing FROM funding_by_funder_theme_territory_year"
        " WHERE theme = 'food_aid' AND departement_code = '34'",
    )
    assert (int(found["amount"]), found["n_awards"], found["missing"]) == (1500, 2, 0.25)


def test_a_changed_rule_stages_nothing_again(tmp_path: Path) -> None:
    for name in ("themes.toml", "synonyms.toml"):
        (tmp_path / name).write_text("before", encoding="utf-8")
    before = source_hash(tmp_path, apart={"themes.toml"})
    (tmp_path / "themes.toml").write_text("after", encoding="utf-8")
    assert source_hash(tmp_path, apart={"themes.toml"}) == before
    (tmp_path / "synonyms.toml").write_text("after", encoding="utf-8")
    assert source_hash(tmp_path, apart={"themes.toml"}) != before


def test_labels_are_in_order() -> None:
    with LABELS.open(encoding="utf-8", newline="") as file:
        labels = list(csv.DictReader(file))
    codes = set(codelist.codes("theme"))
    assert len({(one["file"], one["sheet"], one["row"]) for one in labels}) == len(labels) == 340
    assert {one["theme"] for one in labels} <= codes
    assert {one["or_theme"] for one in labels} <= codes | {""}
    assert {one["half"] for one in labels} == set(FLOORS)


@pytest.fixture(scope="module")
def read(real_files: Path, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The labelled lines with what the warehouse concludes: every file is staged whole, its labelled lines are kept."""
    labels = pl.read_csv(LABELS, schema_overrides={"row": pl.Int32})
    staging = Staging(tmp_path_factory.mktemp("themes"))
    for number, (path, wanted) in enumerate(labels.group_by("file", maintain_order=True)):
        file = real_files / str(path[0])
        origin = Origin(f"d{number}", file.parent.name, file.name, FunderFile())
        kept = check_file(file.read_bytes(), origin).accepted.join(
            wanted, left_on=["source_sheet", "source_row"], right_on=["sheet", "row"], how="semi"
        )
        staging.deposit(f"d{number}", kept.to_dicts(), relative_path=str(path[0]))
    target = tmp_path_factory.mktemp("warehouse") / "funding.duckdb"
    build(staging.inputs(), target)
    with duckdb.connect(target, read_only=True) as connection:
        found = connection.sql(
            "SELECT relative_path AS file, source_sheet AS sheet, source_row AS row, applications.theme AS found,"
            " theme_basis FROM applications JOIN deposits USING (deposit_id)"
        ).pl()
    joined = labels.join(found, on=["file", "sheet", "row"], how="left")
    assert joined["found"].null_count() == 0
    accepted = (pl.col("found") == pl.col("theme")) | (pl.col("found") == pl.col("or_theme").fill_null(""))
    return joined.with_columns(is_right=accepted, truth=pl.when(accepted).then("found").otherwise("theme"))


def _scores(frame: pl.DataFrame) -> Iterable[tuple[str, float | None, float | None, int]]:
    """Theme, precision, recall and support; the truth of a line given an accepted theme is that theme."""
    for theme in codelist.codes("theme"):
        given_it, is_it = frame.filter(found=theme), frame.filter(truth=theme)
        if given_it.height or is_it.height:
            right = given_it["is_right"].sum()
            yield (
                theme,
                right / given_it.height if given_it.height else None,
                right / is_it.height if is_it.height else None,
                is_it.height,
            )


@pytest.mark.parametrize("half", sorted(FLOORS))
def test_real_lines_labelled_by_hand(read: pl.DataFrame, half: str) -> None:
    """Figures are printed with `pytest -s`."""
    lines = read.filter(half=half)
    plain = lines.filter(stratum="plain")
    said_something = lines.filter(pl.col("found") != "unknown")
    share = float(lines["is_right"].mean() or 0)
    strict = float((lines["found"] == lines["theme"]).mean() or 0)
    print(f"\n{half}: {lines.height} lines, {(lines['doubtful'] == 'yes').sum()} doubtful labels")
    print(f"  accepted {share:.3f}, first label alone {strict:.3f}")
    print(f"  plain sample {plain['is_right'].mean():.3f} of {plain.height}")
    print(f"  concluded {said_something.height}, right then {said_something['is_right'].mean():.3f}")
    scores = {theme: (precision, recall) for theme, precision, recall, _ in _scores(lines)}
    for theme, precision, recall, support in _scores(lines):
        print(f"  {theme:<18} precision {_two(precision)}  recall {_two(recall)}  support {support}")
    assert share >= FLOORS[half]
    if half == "held_out":
        assert strict >= STRICT_FLOOR
        assert float(plain["is_right"].mean() or 0) >= PLAIN_FLOOR
        precision, recall = scores["food_aid"]
        assert precision is not None
        assert recall is not None
        assert precision >= FOOD_AID_FLOORS[0]
        assert recall >= FOOD_AID_FLOORS[1]


def _two(value: float | None) -> str:
    return "   –" if value is None else f"{value:.2f}"
