"""`animate`: an animation of a training, from a recording or by repeating a run."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.checks import file_path, is_whole, positive_number, shown
from chainrule.errors import InvalidArgumentError
from chainrule.files.atomic import atomic_path
from chainrule.files.outputs import check_apart, check_writable
from chainrule.limits import FLAG
from chainrule.pictures.animation.film import Film
from chainrule.pictures.animation.gif import write_gif
from chainrule.pictures.animation.page import page
from chainrule.pictures.animation.reel import Reel
from chainrule.pictures.animation.theme import THEMES, theme_named
from chainrule.pictures.animation.video import ffmpeg, write_video
from chainrule.runs.frame_progress import FrameProgress
from chainrule.runs.parts import Table
from chainrule.runs.repetition import repeated
from chainrule.training.recording.filming import film_of
from chainrule.training.recording.recorder import Recorder

# Of each format, the frames a second and the size in pixels that it has by default. A GIF is as
# large as pages show it, since its size in bytes grows with its pixels.
_DEFAULTS: dict[str, tuple[float, tuple[int, int]]] = {
    ".gif": (12.5, (800, 520)),
    ".mp4": (30.0, (1600, 1040)),
    ".html": (25.0, (800, 520)),
}
_MOST_FRAMES = 3000
_SIZES = range(240, 3841)


def animate(
    recording: Recorder | str | Path,
    path: str | Path,
    *,
    epochs: Iterable[int] | None = None,
    seconds: float = 8.0,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    theme: str | None = None,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    table: Table = None,
    verbose: bool = True,
) -> None:
    """Write an animation of a training: a GIF, an MP4, or a page with a slider.

    It shows the weights, the decision boundary or the predicted values, the losses, and the
    activations and gradients of the layers, epoch by epoch. With more than two inputs, the boundary
    is drawn on the plane of the first two principal components of the examples.

    A run, which is deterministic, is trained again. If the network is not the same to the bit, no
    animation is written.

    Parameters
    ----------
    recording : Recorder, or str or Path
        A recorder that was a callback of a training; or the folder of a finished run.
    path : str or Path
        Where to write: .gif; .mp4, which needs the program ffmpeg (the system's, or ``pip install
        "chainrule[video]"``); or .html, a page without any other file. An existing file is
        replaced.
    epochs : list or range of int, optional
        The epochs to show, of those that were recorded; by default as many as there are frames,
        evenly spaced.
    seconds : float, default 8
        Duration; the last epoch is shown two seconds longer. A GIF begins with it.
    fps : float, optional
        Frames per second: by default 12.5 for a GIF, 30 for an MP4, 25 for a page.
    size : (width, height), optional
        In pixels: by default (800, 520) for a GIF and (1600, 1040) for an MP4. A page has the size
        of its window.
    theme : {"light", "dark"}, optional
        By default, a page uses the theme of the reader's system, and images are light.
    feature_names, class_names : sequences of str, optional
        Names of the inputs and of the outputs; those of a run are known.
    table : path, polars or pandas DataFrame, or Arrow table, optional
        The table of a run, if it was moved since the run.
    verbose : bool, default True
        Whether progress is shown, in a terminal or a notebook.

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid, nothing was recorded, there is no ffmpeg, or a run cannot be
        repeated to the bit: its table is missing or has changed, or this machine computes other
        bits.
    FileWriteError, OSError
        If the file cannot be written; an existing file is then left unchanged.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> net = cr.Network([2, cr.Dense(8, "tanh"), cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    >>> recorder = cr.Recorder()
    >>> history = net.fit(X, [0, 1, 1, 0], epochs=40, callbacks=[recorder])
    >>> cr.animate(recorder, "learning.gif")                             # doctest: +SKIP
    """
    path, format_ = _checked_path(path)
    seconds = positive_number("seconds", seconds)
    rate = _DEFAULTS[format_][0] if fps is None else positive_number("fps", fps)
    width, height = _checked_size(size, _DEFAULTS[format_][1])
    if theme is not None:
        theme_named(theme)
    FLAG.require(verbose, "verbose: expected")
    most = _most_frames(seconds, rate)
    if format_ == ".mp4":
        ffmpeg()
    check_apart([("path", path)], _inputs(recording, table))
    check_writable("path", path)
    with _progress(verbose) as progress:
        film = _film(recording, epochs, most, feature_names, class_names, table, progress)
        shown_frames = progress.of("drawing frames", len(film.epochs))
        with atomic_path(path) as temporary:
            if format_ == ".html":
                content = page(film, seconds, theme, shown_frames)
                temporary.write_text(content, encoding="utf-8")
                return
            reel = Reel(film, THEMES[theme or "light"], width, height, seconds)
            if format_ == ".gif":
                write_gif(reel, temporary, shown_frames)
            else:
                write_video(reel, temporary, shown_frames, rate)


def _film(
    recording: Recorder | str | Path,
    epochs: Iterable[int] | None,
    most: int,
    feature_names: Sequence[str] | None,
    class_names: Sequence[str] | None,
    table: Table,
    progress: FrameProgress,
) -> Film:
    if isinstance(recording, Recorder):
        if table is not None:
            raise InvalidArgumentError(
                f"table: only the folder of a run needs one; got {shown(type(table).__name__)} "
                "with a Recorder"
            )
        recording.data()
        return film_of(recording, _chosen(recording, epochs, most), feature_names, class_names)
    recorder = Recorder()
    prepared, _ = repeated(recording, [recorder, progress.training()], table)
    target = prepared.target
    if feature_names is None:
        feature_names = [str(name) for name in prepared.encoder.get_feature_names_out()]
    if class_names is None:
        class_names = [str(name) for name in target.classes] or [target.name]

    def units(values: Any) -> Any:
        with np.errstate(all="ignore"):
            return target.undone(values.astype(np.float64) * target.std + target.mean)

    return film_of(
        recorder,
        _chosen(recorder, epochs, most),
        feature_names,
        class_names,
        scaled=prepared.encoder.scaling != "none",
        units=units if target.task == "regression" else None,
    )


def _chosen(recorder: Recorder, epochs: Iterable[int] | None, most: int) -> list[int]:
    """Return the epochs of the frames, in order."""
    recorded = recorder.epochs
    if epochs is None:
        places = np.linspace(0, len(recorded) - 1, min(most, len(recorded)))
        return [recorded[index] for index in np.unique(np.round(places).astype(int))]
    try:
        wanted = list(epochs)
    except TypeError:
        raise InvalidArgumentError(
            f"epochs: expected a list or range of epochs; got {shown(epochs)}"
        ) from None
    if not wanted:
        raise InvalidArgumentError("epochs: expected at least one epoch; got none")
    if len(wanted) > _MOST_FRAMES:
        raise InvalidArgumentError(
            f"epochs: expected at most {_MOST_FRAMES} epochs; got {len(wanted)}"
        )
    try:
        return sorted({recorded[recorder.index(epoch)] for epoch in wanted})
    except InvalidArgumentError as error:
        raise InvalidArgumentError(str(error).replace("epoch:", "epochs:", 1)) from None


def _checked_path(path: object) -> tuple[Path, str]:
    found = file_path("path", path)
    suffix = found.suffix.lower()
    if suffix not in _DEFAULTS:
        raise InvalidArgumentError(
            f"path: expected a name that ends in .gif, .mp4 or .html; got {shown(str(found))}"
        )
    return found, suffix


def _checked_size(size: Any, default: tuple[int, int]) -> tuple[int, int]:
    if size is None:
        return default
    is_pair = isinstance(size, tuple | list) and len(size) == 2 and all(map(is_whole, size))
    if not is_pair or not all(int(side) in _SIZES for side in size):
        raise InvalidArgumentError(
            f"size: expected (width, height) in pixels, each from {_SIZES[0]} to {_SIZES[-1]}; got "
            f"{shown(size)}"
        )
    width, height = int(size[0]), int(size[1])
    if not 1 <= width / height <= 2:
        raise InvalidArgumentError(
            f"size: expected a width of one to two times the height; got {shown(size)}"
        )
    return width, height


def _most_frames(seconds: float, fps: float) -> int:
    frames = round(seconds * fps)
    if frames > _MOST_FRAMES:
        raise InvalidArgumentError(
            f"seconds, fps: expected at most {_MOST_FRAMES} frames; got {seconds:g} seconds with "
            f"{fps:g} frames each"
        )
    return max(1, frames)


def _inputs(recording: object, table: object) -> list[tuple[str, str | Path]]:
    """Return the files that are read, which must not be overwritten."""
    if isinstance(recording, Recorder):
        return []
    if not isinstance(recording, str | Path):
        raise InvalidArgumentError(
            "recording: expected a Recorder that was a callback of fit, or the folder of a run; "
            f"got {shown(recording)}"
        )
    folder = Path(recording)
    files = sorted(folder.iterdir()) if folder.is_dir() else [folder]
    found: list[tuple[str, str | Path]] = [("recording", file) for file in files if file.is_file()]
    return found + ([("table", table)] if isinstance(table, str | Path) else [])


@contextmanager
def _progress(verbose: bool) -> Iterator[FrameProgress]:
    progress = FrameProgress(verbose)
    try:
        yield progress
    finally:
        progress.close()
