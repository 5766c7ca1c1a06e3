"""A film as an MP4 (H.264), which the program ffmpeg encodes."""

import contextlib
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile

from chainrule.errors import FileWriteError, InvalidArgumentError
from chainrule.pictures.animation.reel import Reel


def ffmpeg() -> str:
    """Return the program: the system's, or that of the package imageio-ffmpeg.

    Raises
    ------
    InvalidArgumentError
        If there is neither.
    """
    found = shutil.which("ffmpeg")
    if found:
        return found
    if find_spec("imageio_ffmpeg") is not None:
        import imageio_ffmpeg

        try:
            return str(imageio_ffmpeg.get_ffmpeg_exe())
        except RuntimeError:  # a package without its program
            pass
    raise InvalidArgumentError(
        "path: an .mp4 needs the program ffmpeg, which is not installed; pip install "
        '"chainrule[video]" installs it, or your system does (apt install ffmpeg, brew install '
        "ffmpeg). A .gif or .html needs neither"
    )


def write_video(reel: Reel, path: Path, shown: Callable[[int], None], fps: float) -> None:
    """Write a film as an MP4, with the last epoch held at the end.

    Parameters
    ----------
    reel : Reel
    path : Path
    shown : callable
        Called with the number of frames that are done.
    fps : float
        Frames a second of the file; a frame of the film may stand for several.

    Raises
    ------
    InvalidArgumentError
        If there is no ffmpeg.
    FileWriteError
        If ffmpeg fails; the message has its reason.
    """
    # 4:2:0, which all players show, halves the resolution of colours: both sides must be even.
    width, height = reel.width - reel.width % 2, reel.height - reel.height % 2
    command = [
        *(ffmpeg(), "-nostdin", "-y", "-loglevel", "error"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"),
        *("-r", f"{fps:g}", "-i", "-", "-an"),
        *("-c:v", "libx264", "-preset", "medium", "-crf", "18", "-pix_fmt", "yuv420p"),
        *("-vf", "scale=out_color_matrix=bt709:out_range=tv"),
        *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        # No version, no time: the same film is the same file.
        *("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"),
        *("-movflags", "+faststart", "-f", "mp4", str(path)),
    ]
    with TemporaryFile() as complaints:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=complaints)
        assert process.stdin is not None
        try:
            for number, image in enumerate(reel.images(range(len(reel))), 1):
                last = number == len(reel)
                frame = image[:height, :width].tobytes()
                for _ in range(_copies(reel, number, fps) + last * round(reel.pause * fps)):
                    process.stdin.write(frame)
                shown(number)
            process.stdin.close()
            code = process.wait()
        except BrokenPipeError:  # it ended early, and says why
            code = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            with contextlib.suppress(BrokenPipeError):  # of what it did not read
                process.stdin.close()
        if code != 0:
            complaints.seek(0)
            said = complaints.read().decode(errors="replace").strip().splitlines()
            reason = said[-1] if said else f"code {code}"
            raise FileWriteError(f"path: ffmpeg could not write the video: {reason}")


def _copies(reel: Reel, number: int, fps: float) -> int:
    """Return how many frames of the file show this frame of the film; the first one is number 1."""
    each = reel.seconds * fps / len(reel)
    return max(1, round(number * each) - round((number - 1) * each))
