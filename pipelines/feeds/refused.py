"""Why a resource is not fetched. Each message is French, and says what to do."""

from __future__ import annotations


class RefusedError(RuntimeError):
    """It will not be fetched as it is: trying again at once would change nothing."""


class UnreachableError(RuntimeError):
    """It could not be fetched this time. `wait`: how many seconds the server asks to wait, when it does."""

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait
