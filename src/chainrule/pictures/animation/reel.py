"""What all formats of a film share: its images, their size and their durations."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.pictures.animation.film import Film
from chainrule.pictures.animation.stage import WIDTH, Stage
from chainrule.pictures.animation.theme import Theme


@dataclass(frozen=True)
class Reel:
    """A film with its look and its speed.

    Parameters
    ----------
    film : Film
    theme : Theme
    width, height : int
        Of a frame, in pixels.
    seconds : float
        Of the whole film, without the pause on the last epoch.
    pause : float
        Seconds for which the last epoch is shown.
    """

    film: Film
    theme: Theme
    width: int
    height: int
    seconds: float
    pause: float = 2.0

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.film.epochs)

    @property
    def stage(self) -> Stage:
        """A new figure of this size."""
        dpi = self.width / WIDTH
        return Stage(self.film, self.theme, self.height / dpi, dpi)

    def images(self, frames: range | list[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield frames as images, exactly (height, width, 3)."""
        for image in self.stage.images(frames):
            # A figure's size in pixels is rounded, by one pixel at most.
            missing = (self.height - image.shape[0], self.width - image.shape[1])
            if max(missing) > 0:
                image = np.pad(image, [(0, max(0, n)) for n in missing] + [(0, 0)], mode="edge")
            yield image[: self.height, : self.width]
