"""`python -m infra.site`: build the pages of `/docs`.

`python -m infra.site --translated docs/ja/guide/name.md` writes into a translation that it has the present text of its
original.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from infra.site import builder, languages


def main() -> None:
    """Build the pages, or mark translations as current."""
    parser = argparse.ArgumentParser(prog="python -m infra.site", description="Build the pages of /docs.")
    parser.add_argument(
        "--translated",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="write the hash of the original's present text into the first line of these translations",
    )
    for path in parser.parse_args().translated or ():
        languages.mark_translated(path)
    builder.refresh()


if __name__ == "__main__":
    main()
