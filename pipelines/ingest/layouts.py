"""Rows that are no lines: titles repeated, dashes, totals, sections, notes, and what each is good for.

Everything here looks at text only. Each row set aside has its reason; what it states (a total, a number of lines, a
theme) is handed on, to be checked against the lines or given to them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.amounts import parse_amounts
from pipelines.ingest.fold import fold_header, fold_words
from pipelines.ingest.recognise import spellings
from pipelines.ingest.sums import adding_up
from pipelines.ingest.unnamed import UNNAMED, unnamed_repeats
from schemas.distinct import uniform

if TYPE_CHECKING:
    from pipelines.ingest.recognise import Header

REPEATED_HEADER = "titres de colonnes répétés"
EXPLAINED = "explications sous les titres"
COLUMN_NUMBERS = "numéros de colonnes sous les titres"
TOTAL_ROW = "ligne de total"
DASHES = "ligne de tirets sous les titres"
TRAILER = "nombre de lignes annoncé"
NOTE = "note sous le tableau"
SECTION = "titre de rubrique, donné aux lignes qui suivent"
SUBTOTALLED = "titre de rubrique, repris par son sous-total"
PARENT = "total par demandeur, détaillé en dessous"
CONTINUED = "suite de la ligne du dessus"

_TOTAL_HINT = r"(?i)^\W*(sous|s ?/ ?t|grand|total|totaux|ensemble|cumul|somme|montant (total|global))"
_TOTAL = re.compile(
    r"^sous (total|totaux)\b|^(grand )?(total|totaux)( (general|generaux|resultat|partiel|annuel|theme|thematique|ht|"
    r"ttc|euros?|en|par|de|des|du|pour|page|\d{4})\b.*)?$"
)
_LABELLED = re.compile(r"^(?:sous )?(?:total|totaux)(?: (?:theme|thematique|de|des|du|pour|la|le|les|l|d))* (.+)$")
_TRAILER = re.compile(r"^\(?\s*(\d+)\s+(rows?|lignes?|enregistrements?|records?)\b[\w\s]*\)?$", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\(([^()]+)\)\s*$")
_FEWEST_FOR_NOTES = 3  # mapped columns below which a lonely cell may be a line
_HOW = re.compile(
    r"^[(\[]?\s*((en )?(€|k€|euros?|eur)(?!\w)|(aaaa|jj|mm|yyyy|dd)\b|(texte?|nombre|num[ée]rique|entier|d[ée]cimal|"
    r"date|montant|chiffres?|format|obligatoire|facultatif|ann[ée]e)\b)\D*(\d{1,2} (chiffres?|caract[èe]res?))?\D*$",
    re.IGNORECASE,
)
_FEWEST_NUMBERED = 2  # columns that a row of numbers counts
_MOST_IN_NOTE = 2  # filled cells
CONTROLS_SCHEMA = pl.Schema(
    {"row": pl.Int32, "kind": pl.String, "field": pl.String, "text": pl.String, "key": pl.String}
)


@dataclass
class Laid:
    """Rows sorted out. `given`: field → text for each kept row; `controls`: what totals and trailers state.

    `controls` has `row`, `kind` (`total`, `parent`, `count`), `field`, `text` and, for a parent, the `key` its details
    share with it.
    """

    rows: pl.DataFrame
    ignored: dict[str, int] = field(default_factory=dict)
    given: dict[str, pl.Series] = field(default_factory=dict)
    controls: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CONTROLS_SCHEMA))

    def drop(self, places: set[int], reason: str) -> None:
        """Set the rows numbered `places` aside."""
        if places:
            self.ignored[reason] = self.ignored.get(reason, 0) + len(places)
            self.rows = self.rows.filter(~pl.col("row").is_in(list(places)))

    def state(self, kind: str, stated: list[tuple[int, str, str | None]], *, keys: list[str] | None = None) -> None:
        """Remember what rows state: their number, the field, the text, and for parents their keys."""
        own = keys or [""] * len(stated)
        records = [(row, kind, name, text, key) for (row, name, text), key in zip(stated, own, strict=True) if text]
        if records:
            self.controls = pl.concat([self.controls, pl.DataFrame(records, schema=CONTROLS_SCHEMA, orient="row")])


def lay_out(header: Header, rows: pl.DataFrame) -> tuple[Header, Laid]:
    """Sort out the `rows` below `header` (row number and trimmed text cells, blank ones null).

    The header comes back with the columns that only a repetition of it names.
    """
    laid = Laid(rows)
    repeated = _repeated_headers(header, rows)
    header = _completed(header, repeated)
    sections = _sections(header, laid, repeated)
    laid.drop({int(row["row"] or 0) for row in repeated}, REPEATED_HEADER)
    laid.drop(_dashes(header, laid.rows), DASHES)
    laid.drop(_column_numbers(header, laid.rows), COLUMN_NUMBERS)
    laid.drop(_explanations(header, laid.rows), EXPLAINED)
    _trailers(header, laid)
    labels = _totals(header, laid)
    laid.drop(_titled_by_subtotal(header, laid.rows, labels), SUBTOTALLED)
    laid.drop({row for row, _ in sections} & set(laid.rows["row"].to_list()), SECTION)
    _continued(header, laid)
    laid.drop(unnamed_repeats(header, laid.rows), UNNAMED)
    laid.drop(_notes(header, laid.rows), NOTE)
    _parents(header, laid)
    _merged(header, laid)
    rule = header.format.layout.sections
    if rule is not None and sections:
        laid.given[rule.field] = _spread(laid.rows["row"], sections)
    for name, text in _banner(header).items():
        laid.given[name] = uniform(text, laid.rows.height, dtype=pl.String)
    return header, laid


def _letters(header: Header, test: str) -> list[str]:
    return [letter for letter, name in header.fields.items() if re.search(test, name)]


def _filled_cells(header: Header) -> pl.Expr:
    return pl.sum_horizontal(pl.col(letter).is_not_null() for letter in header.sheet.letters)


def _repeated_headers(header: Header, rows: pl.DataFrame) -> list[dict[str, str | None]]:
    """Rows whose cells are titles of their own columns, in any spelling the format knows."""
    tested = (_letters(header, r"^amount_[^.]*$") or _letters(header, r"^[^.]*$") or list(header.fields))[0]
    known = spellings(header.format)
    suspects = rows.filter(pl.col(tested).str.contains(r"^[^\d\s]*\p{L}").fill_null(False))
    if suspects.height > rows.height / 2:  # the column holds words: compare it with its own title
        suspects = suspects.filter(pl.col(tested) == header.titles[tested].strip())
    found = []
    for row in suspects.iter_rows(named=True):
        mapped = [(row[letter], name, letter) for letter, name in header.fields.items() if row[letter]]
        right = [
            known.get(fold_header(text[:200])) == name or text == header.titles[letter].strip()
            for text, name, letter in mapped
        ]
        # Another title over the amounts opens another table, of another stage: its lines are not of this one.
        other = any(name.startswith("amount_") and not said for (_, name, _), said in zip(mapped, right, strict=True))
        if sum(right) >= min(2, len(header.fields)) and sum(right) >= 0.6 * len(mapped) and not other:
            found.append(row)
    return found


def _completed(header: Header, repeated: list[dict[str, str | None]]) -> Header:
    known, taken = spellings(header.format), set(header.fields.values())
    titles, fields = dict(header.titles), dict(header.fields)
    for row in repeated:
        for letter in header.sheet.letters:
            text = row[letter]
            name = known.get(fold_header(text)) if text and letter not in titles else None
            if text and name and name not in taken:
                titles[letter], fields[letter] = text, name
                taken.add(name)
    return replace(header, titles=titles, fields=fields)


def _sections(header: Header, laid: Laid, repeated: list[dict[str, str | None]]) -> list[tuple[int, str]]:
    """Row and value of each section, in order; the header itself may open the first one."""
    rule = header.format.layout.sections
    if rule is None:
        return []
    if rule.header_of is not None:
        letter = next((key for key, name in header.fields.items() if name == rule.header_of), None)
        if letter is None:
            return []
        opened = [(header.row, header.titles[letter]), *((int(r["row"] or 0), r[letter] or "") for r in repeated)]
        return [(row, found[1].strip()) for row, title in opened if (found := _IN_BRACKETS.search(title.strip()))]
    lonely = laid.rows.filter(_filled_cells(header) == 1)
    texts = lonely.select("row", pl.coalesce(header.sheet.letters).alias("text")).iter_rows()
    above = _preamble(header)
    return [(row, value) for row, text in [*above, *texts] if (value := _section_value(text, rule.pattern or ""))]


def _section_value(text: str, pattern: str) -> str | None:
    found = re.search(pattern, text, re.IGNORECASE)
    return None if found is None else " ".join((found.group(found.lastindex or 0) or "").split())


def _spread(rows: pl.Series, sections: list[tuple[int, str]]) -> pl.Series:
    opened = pl.DataFrame(sorted(sections), schema={"row": pl.Int32, "value": pl.String}, orient="row")
    return rows.to_frame("row").join_asof(opened, on="row", strategy="backward")["value"]


def _preamble(header: Header) -> list[tuple[int, str]]:
    """The lonely cells above the header, with their row."""
    above = header.sheet.cells.filter(pl.col("row") < header.top).tail(60)
    cells = [(row[0], [text.strip() for text in row[1:] if text and text.strip()]) for row in above.iter_rows()]
    return [(row, texts[0]) for row, texts in cells if len(texts) == 1]


def _banner(header: Header) -> dict[str, str]:
    """What the rows above the header say of the whole sheet."""
    rules = header.format.layout.banner
    if not rules:
        return {}
    above = header.sheet.cells.filter(pl.col("row") < header.top).tail(60)
    cells = [text.strip() for row in above.iter_rows() for text in row[1:] if text and text.strip()]
    found = {
        name: next((value for text in cells if (value := _section_value(text, pattern))), None)
        for name, pattern in rules.items()
    }
    return {name: value for name, value in found.items() if value and name not in header.fields.values()}


def _dashes(header: Header, rows: pl.DataFrame) -> set[int]:
    first = header.sheet.letters[0]
    suspects = rows.filter(pl.col(first).str.contains(r"^[-=_ ]{3,}$").fill_null(False))
    return {
        int(row[0])
        for row in suspects.iter_rows()
        if all(text is None or re.fullmatch(r"[-=_ ]+", text) for text in row[1:])
    }


def _column_numbers(header: Header, rows: pl.DataFrame) -> set[int]:
    """The row right under the titles that only numbers their columns: 1, 2, 3… or (1), (2), (3)…"""
    if rows.is_empty() or len(header.fields) < _FEWEST_NUMBERED:
        return set()
    row, *cells = rows.row(0)
    numbers = [text.strip("()[] ") for text in cells if text]
    counted = numbers == [str(place) for place in range(1, len(numbers) + 1)]
    return {int(row)} if counted and len(numbers) >= max(_FEWEST_NUMBERED, len(header.fields)) else set()


def _explanations(header: Header, rows: pl.DataFrame) -> set[int]:
    """The row right under the titles that says how to fill them: a unit or a form in every amount, date and year."""
    if rows.height < _FEWEST_NUMBERED:
        return set()
    told = _letters(header, r"^amount_|_date$|^fiscal_year$|_siret$|_siren$")
    first = rows.row(0, named=True)
    says = [first[key] for key in told if first[key]]
    return {int(first["row"])} if len(says) >= _FEWEST_NUMBERED and all(map(_HOW.match, says)) else set()


def _trailers(header: Header, laid: Laid) -> None:
    """« (15816 rows affected) »: set aside, to be compared with the lines read."""
    lonely = laid.rows.tail(20).filter(_filled_cells(header).cast(pl.Int32) == 1)
    texts = lonely.select("row", pl.coalesce(header.sheet.letters).alias("text")).iter_rows()
    found = [(row, match[1]) for row, text in texts if (match := _TRAILER.match(text))]
    laid.state("count", [(row, "", number) for row, number in found])
    laid.drop({row for row, _ in found}, TRAILER)


def _totals(header: Header, laid: Laid) -> list[tuple[int, str]]:
    """Rows that begin as a total does and name nobody else; returns the row and folded label of each.

    « Total » says it; « Total Sport » or « Ensemble » may be somebody's name, unless the amounts are sums.
    """
    parties = _letters(header, r"_(id|siret|siren|rna)$|^applicant_name$|^case_number$")
    label = pl.coalesce(header.sheet.letters)
    suspects = laid.rows.filter(label.str.contains(_TOTAL_HINT).fill_null(False))
    amounts = _letters(header, "^amount_|^value")
    found: dict[int, str] = {}
    named: dict[int, str] = {}
    stated: list[tuple[int, str, str | None]] = []
    for row in suspects.iter_rows(named=True):
        text = next(row[letter] for letter in header.sheet.letters if row[letter])
        others = [row[letter] for letter in parties if row[letter] and row[letter] != text]
        if not others:
            whose = found if _TOTAL.match(fold_words(text[:200])) else named
            whose[int(row["row"])] = fold_words(text[:200])
    found |= _added_up(laid.rows, amounts, named, besides=found)
    for row in suspects.iter_rows(named=True):
        text = next(row[letter] for letter in header.sheet.letters if row[letter])
        if int(row["row"]) in found:
            stated += [(int(row["row"]), header.fields[key], row[key]) for key in amounts if row[key] != text]
    laid.state("total", stated)
    laid.drop(set(found), TOTAL_ROW)
    return list(found.items())


def _added_up(
    rows: pl.DataFrame, letters: list[str], named: dict[int, str], *, besides: dict[int, str]
) -> dict[int, str]:
    """Those of the rows `named` (« Total Sport », « Ensemble ») that somebody may be, but whose amounts are sums."""
    if not named or not letters:
        return {}
    places = {int(row): place for place, row in enumerate(rows["row"].to_list())}
    amounts = {letter: parse_amounts(rows[letter]).values for letter in letters}
    sums = adding_up(amounts, [places[row] for row in named], besides=[places[row] for row in besides])
    return {row: label for row, label in named.items() if places[row] in sums}


def _titled_by_subtotal(header: Header, rows: pl.DataFrame, labels: list[tuple[int, str]]) -> set[int]:
    """Lonely cells above lines, whose words a subtotal below says again (« Sport », … « Sous-total Sport »)."""
    ends = [(row, match[1]) for row, label in labels if (match := _LABELLED.match(label))]
    if not ends:
        return set()
    lonely = rows.filter(_filled_cells(header).cast(pl.Int32) == 1)
    texts = lonely.select("row", pl.coalesce(header.sheet.letters).alias("text")).iter_rows()
    return {int(row) for row, text in texts if any(row < end and fold_words(text) == label for end, label in ends)}


def _notes(header: Header, rows: pl.DataFrame) -> set[int]:
    """Rows at the very end that hold a word or two, but neither party, amount, date nor title."""
    telling = _letters(header, r"^applicant_|^amount_|_date$|^title$|^case_number$|_id$")
    if len(header.fields) < _FEWEST_FOR_NOTES or not telling:
        return set()
    first, found = header.sheet.letters[0], set()
    for row in rows.tail(200).reverse().iter_rows(named=True):
        filled = [letter for letter in header.sheet.letters if row[letter]]
        alone = filled == [first] and header.fields.get(first, "").startswith(("applicant_", "funder_"))
        silent = len(filled) <= _MOST_IN_NOTE and not any(row[letter] for letter in telling)
        if not (silent or (alone and _is_sentence(row[first]))):
            break
        found.add(int(row["row"]))
    return found


def _is_sentence(text: str) -> bool:
    return bool(re.match(r"^(\*|\(\d|sources?\b|nota\b|n\.?b\.?\b|note\b|attention\b)", text.strip(), re.IGNORECASE))


def key_of(columns: list[str]) -> pl.Expr:
    """What the details of a parent have in common with it, as one text."""
    if not columns:
        return pl.lit("")
    return pl.concat_str([pl.col(name).fill_null("") for name in columns], separator="\x1f")


def _parents(header: Header, laid: Laid) -> None:
    """The lines of totals of a parent and detail layout: set aside; what the details lack is taken from them."""
    rule = header.format.layout.details
    if rule is None:
        return
    wanted = {fold_header(title) for title in rule.totals}
    letter = next((key for key, title in header.titles.items() if fold_header(title) in wanted), None)
    amount = next((key for key, name in header.fields.items() if name == rule.amount), None)
    if letter is None or amount is None:
        return
    is_parent = pl.col(letter).is_not_null() & pl.col(amount).is_null()
    parents = laid.rows.filter(is_parent)
    for name in rule.inherit:
        source = next((key for key, field_ in header.fields.items() if field_ == name), None)
        if source is not None:
            from_above = pl.when(is_parent).then(pl.col(source)).forward_fill()
            laid.rows = laid.rows.with_columns(pl.coalesce(source, from_above).alias(source))
    by_name = {name: key for key, name in header.fields.items()}
    inherited = [by_name[name] for name in rule.inherit if name in by_name]
    keys = parents.with_columns(key_of(inherited).alias("key"))["key"].to_list()
    stated = [(row, rule.amount, text) for row, text in parents.select("row", letter).iter_rows()]
    laid.state("parent", stated, keys=keys)
    laid.drop(set(parents["row"].to_list()), PARENT)


def _merged(header: Header, laid: Laid) -> None:
    """Cells merged over several rows are filled on the first one only: the others say the same."""
    letters = [letter for letter, name in header.fields.items() if name in header.format.layout.merged]
    if letters:
        laid.rows = laid.rows.with_columns(pl.col(letter).forward_fill() for letter in letters)


def _continued(header: Header, laid: Laid) -> None:
    """Rows that only complete the line above: their cells go up, where they are blank."""
    names = header.format.layout.continued
    letters = [letter for letter, name in header.fields.items() if name in names]
    others = [letter for letter in header.sheet.letters if letter not in letters]
    if not letters or not others:
        return
    alone = pl.all_horizontal(pl.col(letter).is_null() for letter in others)
    completing = laid.rows.select(alone.alias("alone"))["alone"].shift(-1, fill_value=False)
    laid.rows = laid.rows.with_columns(
        pl.when(completing & ~alone)
        .then(pl.coalesce(letter, pl.col(letter).shift(-1)))
        .otherwise(pl.col(letter))
        .alias(letter)
        for letter in letters
    )
    laid.drop(set(laid.rows.filter(alone)["row"].to_list()), CONTINUED)
