"""`python -m infra`: what make's targets settings, package, deploy and destroy do, and the keys of a deployment."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import datetime

from infra import bundle, keys, packaging, stage_settings
from infra.deploy import from_environment
from infra.refusals import Refused, in_a_sentence
from infra.stage_settings import StageSettings


def main(words: list[str]) -> int:
    """Run the command in `words`; return the exit status."""
    parser = argparse.ArgumentParser(prog=".venv/bin/python -m infra", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("settings", "package", "prepare", "deploy", "deploy-by-chalice", "destroy"):
        commands.add_parser(name).add_argument("stage")
    commands.choices["destroy"].add_argument("--yes", action="store_true", help="Do not ask.")
    rollback = commands.add_parser("rollback")
    rollback.add_argument("stage")
    rollback.add_argument(
        "--to", help="The time of a release, as the list of releases has it; default: the one before."
    )
    commands.add_parser("releases").add_argument("stage")
    for name in ("rotate", "prune"):
        command = commands.add_parser(name)
        command.add_argument("stage")
        command.add_argument("keys", choices=keys.FRESH)
    commands.add_parser("seal-anew").add_argument("stage")
    commands.add_parser("copy", help="Complete the copy in CopyRegion.").add_argument("stage")
    for name, text in (("drop-copy", "Delete that copy."), ("forget-images", "Delete old versions of images.")):
        commands.add_parser(name, help=text).add_argument("stage")
        commands.choices[name].add_argument("--yes", action="store_true", help="Do not ask.")
    restoring = commands.add_parser("restore")
    restoring.add_argument("stage")
    restoring.add_argument("target", help="The stage to restore into.")
    restoring.add_argument("--at", type=_time, help="Such as 2026-11-24T03:00:00Z; default: the latest possible.")
    in_place = commands.add_parser("restore-images", help="Restore deleted images in place.")
    in_place.add_argument("stage")
    in_place.add_argument("--at", type=_time, required=True, help="Such as 2026-11-24T03:00:00Z.")
    commands.choices["prune"].add_argument("--keep", type=int, default=1, help="How many of the newest keys to keep.")
    asked = parser.parse_args(words)
    try:
        return _do(asked)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1


def _do(asked: argparse.Namespace) -> int:
    if asked.command == "settings":
        return _show(stage_settings.read(asked.stage))
    if asked.command == "package":
        settings = stage_settings.read(asked.stage)
        architecture = settings.architecture
        out = packaging.package(asked.stage, architecture, settings.warm, settings.front, settings.app)
        size = (out / "deployment.zip").stat().st_size
        print(
            f"{out.relative_to(packaging.ROOT)}: deployment.zip ({size:,} bytes, {architecture}), sam.yaml, "
            "global.yaml, edge_watch.yaml"
        )
        if not bundle.target_python():
            print(
                f"There is no Python {bundle.PYTHON} here, so the zip has no bytecode: cold starts take about three "
                f"times as long. For production, package where python{bundle.PYTHON} is.",
                file=sys.stderr,
            )
        return 0
    deployment = from_environment(asked.stage, getattr(asked, "target", None))
    settings = deployment.settings
    if asked.command == "deploy":
        _print_all(deployment.deploy(settings.architecture, settings.warm))
    elif asked.command == "rollback":
        _print_all(deployment.roll_back(asked.to))
    elif asked.command == "releases":
        for each in deployment.list_releases():
            print(f"{each.time}  {each.version:10} {each.commit:20}", f"again: {each.repeats}" if each.repeats else "")
    elif asked.command == "prepare":
        deployment.prepare()
    elif asked.command == "deploy-by-chalice":
        print(f"{'BaseUrl':20} {deployment.deploy_by_chalice(settings.architecture)}")
    elif asked.command == "destroy":
        return _destroy(asked)
    elif asked.command == "restore":
        deployment.restore_into(asked.target, asked.at)
    elif asked.command == "restore-images":
        deployment.restore_images(asked.at)
    elif asked.command == "copy":
        deployment.complete_copy()
    elif asked.command in ("drop-copy", "forget-images"):
        return _drop_copy(asked) if asked.command == "drop-copy" else _forget_images(asked)
    elif asked.command == "seal-anew":
        print(f"{deployment.seal_anew()} secrets of apps and endpoints are now sealed with the newest key.")
    else:
        with in_a_sentence():
            client = deployment.keys()
            if asked.command == "rotate":
                print(f"{asked.keys}: {keys.rotate(client, asked.stage, asked.keys)} keys; the new one is used first.")
            else:
                print(f"{asked.keys}: {keys.prune(client, asked.stage, asked.keys, max(1, asked.keep))} keys dropped.")
    return 0


def _print_all(outputs: Mapping[str, str]) -> None:
    for name, value in outputs.items():
        print(f"{name:20} {value}")


def _show(settings: StageSettings) -> int:
    """Print every setting of a stage with its origin."""
    print(f"stage {settings.stage}, file: {settings.file or f'none (there is no {stage_settings.FILE.name})'}")
    lines = settings.lines(packaging.sizes(settings.stage, settings.app))
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    for name, value, source in lines:
        print(f"{name:{widths[0]}}  {value:{widths[1]}}  {source}")
    return 0


def _time(text: str) -> datetime:
    """Return a time with its UTC offset. Raises ValueError, which argparse reports."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without its offset from UTC")
    return time


def _destroy(asked: argparse.Namespace) -> int:
    what = "the stack; its data are kept" if asked.stage == "prod" else "the stack WITH ALL DATA, LOGS AND KEYS"
    if not _confirmed(asked, f"engawa-{asked.stage}: {what}"):
        return 1
    from_environment(asked.stage).destroy()
    return 0


def _drop_copy(asked: argparse.Namespace) -> int:
    if not _confirmed(asked, f"the copy of {asked.stage} in CopyRegion, WITH ALL DATA in it"):
        return 1
    from_environment(asked.stage).drop_copy()
    return 0


def _forget_images(asked: argparse.Namespace) -> int:
    if not _confirmed(asked, f"the old versions of all images of {asked.stage}, so that no restoration finds them"):
        return 1
    from_environment(asked.stage).forget_images()
    return 0


def _confirmed(asked: argparse.Namespace, what: str) -> bool:
    """Ask for the stage's name, unless `--yes` was given; return whether to continue."""
    if asked.yes:
        return True
    try:
        answer = input(f"This deletes {what}. Type the stage's name to continue: ")
    except EOFError:
        answer = ""
    if answer.strip() == asked.stage:
        return True
    print("Nothing was done.", file=sys.stderr)
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
