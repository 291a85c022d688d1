"""One answer of a server: redirections followed one by one, each to an address that was judged; bounded in time.

HTTP is urllib3's. Its connection is opened to a number, not to a name, so that nobody can point the name elsewhere in
between; the certificate and the header `Host` are those of the name. Where the network imposes a proxy, that one opens
the connection, by name; the certificate is still the server's, read through the tunnel.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from pipelines.feeds.addresses import DEFAULT_PORTS, judge, resolve, shown, split
from pipelines.feeds.proxy import Proxy, proxy_for
from pipelines.feeds.refused import RefusedError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from schemas.feeds import Limits

AGENT = "qui-finance-quoi (donnees ouvertes ; https://schema.data.gouv.fr/scdl/subventions)"
_MOVED = {301, 302, 303, 307, 308}
_BLOCK = 1 << 16
_SOON = 0.001  # seconds left once the deadline is passed: none at all is no delay to give
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
"""How the standard library tells the status that a proxy answered instead of opening a tunnel."""


class Answer:
    """A status, headers, and a body that is read block by block before `deadline` (of `time.monotonic`)."""

    def __init__(self, response: urllib3.BaseHTTPResponse, url: str, deadline: float) -> None:
        self.status, self.headers, self.url = response.status, response.headers, url
        self._response, self._deadline = response, deadline

    def blocks(self) -> Iterator[bytes]:
        """The body as it comes, however slowly. Raises `UnreachableError` when it is cut short, or lasts too long."""
        coded = self.headers.get("content-encoding", "identity").lower() not in ("", "identity")
        try:
            while block := self._response.read1(_BLOCK, decode_content=coded):
                yield block
                self._in_time()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            self._in_time()
            raise UnreachableError("Le serveur a coupé l'envoi avant la fin. Relancez plus tard.") from error
        self._in_time()

    def _in_time(self) -> None:
        if time.monotonic() >= self._deadline:
            raise UnreachableError(
                "Le serveur envoie trop lentement : la durée permise est passée. Ce qui est reçu est gardé, la suite "
                "sera demandée au prochain passage ; au besoin, augmentez seconds dans schemas/feeds.toml."
            )


@contextmanager
def ask(url: str, headers: Mapping[str, str], *, limits: Limits, deadline: float) -> Iterator[Answer]:
    """The answer to GET `url`, no redirection. Raises `RefusedError` or `UnreachableError`."""
    for _ in range(limits.redirects + 1):
        with _exchange(url, headers, limits, deadline) as answer:
            location = answer.headers.get("location")
            if answer.status not in _MOVED or not location:
                yield answer
                return
            url = _moved(url, location)
    raise RefusedError(
        f"L'adresse renvoie plus de {limits.redirects} fois à une autre, peut-être en rond. Ouvrez-la dans un "
        "navigateur, et donnez l'adresse finale du fichier."
    )


def _moved(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
    except ValueError as error:
        raise RefusedError("L'adresse renvoie à une autre, qui n'est pas lisible. Prévenez le producteur.") from error
    if urlsplit(url).scheme == "https" and split(target)[0] != "https":
        raise RefusedError(
            f"L'adresse renvoie à une autre qui n'est pas chiffrée ({shown(target)}). Prévenez le producteur, ou "
            "donnez cette adresse-là dans schemas/feeds.toml."
        )
    return target


@contextmanager
def _exchange(url: str, headers: Mapping[str, str], limits: Limits, deadline: float) -> Iterator[Answer]:
    scheme, host, port, target = split(url)
    proxy = proxy_for(scheme, host)
    if proxy is None:
        addresses = resolve(host, port, limits.permitted_networks)
        connection = _connected(scheme, host, port, addresses, limits, deadline)
    else:
        judge(host, port, limits.permitted_networks)
        connection = _relayed(scheme, host, port, proxy, max(_SOON, min(limits.silence, deadline - time.monotonic())))
    opened = connection.sock
    # A server may also drip its headers, where nobody looks at the clock: at the deadline, the line is cut.
    alarm = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, [opened])
    alarm.daemon = True
    alarm.start()
    try:
        named = f"[{host}]" if ":" in host else host
        named = named if port == DEFAULT_PORTS[scheme] else f"{named}:{port}"
        told = {"Host": named, "User-Agent": AGENT, "Accept-Encoding": "identity", "Connection": "close", **headers}
        if proxy is not None and scheme == "http":
            told, target = {**told, **proxy.headers}, f"http://{named}{target}"
        connection.request("GET", target, headers=told, preload_content=False, decode_content=False)
        response = connection.getresponse()
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        alarm.cancel()
        connection.close()
        raise UnreachableError(f"Le serveur « {host} » n'a pas répondu comme il faut. Relancez plus tard.") from error
    try:
        yield Answer(response, url, deadline)
    finally:
        alarm.cancel()
        response.close()
        connection.close()


def _connected(
    scheme: str, host: str, port: int, addresses: list[str], limits: Limits, deadline: float
) -> HTTPConnection:
    """A connection to the first address that answers."""
    failure: Exception | None = None
    for address in addresses:
        left = min(limits.silence, deadline - time.monotonic())
        if left <= 0:
            break
        connection = (
            HTTPSConnection(address, port, timeout=left, server_hostname=host, cert_reqs=ssl.CERT_REQUIRED)
            if scheme == "https"
            else HTTPConnection(address, port, timeout=left)
        )  # fmt: skip
        try:
            connection.connect()
        except (ssl.SSLError, urllib3.exceptions.SSLError) as error:
            connection.close()
            raise RefusedError(
                f"Le certificat de « {host} » n'est pas valable : rien n'est reçu. Prévenez le producteur."
            ) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            connection.close()
            failure = error
        else:
            return connection
    raise UnreachableError(f"Le serveur « {host} » ne répond pas. Relancez plus tard.") from failure


def _relayed(scheme: str, host: str, port: int, proxy: Proxy, silence: float) -> HTTPConnection:
    """A connection to `proxy`, from there to `host` in a tunnel when it is https."""
    if scheme == "https":
        secured = HTTPSConnection(proxy.host, proxy.port, timeout=silence, cert_reqs=ssl.CERT_REQUIRED)
        secured.set_tunnel(host, port, headers=dict(proxy.headers))
        connection: HTTPConnection = secured
    else:
        connection = HTTPConnection(proxy.host, proxy.port, timeout=silence)
    try:
        connection.connect()
    except (ssl.SSLError, urllib3.exceptions.SSLError) as error:
        connection.close()
        raise RefusedError(
            f"Le certificat de « {host} », reçu par le proxy « {proxy.name} », n'est pas valable : rien n'est reçu. Si "
            "ce proxy ouvre les connexions chiffrées, donnez son autorité de certification : variable SSL_CERT_FILE."
        ) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        connection.close()
        answered = _TUNNEL.search(str(error))
        told = f"refuse de joindre « {host} » (réponse {answered[1]})" if answered else "ne répond pas"
        raise UnreachableError(
            f"Le proxy « {proxy.name} » {told}. Vérifiez la variable {scheme.upper()}_PROXY, ou demandez à ceux qui "
            "tiennent le réseau."
        ) from error
    return connection


def _cut(opened: socket.socket) -> None:
    with suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)
