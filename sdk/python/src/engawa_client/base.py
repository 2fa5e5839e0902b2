"""The errors that are no word of the contract, and the base of all."""

from __future__ import annotations

from typing import ClassVar


class EngawaError(Exception):
    """A request that failed.

    `status` is HTTP's, or 0 if there was no answer; `error` is the word for programs, `description` the sentence for
    developers. `request_id` is the id in the server's log, `retry_after` the seconds after which the request may be
    sent again. `uncertain`: an earlier attempt got no answer and may have been carried out.
    """

    word: ClassVar[str] = ""

    def __init__(
        self,
        description: str,
        *,
        status: int = 0,
        error: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
        uncertain: bool = False,
    ) -> None:
        self.status = status
        self.error = error or self.word
        self.description = description
        self.request_id = request_id
        self.retry_after = retry_after
        self.uncertain = uncertain
        super().__init__(description)

    def __str__(self) -> str:
        status = f"{self.status} " if self.status else ""
        asked = f" (request {self.request_id})" if self.request_id else ""
        return f"{status}{self.error}: {self.description}{asked}"


class Unreachable(EngawaError):
    """`unreachable`: no answer. The description names the address and the reason."""

    word = "unreachable"


class NotEngawa(EngawaError):
    """`not_engawa`: an answer that no Engawa server gives. The description says what came instead."""

    word = "not_engawa"
