"""The proxy that a network imposes on whoever leaves it, told by the environment as for every other tool of a machine.

`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in capitals or not, are read as Python's own library does. The
proxy is the administrator's choice: its address is not judged. What is asked of it is: see `addresses.judge`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from urllib3.util import make_headers

from pipelines.feeds.addresses import DEFAULT_PORTS
from pipelines.feeds.refused import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Proxy:
    """Where it listens, and the headers that it asks for; these may hold a password and are never shown."""

    host: str
    port: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """How it is told to people."""
        return f"{self.host}:{self.port}"


def proxy_for(scheme: str, host: str) -> Proxy | None:
    """The proxy that `host` is asked through, None when it is asked directly.

    Raises `RefusedError` for one that is not an http proxy, or whose address is not readable.
    """
    told = getproxies()
    address = told.get(scheme) or told.get("all")
    if not address or proxy_bypass(host):
        return None
    variable = f"{scheme.upper()}_PROXY"
    try:
        parts = urlsplit(address if "//" in address else f"http://{address}")
        port, name = parts.port or DEFAULT_PORTS["http"], parts.hostname
    except ValueError as error:
        raise RefusedError(f"L'adresse du proxy n'est pas lisible. Corrigez la variable {variable}.") from error
    if parts.scheme != "http" or not name:
        raise RefusedError(
            "Seul un proxy « http:// » est employé (il relaie aussi les adresses https). Corrigez la variable "
            f"{variable}."
        )
    if parts.username is None:
        return Proxy(name, port)
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(name, port, make_headers(proxy_basic_auth=user))
