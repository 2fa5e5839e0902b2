"""`python -m infra`: what make's targets package, deploy and destroy do, and the keys of a deployment."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime

from infra import bundle, combine, keys, packaging
from infra.deploy import from_environment
from infra.refusals import Refused, in_a_sentence


def main(words: list[str]) -> int:
    """Run the command in `words`; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("package", "prepare", "deploy", "deploy-by-chalice", "destroy"):
        commands.add_parser(name).add_argument("stage")
    commands.choices["destroy"].add_argument("--yes", action="store_true", help="Do not ask.")
    for name in ("rotate", "prune"):
        command = commands.add_parser(name)
        command.add_argument("stage")
        command.add_argument("keys", choices=keys.FRESH)
    commands.add_parser("seal-anew").add_argument("stage")
    restoring = commands.add_parser("restore")
    restoring.add_argument("stage")
    restoring.add_argument("target", help="The stage to restore into.")
    restoring.add_argument("--at", type=_time, help="Such as 2026-11-24T03:00:00Z; default: the latest possible.")
    commands.choices["prune"].add_argument("--keep", type=int, default=1, help="How many of the newest keys to keep.")
    asked = parser.parse_args(words)
    try:
        return _do(asked)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1


def _do(asked: argparse.Namespace) -> int:
    architecture, warm = os.environ.get("ARCH") or "arm64", os.environ.get("WARM") or combine.COLD
    if asked.command == "package":
        out = packaging.package(asked.stage, architecture, warm, os.environ.get("FRONT") or combine.REST)
        size = (out / "deployment.zip").stat().st_size
        print(
            f"{out.relative_to(packaging.ROOT)}: deployment.zip ({size:,} bytes, {architecture}), sam.yaml, global.yaml"
        )
        if not bundle.target_python():
            print(
                f"There is no Python {bundle.PYTHON} here, so the zip has no bytecode: cold starts take about three "
                f"times as long. For production, package where python{bundle.PYTHON} is.",
                file=sys.stderr,
            )
        return 0
    deployment = from_environment(asked.stage)
    if asked.command == "deploy":
        for name, value in deployment.deploy(architecture, warm, os.environ.get("DEPLOY_BUCKET") or None).items():
            print(f"{name:20} {value}")
    elif asked.command == "prepare":
        deployment.prepare()
    elif asked.command == "deploy-by-chalice":
        print(f"{'BaseUrl':20} {deployment.deploy_by_chalice(architecture)}")
    elif asked.command == "destroy":
        return _destroy(asked)
    elif asked.command == "restore":
        deployment.restore_into(asked.target, asked.at)
    elif asked.command == "seal-anew":
        print(f"{deployment.seal_anew()} secrets of apps are now sealed with the newest key.")
    else:
        with in_a_sentence():
            client = deployment.keys()
            if asked.command == "rotate":
                print(f"{asked.keys}: {keys.rotate(client, asked.stage, asked.keys)} keys; the new one is used first.")
            else:
                print(f"{asked.keys}: {keys.prune(client, asked.stage, asked.keys, max(1, asked.keep))} keys dropped.")
    return 0


def _time(text: str) -> datetime:
    """Return a time with its UTC offset. Raises ValueError, which argparse reports."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without its offset from UTC")
    return time


def _destroy(asked: argparse.Namespace) -> int:
    what = "the stack; its data are kept" if asked.stage == "prod" else "the stack WITH ALL DATA, LOGS AND KEYS"
    if not asked.yes:
        try:
            answer = input(f"This deletes engawa-{asked.stage}: {what}. Type the stage's name to continue: ")
        except EOFError:
            answer = ""
        if answer.strip() != asked.stage:
            print("Nothing was done.", file=sys.stderr)
            return 1
    from_environment(asked.stage).destroy()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
