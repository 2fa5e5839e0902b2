"""The directory and ports of the local platform, and the environment variables that the app reads there.

| variable | default | meaning |
|---|---|---|
| PORT | 8000 | where the app is served |
| EMULATOR_PORT | 4570; with another PORT, or if it is taken, any free port | where the embedded AWS is served |
| ENGAWA_LOCAL_DIR | .local; .local/port-8001 with PORT=8001 | data, keys, locks and logs |
| ENGAWA_EMULATOR_PYTHON | .local/emulator-venv/bin/python of the checkout | the interpreter that has ministack |
| AWS_ENDPOINT_URL | none | use this endpoint, start no embedded AWS |
| REQUESTS | on | off: print no line for each request |
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
STAGE = "local"
PORT = 8000
EMULATOR_PORT = 4570


class Refused(Exception):
    """The platform cannot start; the text says why and what to do, in one line."""


@dataclass(frozen=True)
class Environment:
    """The settings of one run."""

    directory: Path
    emulator_python: Path
    port: int
    emulator_port: int | None
    """None until a port is chosen (local/embedded.py)."""
    endpoint: str | None
    requests: bool = True
    """Whether each request is printed."""

    @classmethod
    def read(cls) -> Environment:
        """Read the settings. Platforms on other ports have other directories, so several run side by side.

        Raises Refused if one is invalid.
        """
        port = _port("PORT") or PORT
        directory = ROOT / ".local" if port == PORT else ROOT / ".local" / f"port-{port}"
        return cls(
            directory=Path(os.environ.get("ENGAWA_LOCAL_DIR") or directory).absolute(),
            emulator_python=Path(
                os.environ.get("ENGAWA_EMULATOR_PYTHON") or ROOT / ".local" / "emulator-venv" / "bin" / "python"
            ),
            port=port,
            emulator_port=_port("EMULATOR_PORT"),
            endpoint=os.environ.get("AWS_ENDPOINT_URL") or None,
            requests=_is_on("REQUESTS"),
        )

    @property
    def base_url(self) -> str:
        """The URL of the app."""
        return f"http://{HOST}:{self.port}"

    @property
    def token_keys(self) -> Path:
        """The JWK Set that tokens are signed with."""
        return self.directory / "token-keys.json"

    @property
    def secret_keys(self) -> Path:
        """The keys that encrypt the secrets of apps."""
        return self.directory / "secret-keys.json"

    @property
    def launch_keys(self) -> Path:
        """The keys that sign the starts of page apps."""
        return self.directory / "launch-keys.json"

    def apply(self) -> None:
        """Set the process's environment to stage local of .chalice/config.json, with this run's ports and paths.

        With the embedded AWS, the user's own AWS configuration is removed, since it could lead to another AWS. With an
        endpoint given by the user, the user's configuration takes precedence.
        """
        config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
        values: dict[str, str] = config["stages"][STAGE]["environment_variables"]
        for name, value in values.items():
            if not name.startswith("AWS_"):
                os.environ[name] = value
        os.environ["ENGAWA_ISSUER"] = self.base_url
        os.environ["ENGAWA_TOKEN_KEYS_FILE"] = str(self.token_keys)
        os.environ["ENGAWA_SECRET_KEYS_FILE"] = str(self.secret_keys)
        os.environ["ENGAWA_LAUNCH_KEYS_FILE"] = str(self.launch_keys)
        aws = {name: value for name, value in values.items() if name.startswith("AWS_")}
        if self.endpoint is None:
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                del os.environ[name]
            os.environ.update(aws, AWS_ENDPOINT_URL=f"http://{HOST}:{self.emulator_port}")
            os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
            os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(
                filter(None, [HOST, os.environ.get("no_proxy") or os.environ.get("NO_PROXY")])
            )
        else:
            has_own = "AWS_PROFILE" in os.environ or "AWS_ACCESS_KEY_ID" in os.environ
            for name, value in aws.items():
                if not (has_own and name.endswith(("_KEY_ID", "_ACCESS_KEY"))):
                    os.environ.setdefault(name, value)


def _port(name: str) -> int | None:
    text = os.environ.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise Refused(f"{name} must be a port from 1 to 65535, not {text!r}.")
    return int(text)


def _is_on(name: str) -> bool:
    text = os.environ.get(name) or "on"
    if text not in ("on", "off"):
        raise Refused(f"{name} must be on or off, not {text!r}.")
    return text == "on"


def free_port() -> int:
    """Return a free port of 127.0.0.1 that the system will not assign to the client side of a connection."""
    while True:
        # Systems assign ports from 32768, or from 49152 on.
        port = 10_240 + secrets.randbelow(32_768 - 10_240)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
