"""Which machines a download may talk to: those of the public network, judged at the address that is connected to.

A name says nothing: it may point to this machine or its neighbours, and point elsewhere a second later. So a name is
resolved once, every address it has is judged, and the connection is opened to one of those very addresses.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.feeds.refused import RefusedError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Collection
    from ipaddress import IPv4Network, IPv6Network

_TRANSLATED = ip_network("64:ff9b::/96")
"""IPv6 addresses that carry an IPv4 address for a translator (RFC 6052)."""
DEFAULT_PORTS = {"http": 80, "https": 443}


def split(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and target of an address. Raises `RefusedError` for what is not http(s), or names a user."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").encode("idna").decode("ascii")
    except (ValueError, UnicodeError) as error:
        raise RefusedError("L'adresse n'est pas lisible. Corrigez-la dans schemas/feeds.toml.") from error
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise RefusedError("Seules les adresses http et https sont suivies. Donnez-en une dans schemas/feeds.toml.")
    if parts.username is not None or parts.password is not None:
        raise RefusedError(
            "L'adresse contient un nom d'utilisateur. Seules des données ouvertes sont reçues : retirez-le."
        )
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], target


def shown(url: str) -> str:
    """An address as it may be told and kept: without its query, which may hold a key, and without a user."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError:
        return "adresse illisible"


def resolve(host: str, port: int, permitted: Collection[IPv4Network | IPv6Network]) -> list[str]:
    """The addresses of `host` as numbers, each of them public or `permitted`.

    Raises `RefusedError` when one is neither, `UnreachableError` when there is none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnreachableError(
            f"Le nom « {host} » ne mène à aucune machine. Vérifiez l'adresse, ou la connexion."
        ) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not _is_allowed(address, permitted):
            raise RefusedError(
                f"« {host} » mène à une adresse privée ({address}) : elle n'est pas suivie. Si c'est bien un serveur "
                "de votre réseau, ajoutez son réseau à permitted_networks, dans schemas/feeds.toml."
            )
    return addresses


def judge(host: str, port: int, permitted: Collection[IPv4Network | IPv6Network]) -> None:
    """Judge `host` as `resolve` does, before a proxy is asked for it.

    A full name that this machine does not know passes: behind a proxy, machines often know the names of their network
    only, and the proxy alone knows the others. Raises `RefusedError`, and `UnreachableError` for a short name.
    """
    try:
        resolve(host, port, permitted)
    except UnreachableError:
        if "." not in host:
            raise


def _is_allowed(text: str, permitted: Collection[IPv4Network | IPv6Network]) -> bool:
    address = ip_address(text.partition("%")[0])
    meant = _carried(address) or address
    if any(one in network for one in (address, meant) for network in permitted):
        return True
    return meant.is_global and not meant.is_multicast


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for, when it does."""
    if isinstance(address, IPv4Address):
        return None
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
