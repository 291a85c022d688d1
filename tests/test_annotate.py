"""The annotated copy: bad cells marked in the author's sheets, all problems listed, and what follows its return."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest
import xlwt
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill

from pipelines.ingest import annotate
from pipelines.ingest.annotate import annotated_bytes, write_annotated
from pipelines.ingest.author_book import COLOURS
from pipelines.ingest.check import check_file
from pipelines.ingest.deposit import deposit_id
from pipelines.ingest.inbox import ingest
from pipelines.ingest.ledger import Ledger
from pipelines.ingest.normalise import Origin
from pipelines.ingest.origin_mark import Mark, origin_of
from pipelines.ingest.own_sheets import TO_CORRECT
from schemas.funder import FunderFile

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.deposited import Deposit, Pass
    from pipelines.ingest.report import Report

AS_OF = date(2026, 1, 1)
TITLES = ["nomAttribuant", "nomBeneficiaire", "exerciceBudgetaire", "statutLabel", "montantDemande", "montant", "objet"]


def csv(lines: list[list[str]]) -> bytes:
    return "\n".join(";".join(line) for line in [TITLES, *lines]).encode() + b"\n"


def line(number: int, **cells: str) -> list[str]:
    values = dict(zip(TITLES, ["F", f"Association {number}", "2024", "attribuée", "1000", str(1000 + number),
                               f"Projet {number}"], strict=True))  # fmt: skip
    return list((values | cells).values())


def report_of(content: bytes, name: str = "f.csv") -> Report:
    return check_file(content, Origin("d", "dossier", name, FunderFile())).report


def copy_of(content: bytes, name: str = "f.csv") -> Workbook:
    return load_workbook(io.BytesIO(annotated_bytes(report_of(content, name), content, file_name=name)))


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def listed(book: Workbook) -> list[dict[str, object]]:
    """The rows of the first sheet's table."""
    rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    top = next(i for i, row in enumerate(rows) if row[0] == "Cellule")
    return [dict(zip(rows[top], row, strict=True)) for row in rows[top + 1 :]]


def said(book: Workbook) -> str:
    text = "\n".join(str(cell.value) for row in book.worksheets[0].iter_rows(max_row=12) for cell in row if cell.value)
    return text.replace("\u00a0", " ").replace("\u202f", " ")


BAD = csv([line(1), line(2, montant="beaucoup"), line(3, statutLabel="vu en bureau"), line(4)])


def test_bad_cells_are_coloured_and_explained() -> None:
    book = copy_of(BAD)
    assert book.sheetnames == ["À corriger", "f"]
    assert book.active.title == "À corriger"
    error, warning, good = book["f"]["F3"], book["f"]["D4"], book["f"]["F2"]
    assert (error.fill.fgColor.rgb, warning.fill.fgColor.rgb) == (COLOURS["error"], COLOURS["warning"])
    assert good.fill.fill_type is None
    assert "beaucoup" in error.comment.text
    assert "Écrivez un nombre" in error.comment.text
    assert good.comment is None


def test_the_first_sheet_lists_every_problem_with_a_link() -> None:
    book = copy_of(BAD)
    first, second = listed(book)
    assert book.worksheets[0]["A1"].value == TO_CORRECT
    assert (first["Cellule"], first["Gravité"], first["Feuille"], first["Ligne"]) == ("F3", "Bloquant", "f", 3)
    assert (first["Colonne"], first["Titre de la colonne"], first["Valeur lue"]) == ("F", "montant", "beaucoup")
    assert (second["Cellule"], second["Gravité"]) == ("D4", "À vérifier")
    assert all(row["Problème"] and row["Que faire"] for row in (first, second))
    links = [link.location for link in book.worksheets[0]._hyperlinks] or [
        cell.hyperlink.location for row in book.worksheets[0].iter_rows() for cell in row if cell.hyperlink
    ]
    assert links == ["'f'!F3", "'f'!D4"]
    assert "1 point bloquant et 1 point à vérifier. 1 ligne est écartée." in said(book)


def test_a_file_with_nothing_to_correct_has_no_copy(tmp_path: Path) -> None:
    good = csv([line(1), line(1)])  # identical lines: an information, nothing to do
    report = report_of(good)
    assert [issue.severity for issue in report.issues] == ["info", "info"]
    assert write_annotated(report, good, tmp_path, file_name="f.csv") is None
    assert list(tmp_path.iterdir()) == []


def test_the_copy_has_the_receipts_name_and_is_written_once(tmp_path: Path) -> None:
    report = report_of(BAD)
    path = write_annotated(report, BAD, tmp_path / "_accuses", file_name="Été 2024.csv")
    assert path is not None
    assert path.name == f"ete-2024-{report.sha256[:8]}.xlsx"
    before = path.stat().st_mtime_ns, path.read_bytes()
    write_annotated(report, BAD, tmp_path / "_accuses", file_name="Été 2024.csv")
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    assert origin_of(path.read_bytes()) == Mark(report.sha256)


def workbook() -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    note = book.create_sheet("Notes")
    note["A1"] = "à lire"
    data = book.create_sheet("L'an 2024")
    data.append(["Subventions de la ville"])
    data.append(TITLES)
    for number in range(3):
        data.append(["F", f"Asso {number}", 2024, "attribuée", 10, 20, f"Projet {number}"])
    data["F4"] = "beaucoup"
    data["F4"].font = Font(name="Arial", bold=True, color="FF00AA00")
    data["F4"].comment = Comment("à revoir", "Camille")
    data["G3"].fill = PatternFill("solid", fgColor="FF123456")
    data["D5"] = datetime(2024, 3, 1)
    data["D5"].number_format = "dd/mm/yyyy"
    data.column_dimensions["B"].width = 44
    return book


def test_an_xlsx_keeps_its_look_and_its_other_sheets() -> None:
    book = copy_of(saved(workbook()), "f.xlsx")
    assert book.sheetnames == ["À corriger", "Notes", "L'an 2024"]
    data = book["L'an 2024"]
    assert data["F4"].font.bold
    assert data["F4"].font.color.rgb == "FF00AA00"
    assert data["F4"].fill.fgColor.rgb == COLOURS["error"]
    assert data["G3"].fill.fgColor.rgb == "FF123456"
    assert data.column_dimensions["B"].width == 44
    assert data["F4"].comment.text.startswith("à revoir\n\nQui finance quoi")
    assert data["D5"].value == datetime(2024, 3, 1)
    assert [row["Cellule"] for row in listed(book)] == ["F4", "D5"]


def test_formulas_are_neutralised() -> None:
    origin = workbook()
    data = origin["L'an 2024"]
    data["H3"] = "=1+1"
    data["G4"].value, data["G4"].data_type = "=cmd|' /C calc'!A0", "s"
    data["G5"].value, data["G5"].data_type = "@SUM(A1)", "s"
    for content, name in ((saved(origin), "f.xlsx"), (csv([line(1, objet="=HYPERLINK(1)", montant="x")]), "f.csv")):
        made = annotated_bytes(report_of(content, name), content, file_name=name)
        with zipfile.ZipFile(io.BytesIO(made)) as archive:
            assert not any(b"<f>" in archive.read(n) for n in archive.namelist() if n.startswith("xl/worksheets/sheet"))
        texts = [c for sheet in load_workbook(io.BytesIO(made)) for row in sheet.iter_rows() for c in row
                 if isinstance(c.value, str) and c.value[:1] in "=+-@" and c.value]  # fmt: skip
        assert texts
        assert all(cell.data_type == "s" and cell.quotePrefix for cell in texts)
    assert "les formules (leurs résultats restent)" in said(copy_of(saved(origin), "f.xlsx"))


def test_a_problem_in_a_sheet_joined_to_this_one_is_marked_on_its_row() -> None:
    report = report_of(BAD, "f.csv")
    rows = {issue.row for issue in report.issues}
    for issue in report.issues:
        issue.column = "Tiers!G"
    book = load_workbook(io.BytesIO(annotated_bytes(report, BAD, file_name="f.csv")))
    page = book.worksheets[-1]
    marked = {cell.row for row in page.iter_rows() for cell in row if cell.comment is not None}
    assert marked == rows


def test_what_cannot_be_kept_is_said() -> None:
    content = io.BytesIO(saved(workbook()))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
        archive.writestr("xl/pivotTables/pivotTable1.xml", b"<x/>")
    told = said(copy_of(content.getvalue(), "f.xlsm"))
    assert "Cette copie ne garde pas : les macros ; les tableaux croisés dynamiques (leurs valeurs restent)." in told


def xls(rows: list[list[str]]) -> bytes:
    book, out = xlwt.Workbook(), io.BytesIO()
    page = book.add_sheet("Feuille")
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            page.write(row, column, text)
    book.save(out)
    return out.getvalue()


def ods(rows: list[list[str]]) -> bytes:
    cell = "<table:table-cell office:value-type='string'><text:p>{}</text:p></table:table-cell>"
    lines = "".join(f"<table:table-row>{''.join(map(cell.format, cells))}</table:table-row>" for cells in rows)
    spaces = " ".join(f"xmlns:{n}='urn:oasis:names:tc:opendocument:xmlns:{n}:1.0'" for n in ("office", "table", "text"))
    sheet = f"<table:table table:name='Feuille'>{lines}</table:table>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>{sheet}</office:spreadsheet>"
            "</office:body></office:document-content>",
        )
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return out.getvalue()


@pytest.mark.parametrize("name", ["f.xls", "f.ods"])
def test_other_workbooks_come_back_as_xlsx(name: str) -> None:
    rows = [TITLES, ["F", "A", "2024", "attribuée", "10", "beaucoup", "=x"], *([line(n) for n in range(5)])]
    content = xls(rows) if name == "f.xls" else ods(rows)
    book = copy_of(content, name)
    assert book.sheetnames == ["À corriger", "Feuille"]
    assert book["Feuille"]["F2"].fill.fgColor.rgb == COLOURS["error"]
    assert "la mise en forme" in said(book)


def test_a_copy_annotated_again_forgets_the_first_marks() -> None:
    content = saved(workbook())
    once = load_workbook(io.BytesIO(annotated_bytes(report_of(content, "f.xlsx"), content, file_name="f.xlsx")))
    once["L'an 2024"]["F4"] = 20
    corrected = saved(once)
    assert origin_of(corrected) is not None
    report = report_of(corrected, "g.xlsx")
    assert {sheet.name: sheet.reason for sheet in report.sheets if not sheet.kept}["À corriger"].startswith(
        "feuille aj"
    )
    again = load_workbook(io.BytesIO(annotated_bytes(report, corrected, file_name="g.xlsx")))
    assert again.sheetnames == ["À corriger", "Notes", "L'an 2024"]
    assert again["L'an 2024"]["F4"].fill.fill_type is None
    assert again["L'an 2024"]["F4"].comment.text == "à revoir"
    assert [row["Cellule"] for row in listed(again)] == ["D5"]
    assert origin_of(saved(again)) == Mark(report.sha256)


def test_a_copy_reads_back_as_its_origin() -> None:
    for content, name in ((BAD, "f.csv"), (saved(workbook()), "f.xlsx")):
        origin = report_of(content, name)
        back = report_of(annotated_bytes(origin, content, file_name=name), "copie.xlsx")
        assert (back.rows_read, back.rows_accepted, back.amounts) == (
            origin.rows_read,
            origin.rows_accepted,
            origin.amounts,
        )
        assert [(i.row, i.column, i.code) for i in back.issues] == [(i.row, i.column, i.code) for i in origin.issues]


def test_only_the_first_cells_are_commented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotate, "MOST_COMMENTS", 2)
    book = copy_of(csv([line(n, montant="beaucoup") for n in range(5)]))
    cells = [book["f"][f"F{row}"] for row in range(2, 7)]
    assert [cell.comment is not None for cell in cells] == [True, True, False, False, False]
    assert all(cell.fill.fgColor.rgb == COLOURS["error"] for cell in cells)
    assert len(listed(book)) == 5


def test_a_large_file_comes_back_as_an_extract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotate, "MOST_LINES", 10)
    content = csv([line(n, montant="beaucoup" if n in (5, 9) else "12") for n in range(20)])
    made = annotated_bytes(report_of(content), content, file_name="f.csv")
    book = load_workbook(io.BytesIO(made))
    rows = [[cell.value for cell in row] for row in book["f"].iter_rows()]
    assert [row[1] for row in rows] == ["nomBeneficiaire", "Association 5", "Association 9"]
    assert [row[-1] for row in rows] == ["Ligne dans votre fichier", 7, 11]
    assert [(row["Ligne"], row["Cellule"]) for row in listed(book)] == [(7, "F2"), (11, "F3")]
    assert "Ne déposez pas cet extrait" in said(book)
    assert origin_of(made) == Mark(report_of(content).sha256, is_extract=True)


def test_personal_values_are_in_no_comment() -> None:
    book = copy_of(csv([line(1, objet="écrire à jean.dupont@exemple.fr", montant="beaucoup")]))
    text = str(listed(book)) + "".join(c.comment.text for row in book["f"].iter_rows() for c in row if c.comment)
    assert "jean.dupont" not in text
    assert "donnée personnelle" in text


def test_odd_texts_and_names_do_not_break_the_copy() -> None:
    odd = csv([line(1, objet="a\x0bb\ufffe", montant="x" * 40_000), line(2, montant="=1+1")])
    book = copy_of(odd, "a[b]:c*'d?" + "e" * 60 + ".csv")
    assert len(book.sheetnames[1]) <= 31
    assert book.worksheets[1]["G2"].value == "ab"


def test_what_is_no_workbook_has_no_origin() -> None:
    assert [origin_of(content) for content in (b"", b"PK\x03\x04abime", BAD, saved(workbook()))] == [None] * 4


def test_the_mark_is_found_however_a_spreadsheet_writes_it() -> None:
    sha256 = "ab" * 32
    texts = {
        "docProps/custom.xml": f"<property name='qfq_origin_sha256'>\n<vt:lpwstr>{sha256}</vt:lpwstr></property>",
        "meta.xml": f'<meta:user-defined meta:name="qfq_origin_sha256">{sha256}</meta:user-defined>'
        '<meta:user-defined meta:name="qfq_extract">true</meta:user-defined>',
    }
    for name, text in texts.items():
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(name, text)
        assert origin_of(out.getvalue()) == Mark(sha256, is_extract=name == "meta.xml")
    old = b"\xd0\xcf\x11\xe0" + b"..qfq_origin_sha256\x00\x00\x1e\x00\x41\x00" + sha256.encode() + b"\x00"
    assert origin_of(old) == Mark(sha256)


# The copy comes back


class Project:
    """A raw folder and a warehouse in a temporary place."""

    def __init__(self, root: Path) -> None:
        self.raw, self.warehouse = root / "raw", root / "warehouse"
        self.raw.mkdir()

    def drop(self, path: str, content: bytes) -> Path:
        file = self.raw / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def run(self) -> Pass:
        return ingest(self.raw, self.warehouse, as_of=AS_OF)

    def copy(self, depositor: str) -> Path:
        [path] = (self.raw / depositor / "_accuses").glob("*.xlsx")
        return path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def current(done: Pass) -> dict[str, Deposit]:
    return {deposit.path: deposit for deposit in done.deposits if deposit.is_current}


def counted(done: Pass) -> int:
    return sum(v.lines for v in done.versions if v.is_counted)


def corrected(copy: Path, *, keep: int = 30) -> bytes:
    """The copy with its bad amounts put right, and its first `keep` lines."""
    book = load_workbook(copy)
    data = book.worksheets[1]
    for row in data.iter_rows(min_row=2):
        if row[5].value == "beaucoup":
            row[5].value = "77"
    data.delete_rows(keep + 2, data.max_row)
    return saved(book)


TABLE = csv([line(n, montant="beaucoup" if n < 3 else str(1000 + n)) for n in range(30)])


def test_the_receipt_leads_to_the_copy(project: Project) -> None:
    project.drop("a/f.csv", TABLE)
    [deposit] = project.run().deposits
    assert deposit.receipt is not None
    name = project.copy("a").name
    assert f'href="{name}"' in deposit.receipt.read_text(encoding="utf-8")
    assert origin_of(project.copy("a").read_bytes()) == Mark(deposit.sha256)


def test_the_copy_is_made_again_only_when_it_is_missing(project: Project) -> None:
    project.drop("a/f.csv", TABLE)
    project.run()
    content = project.copy("a").read_bytes()
    project.copy("a").write_bytes(b"ouvert dans un tableur")
    project.run()
    assert project.copy("a").read_bytes() == b"ouvert dans un tableur"
    project.copy("a").unlink()
    project.run()
    assert project.copy("a").read_bytes() == content


def test_a_corrected_copy_supersedes_its_origin_under_any_name(project: Project) -> None:
    project.drop("a/f.csv", TABLE)
    assert counted(project.run()) == 27
    project.drop("a/tout autre nom.xlsx", corrected(project.copy("a")))
    for _ in range(2):
        done = project.run()
        assert (set(current(done)), counted(done)) == ({"a/tout autre nom.xlsx"}, 30)
    told = {deposit.path: " ".join(deposit.report.messages) for deposit in done.deposits}
    assert "remplace ce fichier" in told["a/f.csv"]
    assert "remplace « f.csv »" in told["a/tout autre nom.xlsx"]


def test_another_depositors_origin_is_not_superseded(project: Project) -> None:
    project.drop("a/f.csv", TABLE)
    project.run()
    project.drop("b/g.xlsx", corrected(project.copy("a")))
    assert set(current(project.run())) == {"a/f.csv", "b/g.xlsx"}


def test_a_copy_that_loses_much_is_held_until_somebody_confirms(project: Project) -> None:
    project.drop("a/f.csv", TABLE)
    project.run()
    project.drop("a/g.xlsx", corrected(project.copy("a"), keep=10))
    done = project.run()
    assert (set(current(done)), counted(done)) == ({"a/f.csv"}, 27)
    [held] = [deposit for deposit in done.deposits if deposit.path == "a/g.xlsx"]
    assert held.report.status == "held"
    project.drop(f"a/CONFIRMER-{held.sha256[:8]}.txt", b"")
    done = project.run()
    assert (set(current(done)), counted(done)) == ({"a/g.xlsx"}, 10)


def test_copies_of_copies_supersede_all_before_them(project: Project) -> None:
    project.drop("a/f.csv", TABLE)
    project.run()
    book = load_workbook(project.copy("a"))
    book.worksheets[1]["F2"] = "77"
    second = project.drop("a/g.xlsx", saved(book))
    assert set(current(project.run())) == {"a/g.xlsx"}
    [copy] = (project.raw / "a" / "_accuses").glob("g-*.xlsx")
    project.drop("a/h.xlsx", corrected(copy))
    second.unlink()
    done = project.run()
    assert (set(current(done)), counted(done)) == ({"a/h.xlsx"}, 30)


def test_a_withdrawn_copy_gives_way_to_the_origin_still_there(project: Project) -> None:
    project.drop("a/f.csv", TABLE)
    project.run()
    copy = project.drop("a/g.xlsx", corrected(project.copy("a")))
    project.run()
    with Ledger(project.warehouse / "ledger.sqlite") as ledger:
        assert ledger.marks().keys() == {deposit_id("a", project.run().deposits[1].sha256)}
    copy.unlink()
    project.drop("a/autre.csv", csv([line(n, exerciceBudgetaire="2023") for n in range(400)]))
    done = project.run()
    assert set(current(done)) == {"a/f.csv", "a/autre.csv"}
    assert counted(project.run()) == 427


def test_an_origin_gone_with_its_copy_does_not_come_back(project: Project) -> None:
    origin = project.drop("a/f.csv", TABLE)
    project.drop("a/autre.csv", csv([line(n, exerciceBudgetaire="2023") for n in range(800)]))
    project.run()
    copy = project.drop("a/g.xlsx", corrected(project.copy("a")))
    project.run()
    origin.unlink()
    assert counted(project.run()) == 830
    copy.unlink()
    assert counted(project.run()) == 800
    assert counted(project.run()) == 800


def test_an_extract_is_never_loaded(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotate, "MOST_LINES", 10)
    project.drop("a/f.csv", TABLE)
    project.run()
    extract = project.drop("a/extrait.xlsx", project.copy("a").read_bytes())
    done = project.run()
    [held] = [deposit for deposit in done.deposits if deposit.path == "a/extrait.xlsx"]
    assert (held.report.status, set(current(done))) == ("held", {"a/f.csv"})
    project.drop(f"a/CONFIRMER-{held.sha256[:8]}.txt", b"")
    assert set(current(project.run())) == {"a/f.csv"}
    extract.write_bytes(b"rien")
    assert set(current(project.run())) == {"a/f.csv"}


def test_a_rewrite_that_loses_much_is_held_whatever_came_between(project: Project) -> None:
    project.drop("a/f.csv", csv([line(n) for n in range(100)]))
    assert counted(project.run()) == 100
    for size in (60, 58):
        file = project.drop("a/f.csv", csv([line(n) for n in range(size)]))
        done = project.run()
        assert counted(done) == 100
        [held] = [deposit for deposit in done.deposits if deposit.is_present]
        assert held.report.status == "held"
        assert "son contenu précédent" in held.report.messages[0]
    project.drop(f"a/CONFIRMER-{held.sha256[:8]}.txt", b"")
    assert counted(project.run()) == 58
    file.write_bytes(csv([line(n) for n in range(59)]))
    assert counted(project.run()) == 59
