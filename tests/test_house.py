"""Guards on the house itself: who may import whom, what must be described, what may not be named."""

from __future__ import annotations

import ast
import datetime
import re
import subprocess
import tomllib
from pathlib import Path

import pandera.polars as pa
import pytest

from schemas import codelist
from schemas.contracts import CONTRACTS, fields_of
from schemas.format import COMPOSITES, FOLDER, Format, FormatError, load_format, load_formats
from schemas.issues import issue_kinds
from schemas.publication import load_publication
from tests import dependencies
from tests.conftest import LONGEST

ROOT = Path(__file__).parents[1]
MODULES = sorted([*(ROOT / "pipelines").rglob("*.py"), *(ROOT / "schemas").rglob("*.py")])
WINGS = {"feeds", "ingest", "warehouse", "publish", "demo"}


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def wing(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0] if parts[0] == "schemas" else parts[1].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_go_one_way(path: Path) -> None:
    here, found = wing(path), imports(path)
    if here == "schemas":
        assert not any(name.startswith("pipelines") for name in found)
    if here in WINGS:
        others = WINGS - {here}
        assert not any(name.startswith(f"pipelines.{other}") for name in found for other in others)
        assert not any(name.startswith(("pipelines.defs", "pipelines.cli")) for name in found)
    if here != "defs":
        assert not any(name.split(".")[0] == "dagster" for name in found)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_modules_say_what_they_are_for_and_stay_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert path.stem not in {"utils", "helpers", "common", "misc", "tools"}
    assert len(text.splitlines()) <= 520


@pytest.mark.parametrize(("contract", "name"), [(c, name) for c in CONTRACTS for name in fields_of(c)])
def test_every_field_is_described(contract: str, name: str) -> None:
    info = fields_of(contract)[name]
    assert info.title != name
    assert info.description.endswith((".", "…"))


@pytest.mark.parametrize("contract", list(CONTRACTS))
def test_every_rule_has_its_words(contract: str) -> None:
    schema = CONTRACTS[contract].to_schema()
    named = {c.name for c in [*schema.checks, *(c for column in schema.columns.values() for c in column.checks)]}
    ours = {name for name in named if name and "(" not in name and name not in {"isin", "str_matches", "in_range"}}
    assert ours <= set(issue_kinds())
    assert issubclass(CONTRACTS[contract], pa.DataFrameModel)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_format_is_whole(path: Path) -> None:
    format_ = load_format(path)
    assert set(format_.fields) <= {*fields_of(format_.contract), *COMPOSITES}
    assert format_.title
    assert format_.description.endswith(".")


def test_no_header_means_two_fields_in_one_format() -> None:
    from pipelines.ingest.fold import fold_header

    for format_ in load_formats().values():
        spelled = [fold_header(s) for name in format_.fields for s in set(map(fold_header, format_.headers_of(name)))]
        assert len(spelled) == len(set(spelled)), format_.id


def test_a_wrong_format_file_names_itself(tmp_path: Path) -> None:
    wrong = tmp_path / "faux.toml"
    wrong.write_text('title = "x"\n', encoding="utf-8")
    with pytest.raises(FormatError, match=r"faux\.toml"):
        load_format(wrong)
    assert "fields" in Format.model_fields


def test_codelists_have_labels() -> None:
    for name in codelist.names():
        assert all(codelist.labels(name).values()), name


def test_publication_parameters_are_safe() -> None:
    parameters = load_publication().disclosure
    assert parameters.min_decisions >= 10
    assert parameters.min_count >= 3


def test_commands_of_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = set(re.findall(r"(?:`|^)make ([a-z-]+)", readme, re.MULTILINE))
    assert {"run", "test"} <= verbs
    assert verbs <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    commands = set(re.findall(r"qfq ([a-z]+)", readme))
    cli = (ROOT / "pipelines" / "cli.py").read_text(encoding="utf-8")
    assert commands <= set(re.findall(r"^def ([a-z]+)\(", cli, re.MULTILINE))


def test_ci_calls_what_the_readme_says() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_longest_files_of_tests_are_files() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / f"{name}.py").is_file()] == []


def test_locks_are_hashed_and_name_no_host() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for requirement in wanted:
        assert re.search(rf"^{re.split(r'[^a-z0-9-]', requirement)[0]}(\[.*\])?==", lock, re.MULTILINE), requirement
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        entries = re.findall(r"^[a-z0-9].*(?:\n    .*)*", text, re.MULTILINE)
        assert entries
        assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)


def test_dependencies_are_listed_with_their_day_and_licence() -> None:
    """What `make audit` writes is of the pins that stand, and none needed to run is under the GPL alone."""
    run, everything = (dependencies.pins(lock) for lock in dependencies.LOCKS.values())
    listed = dependencies.listed()
    assert listed.keys() == run.keys() | everything.keys(), "run `make audit`"
    for pin, one in listed.items():
        assert one.needed_for == ("run" if pin in run else "dev"), pin
        assert datetime.date.fromisoformat(one.released) <= datetime.date.today(), pin
        elsewhere = "win32" in (run | everything)[pin]
        assert one.licence or elsewhere or one.needed_for == "dev", f"{pin}: no licence"
        assert one.needed_for == "dev" or not re.search(r"(?<!L)GPL", one.licence), f"{pin}: {one.licence}"


def test_tracked_files_name_no_machine() -> None:
    tracked = (
        subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
        .stdout.decode()
        .split("\0")
    )
    if tracked == [""]:
        pytest.skip("not a git checkout")
    for name in tracked:
        path = ROOT / name
        if (
            name
            and path.is_file()
            and path.suffix in {".py", ".toml", ".md", ".sql", ".j2", ".js", ".css", ".yaml", ""}
        ):
            text = path.read_text(encoding="utf-8", errors="ignore")
            assert not re.search(r"(^|[\s\"'=(])/(work|home|root)/", text), name
