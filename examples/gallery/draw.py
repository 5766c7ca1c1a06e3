"""Draw the gallery's pictures: `python examples/gallery/draw.py [NAME ...] [--to FOLDER]`.

Each script is executed as if it had been pasted into a new Python session, in the fonts and frames
of the documentation; where it would show its picture, the picture is written to a file.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

HERE = Path(__file__).parent
STYLE = {
    "figure.facecolor": "white",
    "figure.dpi": 110,
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "legend.frameon": False,
}


def draw(name: str, folder: Path) -> None:
    """Execute a script; write its picture to a folder."""
    script = HERE / f"{name}.py"

    def write() -> None:
        plt.savefig(folder / f"{name}.png")
        plt.close()

    with plt.rc_context(STYLE):
        plt.show = write  # type: ignore[assignment]
        exec(compile(script.read_text(encoding="utf-8"), script, "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the gallery's pictures.")
    every = sorted(path.stem for path in HERE.glob("*.py") if path != Path(__file__))
    parser.add_argument("name", nargs="*", default=every)
    parser.add_argument("--to", type=Path, default=HERE.parents[1] / "docs" / "images" / "gallery")
    arguments = parser.parse_args()
    for name in arguments.name:
        draw(name, arguments.to)
