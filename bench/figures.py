"""Figures as data: bench/draw.py draws them as SVG; only it needs a plotting library.

A figure is a JSON file: `{"rows": [[panel, …], …]}`, with the panels from left to right and from top to bottom.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from local.environment import ROOT, Refused

PYTHON = ROOT / ".local" / "load-venv" / "bin" / "python"
"""The interpreter that has the packages of bench/requirements.txt."""


def check_installed() -> None:
    """Raise Refused if PYTHON does not exist."""
    if not PYTHON.exists():
        raise Refused(f"There is no {PYTHON}; make load creates it.")


@dataclass(frozen=True)
class Series:
    """Values under one name: `x` has numbers, or categories in a panel by category."""

    name: str
    x: Sequence[float | str]
    y: Sequence[float]
    dashed: bool = False
    """A second kind of values: it shares colour and legend entry with the series of the same name."""


@dataclass(frozen=True)
class Panel:
    """Axes with their labels. `kind`: `lines`, or by category from top to bottom `dots` or stacked `bars`."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    kind: str = "lines"
    log_x: bool = False
    log_y: bool = False


Rows = Sequence[Sequence[Panel]]


def to_json(rows: Rows) -> str:
    """Return a figure in the format that bench/draw.py reads."""
    return json.dumps({"rows": [[asdict(panel) for panel in row] for row in rows]}, ensure_ascii=False, indent=1)


def draw(rows: Rows, path: Path) -> None:
    """Draw a figure into an SVG file; the same figure gives the same bytes. Needs PYTHON."""
    with TemporaryDirectory() as directory:
        data = Path(directory) / "figure.json"
        data.write_text(to_json(rows), encoding="utf-8")
        subprocess.run([PYTHON, "-m", "bench.draw", data, path], cwd=ROOT, check=True, stdout=sys.stderr)
