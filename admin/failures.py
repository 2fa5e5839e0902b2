"""Every way a command ends other than well, and its exit status."""

from typing import IO, Any

import click

from admin.output import as_json, printable

REFUSED = 1
"""The platform said no, or what was given cannot be used."""
UNREACHABLE = 3
"""The platform did not answer, or stayed busy: try again later."""
REJECTS = 4
"""An import went to its end, and some records were refused."""
INTERRUPTED = 130


class Failure(click.ClickException):
    """A command that fails with one line that says why; as JSON, where the command was asked for JSON."""

    def __init__(
        self, message: str, exit_code: int = REFUSED, error: str = "failed", status: int | None = None
    ) -> None:
        super().__init__(message)
        # click declares it for the class, and reads it from the instance.
        self.exit_code = exit_code  # type: ignore[misc]
        self.error = error
        self.status = status
        self.as_json = False

    def show(self, file: IO[Any] | None = None) -> None:
        """Print to standard error."""
        if self.as_json:
            told: dict[str, Any] = {"error": self.error, "error_description": self.message}
            if self.status:
                told["status"] = self.status
            click.echo(as_json(told), err=True)
        else:
            where = f" ({self.error}, {self.status})" if self.status else ""
            # The platform's words, or whoever's it was told to ask.
            click.echo(f"Error: {printable(self.message)}{printable(where)}", err=True)


class Refused(Failure):
    """The platform's own refusal, with its status, `error` and sentence."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message, REFUSED, error, status)


class Unreachable(Failure):
    """No answer, or none but "busy", after every try."""

    def __init__(self, message: str) -> None:
        super().__init__(message, UNREACHABLE, "unreachable")
