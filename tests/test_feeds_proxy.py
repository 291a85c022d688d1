"""A network that is left through a proxy: files come through it, and what is refused without it is refused with it."""

from __future__ import annotations

import base64
import select
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from pipelines.feeds.proxy import proxy_for
from pipelines.feeds.refused import RefusedError
from schemas.feeds import Resource
from tests.feed_project import Project
from tests.feed_server import CSV, Misbehaving, Versioned, encrypt, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.feeds import fetch

NAME = "donnees.exemple.fr"
ELSEWHERE = "interne.exemple.fr"


class Relay(ThreadingHTTPServer):
    """A proxy of this machine: it takes every name for this machine's. `asked`: what it was asked to reach.

    `password`: what it wants; `refuses`: the status it answers instead of a tunnel.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Relaying)
        self.asked: list[str] = []
        self.password = ""
        self.refuses = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is expected here."""


class _Relaying(BaseHTTPRequestHandler):
    server: Relay

    def do_CONNECT(self) -> None:
        if self._is_let_in():
            with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as other:
                self.send_response(200)
                self.end_headers()
                self._pass_on(other)

    def do_GET(self) -> None:
        if self._is_let_in():
            parts = urlsplit(self.path)
            with socket.create_connection(("127.0.0.1", parts.port or 80)) as other:
                told = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
                other.sendall(f"GET {parts.path} HTTP/1.1\r\n{told}\r\n".encode())
                self._pass_on(other)

    def _is_let_in(self) -> bool:
        self.close_connection = True
        self.server.asked.append(self.path)
        wanted = self.server.password and "Basic " + base64.b64encode(self.server.password.encode()).decode()
        if wanted and self.headers["Proxy-Authorization"] != wanted:
            self.send_error(407)
        elif self.server.refuses:
            self.send_error(self.server.refuses)
        else:
            return True
        return False

    def _pass_on(self, other: socket.socket) -> None:
        towards = {self.connection: other, other: self.connection}
        while True:
            for ready in select.select(list(towards), [], [], 5)[0]:
                if not (block := ready.recv(65536)):
                    return
                towards[ready].sendall(block)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal of the tests."""


@contextmanager
def _relaying() -> Iterator[Relay]:
    with Relay() as relay:
        thread = threading.Thread(target=relay.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            relay.shutdown()


@pytest.fixture
def relay() -> Iterator[Relay]:
    with _relaying() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project on a machine that knows no public name and leaves by the relay; its server is reached by any name."""

    def known_here(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        address = "10.1.2.3" if host == ELSEWHERE else host
        if address[0].isdigit():
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", known_here)
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("https_proxy", f"http://{relay.address}")
    monkeypatch.setenv("http_proxy", relay.address)
    with serving() as server:
        server.manners["/a.csv"] = Versioned()
        yield Project(tmp_path, server)


def one(project: Project, scheme: str, name: str = NAME) -> fetch.Outcome:
    url = f"{scheme}://{name}:{project.server.server_address[1]}/a.csv"
    [outcome] = project.fetch(Resource(publisher="ville", file="a.csv", url=url))
    return outcome


def port(server: Misbehaving) -> int:
    return int(server.server_address[1])


def test_a_file_comes_through_the_proxy(project: Project, relay: Relay) -> None:
    assert one(project, "http").state == "new"
    assert project.file().read_bytes() == CSV
    assert relay.asked == [f"http://{NAME}:{port(project.server)}/a.csv"]
    assert project.server.seen[0][1]["Host"] == f"{NAME}:{port(project.server)}"


@pytest.mark.parametrize("is_trusted", [True, False])
def test_the_certificate_is_still_the_servers(
    project: Project, relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_trusted: bool
) -> None:
    certificate = encrypt(project.server, tmp_path)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    outcome = one(project, "https")
    assert outcome.state == ("new" if is_trusted else "refused")
    assert relay.asked[0] == f"{NAME}:{port(project.server)}"
    if not is_trusted:
        assert "SSL_CERT_FILE" in str(outcome.why)
        assert project.server.seen == []


def test_a_name_of_another_than_the_certificates_is_refused(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(encrypt(project.server, tmp_path)))
    assert one(project, "https", "autre.exemple.fr").state == "refused"
    assert project.nothing_came()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_password_of_a_proxy_is_given_to_it_alone_and_never_shown(
    project: Project, relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    if scheme == "https":
        monkeypatch.setenv("SSL_CERT_FILE", str(encrypt(project.server, tmp_path)))
    relay.password = "agent:s3cret@"
    monkeypatch.setenv(f"{scheme}_proxy", f"http://agent:s3cret%40@{relay.address}")
    assert one(project, scheme).state == "new"
    relay.password = "autre:chose"
    project.file().unlink()
    refused = one(project, scheme)
    assert refused.state == "refused"
    assert "407" in str(refused.why)
    assert "s3cret" not in str(refused)
    assert "s3cret" not in repr(proxy_for(scheme, NAME))


def test_a_tunnel_that_is_refused_says_what_to_look_at(project: Project, relay: Relay) -> None:
    relay.refuses = 403
    outcome = one(project, "https")
    assert "403" in str(outcome.why)
    assert "HTTPS_PROXY" in str(outcome.why)
    assert NAME in str(outcome.why)


def test_a_proxy_that_is_not_there_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("http_proxy", f"http://{nobody}")
    outcome = one(project, "http")
    assert outcome.state == "refused"
    assert f"« {nobody} » ne répond pas" in str(outcome.why)


@pytest.mark.parametrize("name", [ELSEWHERE, "intranet", "10.1.2.3"])
def test_nobody_is_led_into_the_private_network_by_the_proxy(project: Project, relay: Relay, name: str) -> None:
    assert one(project, "http", name).state == "refused"
    project.server.manners["/a.csv"] = lambda handler, _: handler.answer(302, b"", Location=f"http://{name}/b.csv")
    assert one(project, "http").state == "refused"
    assert not any(name in asked for asked in relay.asked)


def test_names_that_need_no_proxy_are_asked_directly(
    project: Project, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert one(project, "http", "127.0.0.1").state == "new"
    assert relay.asked == []


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:1080", "https://proxy.exemple.fr", "http://", "http://a:b:c"])
def test_a_proxy_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("https_proxy", address)
    with pytest.raises(RefusedError, match="HTTPS_PROXY"):
        proxy_for("https", NAME)
