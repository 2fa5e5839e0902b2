"""Figures as data: what bench/draw.py, which alone needs a plotting library, draws into an SVG.

A figure is a file of JSON: `{"rows": [[panel, …], …]}`, its panels from left to right and from top to bottom.
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
"""The interpreter that has what bench/requirements.txt names."""


def check_installed() -> None:
    """Raise Refused where PYTHON is not there."""
    if not PYTHON.exists():
        raise Refused(f"There is no {PYTHON}; make load creates it.")


@dataclass(frozen=True)
class Series:
    """Values under one name: `x` numbers, or categories in a panel that has those."""

    name: str
    x: Sequence[float | str]
    y: Sequence[float]
    dashed: bool = False
    """Of another kind than the series of the same name, whose colour and place in the legend it shares."""


@dataclass(frozen=True)
class Panel:
    """Axes with their labels. `kind`: `lines`; or by category, top to bottom, `dots`, or `bars` laid end to end."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    kind: str = "lines"
    log_x: bool = False
    log_y: bool = False


Rows = Sequence[Sequence[Panel]]


def to_json(rows: Rows) -> str:
    """A figure as bench/draw.py reads it."""
    return json.dumps({"rows": [[asdict(panel) for panel in row] for row in rows]}, ensure_ascii=False, indent=1)


def draw(rows: Rows, path: Path) -> None:
    """Draw a figure into an SVG file: the same bytes for the same figure. Needs PYTHON."""
    with TemporaryDirectory() as directory:
        data = Path(directory) / "figure.json"
        data.write_text(to_json(rows), encoding="utf-8")
        subprocess.run([PYTHON, "-m", "bench.draw", data, path], cwd=ROOT, check=True, stdout=sys.stderr)
