"""Draw the gallery's pictures: `python examples/gallery/draw.py [NAME ...] [--to FOLDER]`.

Each script is executed as if it had been pasted into a new Python session, in the fonts and frames
of the documentation, and its picture is written to a file.
"""

import argparse
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

HERE = Path(__file__).parent

plt.rc("figure", facecolor="white", dpi=110)
plt.rc("font", size=11)
plt.rc("axes", titlesize=12)
plt.rc("axes.spines", top=False, right=False)
plt.rc("legend", frameon=False)

# What `plt.show()` says where there is no window.
warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")


def draw(name: str, folder: Path) -> None:
    """Execute a script; write its picture to a folder."""
    script = HERE / f"{name}.py"
    exec(compile(script.read_text(encoding="utf-8"), script, "exec"), {"__name__": "__main__"})
    plt.savefig(folder / f"{name}.png")
    plt.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the gallery's pictures.")
    every = sorted(path.stem for path in HERE.glob("*.py") if path != Path(__file__))
    parser.add_argument("name", nargs="*", default=every)
    parser.add_argument("--to", type=Path, default=HERE.parents[1] / "docs" / "images" / "gallery")
    arguments = parser.parse_args()
    for name in arguments.name:
        draw(name, arguments.to)
