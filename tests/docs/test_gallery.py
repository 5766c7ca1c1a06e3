"""The gallery: each script runs when it is pasted, and the page shows it with its picture."""

import re
import subprocess
import sys
from pathlib import Path

# Importing the fonts lists them, once for every script: the first of all says so on standard error,
# and so does one without a HOME.
import matplotlib.font_manager
import matplotlib.image
import pytest

ROOT = Path(__file__).parents[2]
DRAW = ROOT / "examples/gallery/draw.py"
SCRIPTS = sorted(set((ROOT / "examples/gallery").glob("*.py")) - {DRAW})
PAGE = (ROOT / "docs/howto/gallery.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_draws_its_picture_in_a_new_session_in_another_folder(script, tmp_path):
    # -P: modules beside the script are as far away as for someone who has pasted it.
    command = [sys.executable, "-P", "-W", "error::UserWarning", str(DRAW), script.stem]
    run = subprocess.run(
        [*command, "--to", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == run.stderr == ""
    made = matplotlib.image.imread(tmp_path / f"{script.stem}.png")
    shown = matplotlib.image.imread(ROOT / "docs/images/gallery" / f"{script.stem}.png")
    assert made.shape == shown.shape
    # On a light ground, with something on it.
    assert made[0, 0, :3].min() == 1
    assert made[..., :3].std() > 0.05


def test_the_page_shows_every_script_with_its_picture():
    shown = re.findall(r"images/gallery/(\w+)\.png", PAGE)
    included = re.findall(r"literalinclude\} \.\./\.\./examples/gallery/(\w+)\.py", PAGE)
    assert sorted(shown) == sorted(included) == [script.stem for script in SCRIPTS]
