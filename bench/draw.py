"""`python -m bench.draw FIGURE.json FILE.svg`: draws a figure of bench/figures.py, with bench/requirements.txt.

The same figure gives the same bytes. Texts and axes use the reader's colour scheme: dark on light, light on dark.
"""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

INK = "#010203"
"""A placeholder for the colour of texts and axes; it is replaced when the file is written."""
# Distinguishable on white and on black, also with red-green colour blindness; the marks help as well.
COLOURS = ("#3b82f6", "#e8702a", "#10a37f", "#b07aff", "#d6a206", "#e0569b")
MARKS = "os^Dvp"
STYLE = "<style>svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>"
WIDTH, LINES_HEIGHT, CATEGORY_HEIGHT = 10.0, 2.9, 0.24
"""In inches: the width of a figure, the height of a row of lines, and the height of a category."""


def draw(figure: dict[str, Any]) -> str:
    """Return the SVG of a figure."""
    rows = figure["rows"]
    heights = [max(map(_height, row)) for row in rows]
    drawn = pyplot.figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    grid = drawn.subfigures(len(rows), 1, height_ratios=heights, squeeze=False)
    for row, (part,) in zip(rows, grid, strict=True):
        by_category = row[0]["kind"] != "lines"
        for panel, axes in zip(row, part.subplots(1, len(row), squeeze=False, sharey=by_category)[0], strict=True):
            (_lines if panel["kind"] == "lines" else _categories)(axes, panel)
            _dress(axes, panel)
    return _svg(drawn)


def _height(panel: dict[str, Any]) -> float:
    categories = len(panel["series"][0]["x"]) if panel["kind"] != "lines" else 0
    return max(LINES_HEIGHT, 1.3 + CATEGORY_HEIGHT * categories)


def _lines(axes: Any, panel: dict[str, Any]) -> None:
    names = list(dict.fromkeys(series["name"] for series in panel["series"]))
    for series in panel["series"]:
        turn = names.index(series["name"])
        axes.plot(
            series["x"],
            series["y"],
            label="" if series["dashed"] else series["name"],
            color=COLOURS[turn % len(COLOURS)],
            marker=MARKS[turn % len(MARKS)] if len(series["x"]) < 20 else None,
            markersize=4,
            linewidth=1.4,
            linestyle="--" if series["dashed"] else "-",
        )


def _categories(axes: Any, panel: dict[str, Any]) -> None:
    reached = [0.0] * len(panel["series"][0]["x"])
    for turn, series in enumerate(panel["series"]):
        colour, name = COLOURS[turn % len(COLOURS)], series["name"]
        if panel["kind"] == "dots":
            axes.plot(series["y"], series["x"], MARKS[turn % len(MARKS)], color=colour, label=name, markersize=5)
        else:
            axes.barh(series["x"], series["y"], left=reached, color=colour, label=name, height=0.65)
            reached = [before + more for before, more in zip(reached, series["y"], strict=True)]
    if not axes.yaxis_inverted():
        axes.invert_yaxis()


def _dress(axes: Any, panel: dict[str, Any]) -> None:
    axes.set_title(panel["title"], fontsize=9, loc="left", color=INK)
    axes.set_xlabel(panel["x_label"], fontsize=8, color=INK)
    axes.set_ylabel(panel["y_label"], fontsize=8, color=INK)
    for axis, log in ((axes.xaxis, panel["log_x"]), (axes.yaxis, panel["log_y"])):
        if log:
            axis._set_axes_scale("log")
            least, most = axis.get_view_interval()
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if most < 1000 * least else (1,), numticks=20))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
    if panel["kind"] == "lines" and not panel["log_y"]:
        axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=7, colors=INK, which="both")
    axes.grid(visible=True, color=INK, alpha=0.15, linewidth=0.6)
    for side, spine in axes.spines.items():
        spine.set_color(INK)
        spine.set_visible(side in ("left", "bottom"))
    if len(panel["series"]) > 1:
        axes.legend(fontsize=7, frameon=False, labelcolor=INK)


def _svg(drawn: Any) -> str:
    out = io.StringIO()
    drawn.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue().replace(INK, "currentColor")
    # Hundredths of a point are precise enough.
    text = re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", text)
    text = re.sub(r"\s*\n\s*", "\n", text)
    return re.sub(r"<defs>", f"{STYLE}<defs>", text, count=1)


def main() -> None:
    """Draw the figure of the first file into the second file."""
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "engawa", "font.sans-serif": ["DejaVu Sans"]})
    figure = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(sys.argv[2]).write_text(draw(figure), encoding="utf-8")


if __name__ == "__main__":
    main()
