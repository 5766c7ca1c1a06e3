"""A film as a GIF: one palette for all frames, and of each frame only what has changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.pictures.animation.reel import Reel

_COLOURS = 127
"""Of the palette; one more entry stands for "unchanged"."""
_INVISIBLE = 16
"""A change of red, green and blue by no more than this, out of 255, is left out."""
_SAMPLES = 16
"""Frames from which the palette is made."""


def write_gif(reel: Reel, path: Path, shown: Callable[[int], None]) -> None:
    """Write a film as a GIF that repeats for ever.

    It begins with the last epoch, on which it pauses: programs that show a single frame show the
    result, and the repetition goes from the result to the beginning.

    Parameters
    ----------
    reel : Reel
    path : Path
    shown : callable
        Called with the number of frames that are done.
    """
    from PIL import Image

    last = len(reel) - 1
    order = [last, *range(last)]
    durations = _durations(reel, len(order))
    palette = _palette(reel)
    frames: list[Any] = []
    seen: NDArray[np.uint8] | None = None  # the entries that a viewer sees
    colours = np.array(palette.getpalette(), np.uint8).reshape(-1, 3)
    exact = _exact(reel)
    for number, image in enumerate(reel.images(order), 1):
        indices = np.array(
            Image.fromarray(image).quantize(palette=palette, dither=Image.Dither.NONE)
        )
        # Pillow finds a near entry of the palette, not always the nearest one.
        for index, colour in enumerate(exact):
            indices[_is_near(image, np.array(colour, np.uint8), 0)] = index
        if seen is None:
            seen = indices
        else:
            # On the ground, even a faint rest of what was there would show.
            near = _is_near(image, colours[seen], _INVISIBLE) & (indices != 0)
            same = (indices == seen) | near
            seen = np.where(same, seen, indices)
            indices = np.where(same, np.uint8(_COLOURS), indices)
        frame = Image.fromarray(indices, "P")
        frame.putpalette(palette.getpalette())
        frames.append(frame)
        shown(number)
    frames[0].save(
        path,
        format="GIF",
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=0,
        disposal=1,
        transparency=_COLOURS,
        optimize=False,
    )


def _durations(reel: Reel, count: int) -> list[int]:
    """Return how long each frame is shown, in milliseconds; a GIF counts in hundredths."""
    if count == 1:
        return [round(1000 * reel.pause)]
    each = max(20, 10 * round(100 * reel.seconds / (count - 1)))
    return [round(1000 * reel.pause), *[each] * (count - 1)]


def _palette(reel: Reel) -> Any:
    """Return an image with the palette: the theme's colours, and others of some frames."""
    from PIL import Image

    exact = _exact(reel)
    some = np.unique(np.linspace(0, len(reel) - 1, _SAMPLES).astype(int))
    sheet = np.concatenate(list(reel.images([int(frame) for frame in some])))
    # The ground is most of a frame, and would blur what is nearly of its colour.
    others = sheet[~_is_near(sheet, np.array(exact[0], np.uint8), 0)]
    found = Image.fromarray(others[None]).quantize(
        _COLOURS - len(exact), method=Image.Quantize.MEDIANCUT
    )
    own = [number for colour in exact for number in colour]
    listed = [*own, *(found.getpalette() or [])][: 3 * _COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([*listed, *exact[0] * (_COLOURS + 1 - len(listed) // 3)])
    return palette


def _is_near(image: NDArray[np.uint8], other: NDArray[np.uint8], most: int) -> NDArray[np.bool_]:
    """Tell for each pixel whether red, green and blue differ by at most `most`."""
    near = np.ones(image.shape[:2], bool)
    for channel in range(3):
        one, two = image[..., channel], other[..., channel]
        near &= np.maximum(one, two) - np.minimum(one, two) <= most
    return near


def _exact(reel: Reel) -> list[tuple[int, int, int]]:
    """Return the colours that the palette has as they are: they cover most of a frame."""
    theme = reel.theme
    return [
        (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))
        for colour in (theme.ground, theme.ink, theme.muted, theme.faint)
    ]
