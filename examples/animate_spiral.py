"""Makes the moving picture of the README: a network learns to tell three arms of a spiral apart.

python examples/animate_spiral.py                 # docs/images/learning.gif
python examples/animate_spiral.py learning.html   # a page with a slider; also .mp4
"""

import sys
from pathlib import Path

import numpy as np

import chainrule as cr

IMAGES = Path(__file__).parents[1] / "docs" / "images"


def spiral(arms: int = 3, points: int = 110) -> tuple[np.ndarray, np.ndarray]:
    """Return points on the arms of a spiral, and the arm of each."""
    random = np.random.default_rng(4)
    arm = np.repeat(np.arange(arms), points)
    radius = np.tile(np.linspace(0.1, 1.8, points), arms)
    angle = 2 * np.pi * arm / arms + 2.3 * radius + random.normal(0, 0.14, len(arm))
    return np.column_stack([radius * np.sin(angle), radius * np.cos(angle)]), arm


X, arm = spiral()
net = cr.Network(
    [2, cr.Dense(12, "tanh"), cr.Dense(12, "tanh"), cr.Dense(3, "softmax")],
    cost="cross_entropy",
    seed=1,
)
recorder = cr.Recorder()
net.fit(
    X,
    arm,
    optimizer=cr.Adam(0.004),
    epochs=96,
    batch_size=16,
    validation_split=0.2,
    metrics=["accuracy"],
    callbacks=[recorder],
)

if len(sys.argv) > 1:
    cr.animate(recorder, sys.argv[1])
else:
    for theme, name in (("light", "learning.gif"), ("dark", "learning_dark.gif")):
        cr.animate(recorder, IMAGES / name, seconds=8, theme=theme)
