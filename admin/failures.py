"""The failures of commands, and their exit statuses."""

from typing import IO, Any

import click

from admin.output import as_json, printable

REFUSED = 1
"""The platform refused the request, or an argument cannot be used."""
UNREACHABLE = 3
"""The platform did not answer, or stayed busy: try again later."""
REJECTS = 4
"""An import finished, but some records were refused."""
INTERRUPTED = 130


class Failure(click.ClickException):
    """The failure of a command, printed as one line with the reason; as JSON if the command has --json."""

    def __init__(
        self, message: str, exit_code: int = REFUSED, error: str = "failed", status: int | None = None
    ) -> None:
        super().__init__(message)
        # click declares exit_code on the class and reads it from the instance.
        self.exit_code = exit_code  # type: ignore[misc]
        self.error = error
        self.status = status
        self.as_json = False

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the failure to standard error."""
        if self.as_json:
            told: dict[str, Any] = {"error": self.error, "error_description": self.message}
            if self.status:
                told["status"] = self.status
            click.echo(as_json(told), err=True)
        else:
            where = f" ({self.error}, {self.status})" if self.status else ""
            # The text comes from the platform, or from whatever server --url names.
            click.echo(f"Error: {printable(self.message)}{printable(where)}", err=True)


class Refused(Failure):
    """A refusal by the platform, with its HTTP status, `error` and message."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message, REFUSED, error, status)


class Unreachable(Failure):
    """A platform that gave no response, or only "busy", on every try."""

    def __init__(self, message: str) -> None:
        super().__init__(message, UNREACHABLE, "unreachable")
