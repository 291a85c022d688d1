"""Two lists side by side in one sheet: the second one's amounts would be given to the bodies of the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.ingest.parties import names_organisations

if TYPE_CHECKING:
    from pipelines.ingest.evidence import Column
    from pipelines.ingest.guess import Guess

_SAME_LINES = {"no": "non : elle dit autre chose des mêmes lignes"}


def ask_about_lists_beside(guess: Guess) -> None:
    """Ask of an unread column of names, between two columns of amounts, whether another list begins there.

    Something else must hint at it: an empty column before, the same blank cells as in the amounts that follow, a title
    or cells that name organisations.
    """
    party = guess.fields.get("applicant_name")
    filled = [column for column in guess.columns if column.cells.len()]
    unread = {column.letter for column in guess.free}
    money = {column.letter for name, column in guess.fields.items() if name.startswith("amount_")}
    if party is None or not money:
        return
    for before, column, after in zip(filled, filled[1:], filled[2:], strict=False):
        is_between = before.letter in money and (
            after.letter in money or (after.letter in unread and after.has_numbers)
        )
        if column.letter in unread and is_between and column.has_names and _begins(guess, before, column, after):
            guess.ask(
                f"La colonne {column.called} nomme-t-elle d'autres bénéficiaires que la colonne {party.called} ? Deux "
                "listes côte à côte se lisent mal : mettez-les l'une sous l'autre, ou chacune dans sa feuille.",
                about=f"beside {column.key}" if column.key else None,
                choices=_SAME_LINES,
            )


def _begins(guess: Guess, before: Column, column: Column, after: Column) -> bool:
    """Whether something besides its place tells that a list begins with `column`."""
    letters = guess.sheet.letters
    is_apart = letters.index(column.letter) - letters.index(before.letter) > 1
    has_same_blanks = column.filled < 1 and bool((column.text.is_null() == after.text.is_null()).all())
    return is_apart or has_same_blanks or column.has_organisations or names_organisations(column.title.text)
