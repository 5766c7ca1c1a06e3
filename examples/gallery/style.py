"""The common style of the gallery's pictures: fonts, colours and output folder."""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

BLUE, ORANGE, GREEN, GREY = "#2757dd", "#d9622b", "#2b8a5a", "#8a8f98"
IMAGES = Path(__file__).parents[2] / "docs" / "images" / "gallery"

plt.rcParams.update(
    {
        "figure.facecolor": "white",
        "figure.dpi": 110,
        "font.size": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 12,
        "legend.frameon": False,
    }
)


def write(figure, name):
    """Write a figure to the file that was named on the command line, or to the documentation."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES / f"{name}.png"
    figure.savefig(path)
