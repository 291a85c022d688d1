"""What a report has at hand to build its pages: the database, names and addresses, and the page renderer."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import jinja2
import plotly.offline

from pipelines.publish import formats, policy
from pipelines.publish.award_lines import KEYS, made
from pipelines.publish.award_lists import AwardLists, values_of
from pipelines.publish.directory import Directory, amounts_word, label
from pipelines.publish.licensing import Licensing
from pipelines.publish.reports import File, Output, Report, reports
from pipelines.publish.tables import SUPPRESSED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator, Sequence

    from pipelines.publish.database import PublicDatabase
    from pipelines.publish.figure import Figure
    from pipelines.publish.parts import Parts

    Outputs = Iterator[File]
    Marks = dict[tuple[str, str], dict[Any, str]]
    """A table and a key of it → what tells the rows of each value of that key."""

T = TypeVar("T")
HERE = Path(__file__).parent
PLOTLY = f"assets/plotly-{plotly.offline.get_plotlyjs_version()}.min.js"
_SCRIPTS = re.compile(r"(<script.*?</script>|<style.*?</style>)", re.DOTALL)
_BEFORE = re.compile(r" (?=[:;!?%€»])(?![^<>]*>)")
_AFTER = re.compile(r"« (?![^<>]*>)")
_APOSTROPHE = re.compile(r"(?:'(?<=\w')|&#39;(?<=\w&#39;))(?=[\w«<])(?![^<>]*>)")
_AS_GIVEN = ("<bdi>", "<code>")
"""Tags of names and codes; they hold text alone."""


def typographic(html: str) -> str:
    """`html` with French no-break spaces in its text, before : ; ! ? % € » and after «, and curved apostrophes.

    Tags and scripts are untouched; names and codes (`bdi`, `code`) keep the apostrophes they were given with.
    """
    pieces = _SCRIPTS.split(html)
    for index in range(0, len(pieces), 2):
        text = _BEFORE.sub(formats.NBSP, pieces[index])
        text = _AFTER.sub(f"«{formats.NBSP}", text)
        pieces[index] = _APOSTROPHE.sub(_curved, text)
    return "".join(pieces)


def _curved(found: re.Match[str]) -> str:
    tag = found.string.rfind("<", 0, found.start())
    return found[0] if found.string.startswith(_AS_GIVEN, max(tag, 0)) else "’"


@cache
def environment() -> jinja2.Environment:
    """The templates, with escaping of everything that comes from data."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "count": formats.count,
        "money": formats.money,
        "compact": formats.money_compact,
        "percent": formats.percent,
        "date": formats.date,
        "size": formats.size,
        "sentence": formats.sentence,
    }
    made.globals |= {
        "label": label,
        "plural": formats.plural,
        "years": formats.years,
        "SUPPRESSED": SUPPRESSED,
        "amounts_word": amounts_word,
    }
    return made


class Context:
    """The hand a report is dealt. `page` renders one page and the CSV files of its figures."""

    def __init__(self, database: PublicDatabase, marks: Marks | None = None, aside: Path | None = None) -> None:
        """`marks`: what tells the rows of tables (`readings.everything`), when it is known already.

        `aside`: the folder where the lines of awards are (`award_lines`) or will be, one of its own by default.
        """
        self.database = database
        self.aside = aside or database.aside / "lines"
        self.marks: Marks = marks or {}
        self.publication = database.publication
        self.directory = Directory(database)
        self.licensing = Licensing(database)
        self.parts: Parts | None = None
        self._awards: dict[str, AwardLists] = {}
        self._menu = [report for report in reports() if report.menu]
        self._remembered: dict[str, Any] = {}

    def part(self, function: Callable[..., Iterator[File]], *arguments: str) -> Generator[File, None, Any]:
        """The files of `function(context, *arguments)`, left alone when they would be made of the same (`parts`).

        What that generator returns, if anything, is returned as JSON has it.
        """
        return (yield from function(self, *arguments) if self.parts is None else self.parts.part(function, arguments))

    def awards(self, key: str) -> AwardLists:
        """The awards of each value of a key, for pages that ask for them in the order of the directory."""
        if key not in self._awards:  # those of another key are let go
            values = {each: values_of(self.directory, each) for each in KEYS}
            self._awards.clear()
            self._awards[key] = AwardLists(made(self.database, self.aside, values), key, values[key])
        return self._awards[key]

    def remembered(self, name: str, made: Callable[[], T]) -> T:
        """What `made` gives, worked out once for the whole site and kept under `name`."""
        if name not in self._remembered:
            self._remembered[name] = made()
        found: T = self._remembered[name]
        return found

    @property
    def source(self) -> str:
        """The source line of figures that bring several funders together."""
        number = formats.plural(len(self.directory.funders), "financeur")
        return f"fichiers de {number} (voir la page Qualité)"

    def page(
        self,
        path: str,
        template: str,
        *,
        title: str,
        description: str,
        report: Report,
        figures: Sequence[Figure] = (),
        trail: Sequence[tuple[str, str]] = (),
        is_demonstration: bool = False,
        data_of: Collection[str] | None = None,
        json_ld: str | None = None,
        leaf: str | None = None,
        **values: Any,
    ) -> Iterator[Output]:
        """The page at `path` and one CSV file for each of its `figures`.

        `trail` is the breadcrumb, from the home page's child to the parent: (name, href from the root). `data_of`: the
        funders whose data the page holds, all by default; its footer states their licence. `json_ld`: what machines
        read of it, escaped for a script element. `leaf`: the path of its leaf to share.
        """
        downloads = {figure.id: f"data/figures/{path.removesuffix('.html')}/{figure.id}.csv" for figure in figures}
        html = (
            environment()
            .get_template(template)
            .render(
                root="../" * path.count("/"),
                policy=policy.PAGE,
                path=path,
                title=title,
                description=description,
                report=report,
                menu=self._menu,
                trail=trail,
                publication=self.publication,
                licence=self.licensing.words(data_of),
                json_ld=json_ld,
                leaf=leaf,
                is_demonstration=self.publication.is_demonstration or is_demonstration,
                downloads=downloads,
                plotly=PLOTLY if any(figure.interactive for figure in figures) else None,
                figures={figure.id: figure for figure in figures},
                **values,
            )
        )
        for figure in figures:
            yield Output(downloads[figure.id], figure.csv())
        yield Output(path, typographic(html).encode())
