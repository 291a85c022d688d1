"""A server of this machine that misbehaves on demand, to fetch from: each path has its own manners."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CSV = ("nomAttribuant;montant\n" + "".join(f"Ville d'Exemple;{n}\n" for n in range(20_000))).encode()


class Handler(BaseHTTPRequestHandler):
    """One request, handed to the manner of its path with how often that path was asked before."""

    protocol_version = "HTTP/1.1"
    server: Misbehaving

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        rank = self.server.asked[path]
        self.server.asked[path] += 1
        self.server.seen.append((path, dict(self.headers)))
        self.close_connection = True
        manner = self.server.manners.get(path)
        if manner is None:
            self.answer(404, b"")
            return
        with suppress(BrokenPipeError, ConnectionResetError):
            manner(self, rank)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """A whole and honest answer; `headers` with `_` for `-`."""
        self.send_response(status)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Type": "text/csv", "Content-Length": str(len(body)), **told}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal of the tests."""


class Misbehaving(ThreadingHTTPServer):
    """`manners`: path → what answers it. `seen`: the path and headers of every request, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.manners: dict[str, Callable[[Handler, int], None]] = {}
        self.asked: Counter[str] = Counter()
        self.seen: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is expected here."""


@contextmanager
def serving() -> Iterator[Misbehaving]:
    with Misbehaving() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@dataclass
class Versioned:
    """An honest file that changes: its validators, ranges and conditions are right (RFC 9110)."""

    body: bytes = CSV
    etag: str = '"un"'
    cuts: list[int] = field(default_factory=list)
    """Bytes after which each of the next answers is cut, while more are announced."""

    def __call__(self, handler: Handler, _: int) -> None:
        asked = handler.headers
        if asked.get("If-None-Match") == self.etag:
            handler.send_response(304)
            handler.send_header("ETag", self.etag)
            handler.end_headers()
            return
        start, status = 0, 200
        if "Range" in asked and asked.get("If-Range") == self.etag:
            start, status = int(asked["Range"].removeprefix("bytes=").removesuffix("-")), 206
        body = self.body[start:]
        handler.send_response(status)
        handler.send_header("Content-Type", "text/csv")
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", self.etag)
        if status == 206:
            handler.send_header("Content-Range", f"bytes {start}-{len(self.body) - 1}/{len(self.body)}")
        handler.end_headers()
        handler.wfile.write(body[: self.cuts.pop(0)] if self.cuts else body)


def drip(handler: Handler, _: int) -> None:
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/csv")
    handler.end_headers()
    for _ in range(600):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def drip_headers(handler: Handler, _: int) -> None:
    """A header of one letter more now and then, for ever."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(600):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def endless(handler: Handler, _: int) -> None:
    """A body without an end, sent as fast as it goes."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/csv")
    handler.end_headers()
    while True:
        handler.wfile.write(b"a;b\n" * 10_000)


def encrypt(server: Misbehaving, folder: Path) -> Path:
    """Put the server behind a certificate of its own making for donnees.exemple.fr; returns that certificate."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: no certificate can be made")
    key, certificate = folder / "cle.pem", folder / "certificat.pem"
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
            "-days", "2", "-subj", "/CN=essai", "-addext", "subjectAltName=DNS:donnees.exemple.fr"]  # fmt: skip
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return certificate
