"""Open data is fetched politely, whole or not at all, from public machines only, and never over somebody's file."""

from __future__ import annotations

import gzip
import hashlib
import json
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.feeds import addresses
from pipelines.feeds.addresses import resolve, shown, split
from pipelines.feeds.refused import RefusedError
from pipelines.ingest.deposit import look
from schemas.feeds import PATH, Catalogue, FeedsError, Resource, load_feeds
from tests.feed_project import Project
from tests.feed_server import CSV, Handler, Misbehaving, Versioned, drip, drip_headers, encrypt, endless, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with serving() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: Misbehaving) -> Project:
    return Project(tmp_path, server)


def test_a_file_is_fetched_once_and_asked_for_only_if_it_changed(project: Project) -> None:
    file = project.server.manners["/a.csv"] = Versioned()
    first = project.one()
    assert (first.state, first.size, first.sha256) == ("new", len(CSV), hashlib.sha256(CSV).hexdigest())
    assert project.file().read_bytes() == CSV
    assert [entry.path for entry in look(project.raw)] == ["ville/a.csv"]
    before = project.file().stat()
    assert project.one().state == "unchanged"
    assert project.server.seen[-1][1]["If-None-Match"] == '"un"'
    assert project.file().stat().st_mtime_ns == before.st_mtime_ns
    file.body, file.etag = CSV + b"Ville d'Exemple;1\n", '"deux"'
    assert project.one().state == "changed"
    assert project.file().read_bytes() == file.body
    assert not [path for path in project.file().parent.iterdir() if path.name.endswith((".tmp", ".part"))]


def test_a_date_of_change_is_enough(project: Project) -> None:
    def dated(handler: Handler, _: int) -> None:
        if handler.headers.get("If-Modified-Since") == "Mon, 02 Nov 2026 10:00:00 GMT":
            handler.answer(304, b"")
        else:
            handler.answer(200, CSV, Last_Modified="Mon, 02 Nov 2026 10:00:00 GMT")

    project.server.manners["/a.csv"] = dated
    assert [project.one().state, project.one().state] == ["new", "unchanged"]


def test_the_same_bytes_sent_again_change_nothing(project: Project) -> None:
    project.server.manners["/a.csv"] = lambda handler, _: handler.answer(200, CSV)
    assert [project.one().state, project.one().state] == ["new", "unchanged"]


def test_a_cut_body_is_resumed_where_it_stopped(project: Project) -> None:
    project.server.manners["/a.csv"] = Versioned(cuts=[1_000, 5_000])
    outcome = project.one()
    assert (outcome.state, outcome.attempts) == ("new", 3)
    ranges = [headers.get("Range") for _, headers in project.server.seen]
    assert ranges == [None, "bytes=1000-", "bytes=6000-"]
    assert project.file().read_bytes() == CSV
    assert project.waits == [2, 4]


def test_a_download_goes_on_at_the_next_fetch(project: Project) -> None:
    project.server.manners["/a.csv"] = Versioned(cuts=[1_000, 1_000, 1_000])
    outcome = project.one()
    assert (outcome.state, project.nothing_came()) == ("refused", True)
    assert "coupé" in str(outcome.why)
    assert "Relancez" in str(outcome.why)
    assert project.one().state == "new"
    assert project.server.seen[-1][1]["Range"] == "bytes=3000-"
    assert project.file().read_bytes() == CSV


def test_a_body_shorter_than_announced_never_comes(project: Project) -> None:
    def short(handler: Handler, _: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CSV) + 7))
        handler.end_headers()
        handler.wfile.write(CSV)

    project.server.manners["/a.csv"] = short
    assert project.one().state == "refused"
    assert project.nothing_came()
    assert project.server.asked["/a.csv"] == 3


def test_a_chunked_body_that_stops_never_comes(project: Project) -> None:
    def chunked(handler: Handler, _: int) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(CSV), CSV))

    project.server.manners["/a.csv"] = chunked
    assert project.one().state == "refused"
    assert project.nothing_came()


def test_a_file_that_changes_while_it_is_resumed_is_taken_from_its_start(project: Project) -> None:
    file = Versioned(cuts=[1_000])
    other = b"autre;fichier\n" * 3_000

    def manner(handler: Handler, rank: int) -> None:
        if rank == 1:
            file.body, file.etag = other, '"deux"'
        file(handler, rank)

    project.server.manners["/a.csv"] = manner
    assert project.one().state == "new"
    assert project.file().read_bytes() == other


def test_a_server_that_resumes_another_file_is_not_believed(project: Project) -> None:
    other = b"autre;fichier\n" * 3_000

    def liar(handler: Handler, rank: int) -> None:
        if rank == 0:
            Versioned(cuts=[1_000])(handler, rank)
        elif "Range" in handler.headers:
            part = other[1_000:]
            told = f"bytes 1000-{len(other) - 1}/{len(other)}"
            handler.answer(206, part, ETag='"deux"', Content_Range=told)
        else:
            handler.answer(200, other, ETag='"deux"')

    project.server.manners["/a.csv"] = liar
    assert project.one().state == "new"
    assert project.file().read_bytes() == other


@pytest.mark.parametrize("told", ["bytes 0-9/20000", "bytes x", ""])
def test_a_partial_answer_from_elsewhere_is_thrown_away(project: Project, told: str) -> None:
    def wrong(handler: Handler, rank: int) -> None:
        if rank == 0 or "Range" not in handler.headers:
            Versioned(cuts=[1_000] if rank == 0 else [])(handler, rank)
        else:
            handler.answer(206, b"0123456789", ETag='"un"', Content_Range=told)

    project.server.manners["/a.csv"] = wrong
    assert project.one().state == "new"
    assert project.file().read_bytes() == CSV


def test_a_failure_is_tried_again_and_a_wait_that_is_asked_for_is_waited(project: Project) -> None:
    def busy(handler: Handler, rank: int) -> None:
        if rank < 2:
            later = format_datetime(datetime.now(UTC) + timedelta(seconds=11), usegmt=True)
            handler.answer(503, b"", Retry_After="7" if rank == 0 else later)
        else:
            handler.answer(200, CSV)

    project.server.manners["/a.csv"] = busy
    outcome = project.one()
    assert (outcome.state, outcome.attempts) == ("new", 3)
    assert project.waits[0] == 7
    assert 8 < project.waits[1] <= 11


def test_a_wait_beyond_the_time_permitted_is_told_and_not_waited(project: Project) -> None:
    project.server.manners["/a.csv"] = lambda handler, _: handler.answer(429, b"", Retry_After="3600")
    outcome = project.one()
    assert (outcome.state, project.waits, project.server.asked["/a.csv"]) == ("refused", [], 1)
    assert "3600 secondes" in str(outcome.why)


def test_500_then_200(project: Project) -> None:
    project.server.manners["/a.csv"] = lambda h, rank: h.answer(500, b"") if rank == 0 else h.answer(200, CSV)
    assert (project.one().state, project.waits) == ("new", [2])


@pytest.mark.parametrize("status", [401, 403, 404, 410, 418, 204])
def test_what_trying_again_would_not_change_is_asked_once(project: Project, status: int) -> None:
    project.server.manners["/a.csv"] = lambda handler, _: handler.answer(status, b"")
    outcome = project.one()
    assert (outcome.state, project.server.asked["/a.csv"]) == ("refused", 1)
    assert str(status) in str(outcome.why)
    assert project.nothing_came()


def test_304_without_having_been_asked_is_no_file(project: Project) -> None:
    project.server.manners["/a.csv"] = lambda handler, _: handler.answer(304, b"")
    assert project.one().state == "refused"
    assert project.nothing_came()


def test_redirections_are_followed_but_not_in_circles(project: Project) -> None:
    def move(to: str) -> Callable[[Handler, int], None]:
        return lambda handler, _: handler.answer(302, b"", Location=to)

    project.server.manners |= {"/a.csv": move("/b"), "/b": move(project.server.url + "/c"), "/c": Versioned()}
    assert project.one().state == "new"
    project.server.manners["/c"] = move("/a.csv")
    outcome = project.one()
    assert outcome.state == "refused"
    assert "4 fois" in str(outcome.why)
    assert project.file().read_bytes() == CSV


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.2/x", "http://169.254.169.254/latest/meta-data", "http://10.0.0.1/x", "http://[::1]/x",
     "http://[::ffff:10.0.0.1]/x", "http://2130706434/x", "http://0x7f.2/x", "http://0/x", "http://192.168.1.1/",
     "http://[64:ff9b::7f00:2]/", "http://100.64.0.1/", "http://[fd00::1]/", "http://224.0.0.1/"],
)  # fmt: skip
def test_no_redirection_leads_to_a_private_machine(project: Project, target: str) -> None:
    project.server.manners["/a.csv"] = lambda handler, _: handler.answer(302, b"", Location=target)
    outcome = project.one()
    assert outcome.state == "refused"
    assert "adresse privée" in str(outcome.why)
    assert "permitted_networks" in str(outcome.why)
    assert project.nothing_came()


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://exemple.fr/a.csv", "http://moi:secret@exemple.fr/", "http://[", "//"]
)
def test_only_the_web_is_followed(project: Project, target: str) -> None:
    project.server.manners["/a.csv"] = lambda handler, _: handler.answer(302, b"", Location=target)
    outcome = project.one()
    assert outcome.state == "refused"
    assert "secret" not in str(outcome.why)
    [listed] = project.fetch(Resource(publisher="ville", file="a.csv", url=target))
    assert listed.state == "refused"
    assert "secret" not in listed.url


def test_a_private_machine_needs_to_be_permitted(project: Project) -> None:
    project.server.manners["/a.csv"] = Versioned()
    project.limits["permitted_networks"] = ("10.0.0.0/8",)
    assert project.one().state == "refused"
    assert project.server.seen == []


def test_a_name_that_also_leads_to_a_private_machine_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the name is resolved once, all that it leads to is judged, and the number is what is dialled."""
    asked: list[str] = []

    def both(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", both)
    with pytest.raises(RefusedError, match="adresse privée"):
        resolve("exemple.fr", 80, ())
    assert asked == ["exemple.fr"]


def test_the_connection_goes_to_the_address_that_was_judged(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name whose second resolution would lead elsewhere: only numbers are resolved after the first."""
    real, asked = socket.getaddrinfo, []

    def rebinding(host: str, *rest: object, **more: object) -> object:
        asked.append(host)
        name = "127.0.0.1" if host == "donnees.exemple.fr" else host
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    project.server.manners["/a.csv"] = Versioned()
    url = project.server.url.replace("127.0.0.1", "donnees.exemple.fr")
    [outcome] = project.fetch(Resource(publisher="ville", file="a.csv", url=f"{url}/a.csv"))
    assert outcome.state == "new"
    assert asked.count("donnees.exemple.fr") == 1
    assert project.server.seen[0][1]["Host"].startswith("donnees.exemple.fr")


def test_an_encrypted_address_does_not_lead_to_a_plain_one() -> None:
    from pipelines.feeds.exchange import _moved

    with pytest.raises(RefusedError, match="chiffrée"):
        _moved("https://exemple.fr/a", "http://exemple.fr/b")
    assert _moved("https://exemple.fr/a/b", "../c") == "https://exemple.fr/c"


@pytest.fixture
def encrypted(server: Misbehaving, tmp_path: Path) -> tuple[Misbehaving, Path]:
    """The server, behind a certificate of its own making for donnees.exemple.fr, and that certificate."""
    certificate = encrypt(server, tmp_path)
    server.manners["/a.csv"] = Versioned()
    return server, certificate


@pytest.mark.parametrize(
    ("name", "is_trusted", "state"),
    [
        ("donnees.exemple.fr", True, "new"),
        ("donnees.exemple.fr", False, "refused"),
        ("autre.exemple.fr", True, "refused"),
    ],
)
def test_a_certificate_is_that_of_the_name_and_of_somebody_trusted(
    encrypted: tuple[Misbehaving, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    name: str, is_trusted: bool, state: str,
) -> None:  # fmt: skip
    server, certificate = encrypted
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: real("127.0.0.1" if "exemple" in host else host, *rest, **more),
    )
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    project = Project(tmp_path, server)
    url = f"https://{name}:{server.server_address[1]}/a.csv"
    [outcome] = project.fetch(Resource(publisher="ville", file="a.csv", url=url))
    assert outcome.state == state
    if state == "refused":
        assert "certificat" in str(outcome.why)
        assert server.seen == []


@pytest.mark.parametrize("manner", [drip, drip_headers])
def test_a_drip_ends_at_the_deadline(project: Project, manner: Callable[[Handler, int], None]) -> None:
    project.server.manners["/a.csv"] = manner
    project.limits |= {"seconds": 1, "attempts": 1}
    began = time.monotonic()
    outcome = project.one()
    assert time.monotonic() - began < 4
    assert outcome.state == "refused"
    assert project.nothing_came()


def test_silence_ends_an_attempt(project: Project) -> None:
    project.server.manners["/a.csv"] = lambda _, rank: time.sleep(3)
    project.limits |= {"silence": 0.3, "attempts": 2}
    began = time.monotonic()
    assert project.one().state == "refused"
    assert time.monotonic() - began < 2.5
    assert project.server.asked["/a.csv"] == 2


def test_an_endless_body_stops_at_the_limit(project: Project) -> None:
    project.server.manners["/a.csv"] = endless
    outcome = project.one()
    assert "2000000 octets" in str(outcome.why)
    assert project.server.asked["/a.csv"] == 1
    assert not list((project.warehouse / "feeds").glob("*.part"))


def test_a_body_announced_too_big_is_not_read(project: Project) -> None:
    def big(handler: Handler, _: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "2000001")
        handler.end_headers()

    project.server.manners["/a.csv"] = big
    assert "octets" in str(project.one().why)


def test_a_small_file_that_inflates_stops_at_the_limit(project: Project) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    project.server.manners["/a.csv"] = lambda handler, _: handler.answer(200, bomb, Content_Encoding="gzip")
    assert "octets" in str(project.one().why)
    coded = gzip.compress(CSV)
    project.server.manners["/a.csv"] = lambda handler, _: handler.answer(200, coded, Content_Encoding="gzip")
    assert project.one().state == "new"
    assert project.file().read_bytes() == CSV


@pytest.mark.parametrize(
    ("kind", "body", "file"),
    [("text/html; charset=utf-8", CSV, "a.csv"), ("application/pdf", CSV, "a.csv"), ("image/png", CSV, "a.csv"),
     ("text/csv", b"  <!DOCTYPE html><html>Maintenance</html>", "a.csv"), ("text/csv", b"%PDF-1.7", "a.csv"),
     ("application/vnd.ms-excel", CSV, "a.xlsx"), ("application/zip", CSV, "a.zip"), ("text/csv", b"", "a.csv")],
)  # fmt: skip
def test_what_is_no_table_is_refused(project: Project, kind: str, body: bytes, file: str) -> None:
    project.server.manners["/a"] = lambda handler, _: handler.answer(200, body, Content_Type=kind)
    outcome = project.one("/a", file)
    assert outcome.state == "refused"
    assert project.nothing_came()
    assert project.server.asked["/a"] == 1


def test_a_wrong_checksum_is_refused(project: Project) -> None:
    project.server.manners["/a.csv"] = Versioned()
    assert "empreinte" in str(project.one(sha256="0" * 64).why)
    assert project.nothing_came()
    assert project.one(sha256=hashlib.sha256(CSV).hexdigest()).state == "new"


def test_somebody_s_file_is_never_replaced(project: Project) -> None:
    file = project.server.manners["/a.csv"] = Versioned()
    project.file().parent.mkdir(parents=True)
    project.file().write_bytes(b"de l'agent")
    assert "n'est pas remplacé" in str(project.one().why)
    project.file().unlink()
    assert project.one().state == "new"
    project.file().write_bytes(CSV + b"une ligne de plus\n")
    file.etag = '"deux"'
    asked = len(project.server.seen)
    outcome = project.one()
    assert "n'est pas remplacé" in str(outcome.why)
    assert project.file().read_bytes() == CSV + b"une ligne de plus\n"
    assert len(project.server.seen) == asked


def test_the_same_bytes_without_memory_are_taken_for_ours(project: Project) -> None:
    file = project.server.manners["/a.csv"] = Versioned()
    project.one()
    for path in (project.warehouse / "feeds").iterdir():
        path.unlink()
    assert project.one().state == "unchanged"
    file.body, file.etag = CSV + b"Ville;1\n", '"deux"'
    assert project.one().state == "changed"


def test_a_file_gone_from_the_inbox_is_fetched_again(project: Project) -> None:
    project.server.manners["/a.csv"] = Versioned()
    project.one()
    project.file().unlink()
    assert project.one().state == "new"


def test_a_folder_that_leads_elsewhere_is_not_written(project: Project, tmp_path: Path) -> None:
    project.server.manners["/a.csv"] = Versioned()
    (tmp_path / "ailleurs").mkdir()
    project.raw.mkdir()
    (project.raw / "ville").symlink_to(tmp_path / "ailleurs")
    assert "hors du dossier" in str(project.one().why)
    assert not list((tmp_path / "ailleurs").iterdir())


def test_what_the_publisher_says_goes_with_the_file(project: Project) -> None:
    project.server.manners["/a.csv"] = project.server.manners["/b.csv"] = Versioned()
    project.one(licence="Licence Ouverte 2.0", source='Ville "d\'Exemple"', page="https://exemple.fr/")
    from schemas.funder import load_funder_file

    declared = load_funder_file(project.file("funder.toml"))
    assert (declared.licence, declared.source_name) == ("Licence Ouverte 2.0", 'Ville "d\'Exemple"')
    refused = project.one("/b.csv", "b.csv", licence="ODbL")
    assert "licence" in str(refused.why)
    assert not project.file("b.csv").exists()
    assert project.one("/b.csv", "b.csv", licence="lov2").state == "new"
    project.file("funder.toml").write_text('name = "Ville"\n', encoding="utf-8")
    project.server.manners["/c.csv"] = Versioned()
    assert project.one("/c.csv", "c.csv", licence="Licence Ouverte").state == "new"
    project.server.manners["/d.csv"] = Versioned(body=CSV + b"x;1\n")
    assert "licence" in str(project.one("/d.csv", "d.csv", licence="ODbL 1.0").why)
    assert project.file("funder.toml").read_text(encoding="utf-8") == 'name = "Ville"\n'


def test_one_bad_feed_never_stops_the_others(project: Project) -> None:
    project.server.manners["/b.csv"] = Versioned()
    names = {"a.csv": "/none", "b.csv": "/b.csv", "c.csv": "/none"}
    found = project.fetch(*(Resource(publisher="ville", file=f, url=project.server.url + u) for f, u in names.items()))
    assert [outcome.state for outcome in found] == ["refused", "new", "refused"]
    assert all(outcome.why and "." in outcome.why for outcome in found if outcome.state == "refused")


def test_the_disk_that_is_full_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.server.manners["/a.csv"] = Versioned()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.feeds.download.os.fsync", full)
    assert "place sur le disque" in str(project.one().why)
    assert project.nothing_came()


_CHILD = """
import os, sys
from pathlib import Path
import pipelines.feeds.place as place
from pipelines.feeds import fetch
from schemas.feeds import Feeds, Limits, Resource
root, url, kill = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
limits = Limits(bytes=2_000_000, seconds=20, silence=5, attempts=1, first_wait=0, redirects=1, pages=1,
                permitted_networks=("127.0.0.1/32",))
move = place._move
def killed(part, target):
    if kill == "before":
        os.kill(os.getpid(), 9)
    move(part, target)
    os.kill(os.getpid(), 9)
place._move = killed
feeds = Feeds(limits=limits, resources=[Resource(publisher="ville", file="a.csv", url=url + "/a.csv")])
fetch.fetch(feeds, raw=root / "raw", warehouse=root / "warehouse")
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fetch_killed_while_it_puts_a_file_in_place_is_mended(project: Project, when: str) -> None:
    file = project.server.manners["/a.csv"] = Versioned()
    command = [sys.executable, "-c", _CHILD, str(project.raw.parent), project.server.url, when]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL
    assert project.file().exists() is (when == "after")
    file.body, file.etag = CSV + b"Ville;1\n", '"deux"'
    assert project.one().state == ("changed" if when == "after" else "new")
    assert project.file().read_bytes() == file.body


# ---------------------------------------------------------------- catalogues


def dataset(server: Misbehaving, slug: str, *resources: dict[str, object], **more: object) -> dict[str, object]:
    return {
        "id": slug, "slug": slug, "page": f"https://exemple.fr/{slug}", "license": "lov2",
        "organization": {"slug": "departement-d-exemple", "name": "Département d'Exemple"},
        "resources": [
            {"id": f"{n}0000000-0000", "title": "Subventions", "format": "csv", "schema": {"name": "scdl/subventions"},
             "url": f"{server.url}/{n}/subventions.csv", "filetype": "remote", **resource}
            for n, resource in enumerate(resources)
        ],
        **more,
    }  # fmt: skip


def catalogue(server: Misbehaving, *pages: list[dict[str, object]]) -> Catalogue:
    def listing(handler: Handler, _: int) -> None:
        number = int(handler.path.partition("page=")[2] or 1)
        following = f"{server.url}/api/1/datasets/?page={number + 1}" if number < len(pages) else None
        body = json.dumps({"data": pages[number - 1], "next_page": following, "total": 3}).encode()
        handler.answer(200, body, Content_Type="application/json")

    server.manners["/api/1/datasets/"] = listing
    return Catalogue(url=f"{server.url}/api/1/datasets/", schema="scdl/subventions")


def test_a_catalogue_is_read_to_its_last_page(project: Project) -> None:
    server = project.server
    first = dataset(
        server, "subventions-2024", {}, {"schema": {"name": "scdl/deliberations"}}, {"schema": {}}, {"schema": None}
    )
    second = dataset(server, "aides", {"url": f"{server.url}/x?format=csv&key=s3cret", "title": "Aides de l'été"})
    listed = catalogue(server, [first], [second])
    server.manners |= {"/0/subventions.csv": Versioned(), "/x": Versioned(body=CSV + b"x;2\n")}
    found = {outcome.place: outcome for outcome in project.fetch(catalogues=(listed,))}
    assert {place: outcome.state for place, outcome in found.items()} == {
        "departement-d-exemple/subventions-2024/subventions.csv": "new",
        "departement-d-exemple/aides/aides-de-l-ete.csv": "new",
    }
    assert server.seen[0][0] == "/api/1/datasets/"
    assert not any("s3cret" in outcome.url for outcome in found.values())
    assert {file.depositor for file in look(project.raw)} == {"departement-d-exemple"}


def test_two_resources_of_one_name_are_kept_apart(project: Project) -> None:
    server = project.server
    listed = catalogue(server, [dataset(server, "aides", {}, {})])
    server.manners |= {"/0/subventions.csv": Versioned(), "/1/subventions.csv": Versioned(body=CSV + b"x;2\n")}
    places = {outcome.place for outcome in project.fetch(catalogues=(listed,))}
    assert places == {f"departement-d-exemple/aides/subventions-{n}0000000.csv" for n in (0, 1)}


def test_what_the_catalogue_hosts_has_the_checksum_it_says(project: Project) -> None:
    server = project.server
    sums = {"type": "sha1", "value": "0" * 40}
    listed = catalogue(server, [dataset(server, "aides", {"checksum": sums, "filetype": "file"}, {"checksum": sums})])
    server.manners |= {"/0/subventions.csv": Versioned(), "/1/subventions.csv": Versioned()}
    assert [outcome.state for outcome in project.fetch(catalogues=(listed,))] == ["refused", "new"]


@pytest.mark.parametrize(
    "change",
    [{"organization": organisation} for organisation in (None, {"slug": "../../etc"}, {"slug": "reference"})],
)
def test_a_publisher_that_names_no_folder_is_refused(project: Project, change: dict[str, object]) -> None:
    listed = catalogue(project.server, [dataset(project.server, "aides", {}, **change)])
    [outcome] = project.fetch(catalogues=(listed,))
    assert outcome.state == "refused"
    assert project.nothing_came()


def test_only_the_organisations_asked_for(project: Project) -> None:
    listed = catalogue(project.server, [dataset(project.server, "aides", {})])
    assert project.fetch(catalogues=(listed.model_copy(update={"organisations": ("autre",)}),)) == []


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"data": {}}', b'{"data": [1]}', b"[" * 100_000])
def test_a_catalogue_that_answers_something_else_is_told(project: Project, body: bytes) -> None:
    server = project.server
    server.manners |= {
        "/api": lambda handler, _: handler.answer(200, body, Content_Type="application/json"),
        "/a.csv": Versioned(),
    }
    good = Resource(publisher="ville", file="a.csv", url=f"{server.url}/a.csv")
    bad = Catalogue(url=f"{server.url}/api", schema="scdl/subventions")
    found = project.fetch(good, catalogues=(bad,))
    assert [outcome.state for outcome in found] == ["refused", "new"]
    assert found[0].place == "catalogue scdl/subventions"


def test_a_catalogue_of_too_many_pages_is_not_half_read(project: Project) -> None:
    server = project.server
    pages = [[dataset(server, f"aides-{n}", {})] for n in range(6)]
    [outcome] = project.fetch(catalogues=(catalogue(server, *pages),))
    assert "pages" in str(outcome.why)


# ---------------------------------------------------------------- declarations and addresses


def test_nothing_is_fetched_unless_it_is_declared() -> None:
    feeds = load_feeds()
    assert (feeds.resources, feeds.catalogues, feeds.limits.permitted_networks) == ((), (), ())


def test_the_examples_of_the_file_are_right(tmp_path: Path) -> None:
    lines = PATH.read_text(encoding="utf-8").splitlines()
    examples = [line.removeprefix("#   ") for line in lines if line.startswith("#   ")]
    file = tmp_path / "feeds.toml"
    file.write_text("\n".join([*(line for line in lines if not line.startswith("#")), *examples]), encoding="utf-8")
    feeds = load_feeds(file)
    assert len(feeds.resources) == len(feeds.catalogues) == 1


@pytest.mark.parametrize(
    ("publisher", "file"),
    [("../x", "a.csv"), ("Ville", "a.csv"), ("reference", "a.csv"), ("ville", "../a.csv"), ("ville", "/a.csv"),
     ("ville", "a/../../b.csv"), ("ville", "a.exe"), ("ville", ".a.csv"), ("ville", "_a/b.csv"), ("ville", "a\\b.csv"),
     ("ville", "funder.toml"), ("ville", "a\n.csv"), ("ville", "a" * 300 + ".csv"), ("ville", ""),
     ("ville", "CONFIRMER-0123abcd.txt"), ("ville", "a/Questions-2025-0123abcd.xlsx")],
)  # fmt: skip
def test_a_place_out_of_the_inbox_cannot_be_declared(tmp_path: Path, publisher: str, file: str) -> None:
    stated = f"\n[[resources]]\npublisher = {json.dumps(publisher)}\nfile = {json.dumps(file)}\nurl = 'https://a.fr/'\n"
    declared = tmp_path / "feeds.toml"
    declared.write_text(PATH.read_text(encoding="utf-8") + stated, encoding="utf-8")
    with pytest.raises(FeedsError, match=r"feeds\.toml"):
        load_feeds(declared)


def test_two_resources_of_one_place_cannot_be_declared(tmp_path: Path) -> None:
    declared = tmp_path / "feeds.toml"
    one = "\n[[resources]]\npublisher = 'v'\nfile = 'a.csv'\nurl = 'https://a.fr/'\n"
    declared.write_text(PATH.read_text(encoding="utf-8") + one * 2, encoding="utf-8")
    with pytest.raises(FeedsError, match="même place"):
        load_feeds(declared)


@given(st.text())
def test_an_address_is_read_or_refused(text: str) -> None:
    shown(text)
    try:
        scheme, host, port, target = split(text)
    except RefusedError:
        return
    assert scheme in ("http", "https")
    assert host.isascii()
    assert 0 <= port < 65_536
    assert target.startswith("/")


def test_the_server_is_told_who_asks(project: Project) -> None:
    project.server.manners["/a.csv"] = Versioned()
    project.one()
    assert "qui-finance-quoi" in project.server.seen[0][1]["User-Agent"]


# ---------------------------------------------------------------- the asset, the command, and the path of deposits


def declared(project: Project, *resources: Resource) -> Path:
    file = project.raw.parent / "sources.toml"
    limits = [f"{name} = {json.dumps(value)}" for name, value in project.limits.items()]
    stated = [
        "\n".join(
            ["[[resources]]", *(f"{name} = {json.dumps(getattr(r, name))}" for name in ("publisher", "file", "url"))]
        )
        for r in resources
    ]
    file.write_text("\n".join(["[limits]", *limits, *stated]), encoding="utf-8")
    return file


def test_what_is_fetched_takes_the_path_of_every_deposit(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.defs.terminal import run_feeds
    from pipelines.ingest.inbox import ingest

    project.limits["first_wait"] = 0
    header = "nomAttribuant;idAttribuant;dateConvention;nomBeneficiaire;idBeneficiaire;objet;montant;nature\n"
    line = "Ville;21340172300019;2025-03-01;Association A;77567227221138;Colis;1000;aide en numéraire\n"
    project.server.manners["/2025.csv"] = Versioned(body=(header + line).encode())
    url = project.server.url
    file = declared(
        project,
        Resource(publisher="ville", file="subventions-2025.csv", url=f"{url}/2025.csv"),
        Resource(publisher="metropole", file="absent.csv", url=f"{url}/absent.csv?cle=s3cret"),
    )
    folders = {"raw": project.raw, "warehouse": project.warehouse, "reports": project.raw.parent / "reports"}
    assert run_feeds([], feeds=file, **folders) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "ressources : 2 ; nouvelles ou changées : 1 ; inchangées : 0 ; non reçues : 1" in told
    assert "metropole/absent.csv. L'adresse ne mène plus à rien (404)." in told
    assert "s3cret" not in told
    assert run_feeds(["ville"], feeds=file, **folders) == 0
    assert "inchangées : 1" in capsys.readouterr().out

    done = ingest(project.raw, project.warehouse, as_of=datetime(2026, 9, 30).date())
    [deposit] = done.deposits
    assert (deposit.report.status, deposit.report.rows_accepted, deposit.path) == (
        "accepted", 1, "ville/subventions-2025.csv",
    )  # fmt: skip
    assert deposit.receipt is not None
    assert not any(b"s3cret" in path.read_bytes() for path in (project.warehouse / "feeds").glob("*"))


def test_a_declaration_that_cannot_be_read_is_told(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.defs.terminal import run_feeds

    file = project.raw.parent / "sources.toml"
    file.write_text("[limits]\nbytes = -1\n", encoding="utf-8")
    folders = {"raw": project.raw, "warehouse": project.warehouse, "reports": project.raw.parent / "reports"}
    assert run_feeds([], feeds=file, **folders) == 1
    assert "sources.toml" in capsys.readouterr().out
