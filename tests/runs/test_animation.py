"""Films of trainings: the files open, show what was recorded, and appear whole or not at all."""

import base64
import json
import re
import struct
import zlib

import numpy as np
import polars as pl
import pytest
from PIL import Image

import chainrule as cr
from chainrule.errors import FileWriteError, InvalidArgumentError
from chainrule.pictures.animation import video

HOSTILE = "</script><script>alert(1)</script>"


def trained(epochs: int = 9):
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 2))
    net = cr.Network([2, cr.Dense(5, "tanh"), cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    recorder = cr.Recorder()
    net.fit(X, X[:, 0] > 0, epochs=epochs, validation_split=0.2, callbacks=[recorder])
    return recorder, net


@pytest.fixture(scope="module")
def recorder():
    return trained()[0]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A run on a table in a file, and the file."""
    folder = tmp_path_factory.mktemp("run")
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 120))
    table = folder / "table.csv"
    pl.DataFrame({"a": a, "b": b, "kind": np.where(a > b, "over", "under")}).write_csv(table)
    run = cr.train(table, target="kind", epochs=4, layers=[6], verbose=False)
    run.save(folder / "run", report=False)
    return folder / "run", table


def frames_of(path):
    with Image.open(path) as image:
        found = []
        for number in range(image.n_frames):
            image.seek(number)
            found.append((np.asarray(image.convert("RGB")), image.info["duration"]))
        return found


def test_a_gif_begins_with_the_last_epoch_and_has_a_frame_for_each(recorder, tmp_path):
    path = tmp_path / "learning.gif"
    cr.animate(recorder, path, seconds=2, size=(400, 260), verbose=False)
    frames = frames_of(path)
    assert len(frames) == 10
    assert frames[0][0].shape == (260, 400, 3)
    assert [duration for _, duration in frames] == [2000, *[220] * 9]
    assert (frames[0][0][0, 0] == 255).all()
    # Epochs 0 and 9 look different, and the last frame is not the first one again.
    assert (frames[0][0] != frames[1][0]).any()
    assert (frames[0][0] != frames[9][0]).any()
    with Image.open(path) as image:
        assert image.info["loop"] == 0


def test_a_gif_shows_nearly_the_colours_of_the_still(recorder, tmp_path):
    path = tmp_path / "learning.gif"
    cr.animate(recorder, path, epochs=[9], size=(800, 520), theme="dark", verbose=False)
    recorder.picture(9, theme="dark").save(tmp_path / "still.png")
    with Image.open(tmp_path / "still.png") as still:
        expected = np.asarray(still.convert("RGB").resize((800, 520))).astype(int)
    found = frames_of(path)[0][0].astype(int)
    assert np.abs(found - expected).mean() < 6


def test_the_same_recording_gives_the_same_bytes(recorder, tmp_path):
    for name in ("a.gif", "b.gif", "a.html", "b.html"):
        cr.animate(recorder, tmp_path / name, seconds=1, size=(320, 240), verbose=False)
    for suffix in ("gif", "html"):
        one, two = (tmp_path / f"{name}.{suffix}" for name in "ab")
        assert one.read_bytes() == two.read_bytes()


def boxes(content):
    """Yield the names and contents of the boxes of an MP4."""
    at = 0
    while at < len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        yield name.decode(), content[at + 8 : at + size]
        at += size


def test_a_video_has_the_size_and_the_duration_that_were_asked_for(recorder, tmp_path):
    path = tmp_path / "learning.mp4"
    cr.animate(recorder, path, seconds=2, fps=10, size=(321, 260), verbose=False)
    found = dict(boxes(path.read_bytes()))
    assert found["ftyp"].startswith(b"isom")
    assert list(found).index("moov") < list(found).index("mdat")  # plays while it loads
    movie = dict(boxes(found["moov"]))
    scale, duration = struct.unpack(">II", movie["mvhd"][12:20])
    assert duration / scale == pytest.approx(2 + 2, abs=0.11)
    width, height = struct.unpack(">II", dict(boxes(movie["trak"]))["tkhd"][-8:])
    assert (width >> 16, height >> 16) == (320, 260)


def test_without_ffmpeg_a_video_names_the_remedy(recorder, tmp_path, monkeypatch):
    monkeypatch.setattr(video.shutil, "which", lambda name: None)
    monkeypatch.setattr(video, "find_spec", lambda name: None)
    path = tmp_path / "learning.mp4"
    with pytest.raises(InvalidArgumentError, match=r"ffmpeg.*pip install \"chainrule\[video\]\""):
        cr.animate(recorder, path, verbose=False)
    assert not path.exists()


def test_what_ffmpeg_says_is_the_error(recorder, tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho 'Unknown encoder libx264' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(video.shutil, "which", lambda name: str(program))
    path = tmp_path / "learning.mp4"
    path.write_bytes(b"old")
    with pytest.raises(FileWriteError, match="Unknown encoder libx264"):
        cr.animate(recorder, path, verbose=False)
    assert path.read_bytes() == b"old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["ffmpeg", "learning.mp4"]


@pytest.mark.parametrize("suffix", ["gif", "mp4", "html"])
def test_an_interruption_leaves_nothing_half_written(recorder, tmp_path, monkeypatch, suffix):
    from chainrule.runs import frame_progress

    def interrupted(number):
        if number == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(frame_progress.FrameProgress, "of", lambda *_: interrupted)
    path = tmp_path / f"learning.{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        cr.animate(recorder, path, size=(320, 240), verbose=False)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]


def film_in(page):
    data = re.search(r'<script type="application/json" id="film">(.*?)</script>', page, re.S)
    return json.loads(data[1])


def unpacked(film):
    """The bytes of the frames, as the script of a page makes them."""
    content = np.frombuffer(zlib.decompress(base64.b64decode(film["bytes"])), np.uint8)
    return np.cumsum(content.reshape(-1, film["size"]), axis=0, dtype=np.uint8)


def test_a_page_holds_the_weights_of_each_epoch(recorder, tmp_path):
    path = tmp_path / "learning.html"
    cr.animate(recorder, path, verbose=False)
    film = film_in(path.read_text(encoding="utf-8"))
    assert film["epochs"] == recorder.epochs
    for frame, epoch in enumerate(recorder.epochs):
        levels = unpacked(film)[frame, :27].view(np.int8)
        net = cr.Network.from_parameters(recorder.spec, recorder.parameters(epoch))
        values = np.concatenate([*map(np.ravel, net.weights), *net.biases])
        large = np.abs(levels) < 127
        scale = np.abs(values[large]).max() / np.abs(levels[large]).max()
        np.testing.assert_allclose(levels[large] * scale, values[large], atol=1.1 * scale)


def test_a_page_loads_nothing_and_escapes_hostile_names(recorder, tmp_path):
    path = tmp_path / "learning.html"
    names = {"feature_names": [HOSTILE, "b\x1b[2J"], "class_names": [HOSTILE, "y"]}
    cr.animate(recorder, path, verbose=False, **names)
    page = path.read_text(encoding="utf-8")
    assert "alert(1)</script>" not in page
    assert "\x1b" not in page
    assert page.count("<script") == 2
    assert film_in(page)["features"][0].startswith("</script>")
    assert "default-src 'none'" in page
    assert not re.search(r'(src|href)="?(http|//)', page)


def test_the_policy_of_a_page_allows_its_own_script_alone(recorder, tmp_path):
    import hashlib

    path = tmp_path / "learning.html"
    cr.animate(recorder, path, verbose=False)
    page = path.read_text(encoding="utf-8")
    script = re.findall(r"<script>(.*?)</script>", page, re.S)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page


def test_the_film_of_a_run_is_that_of_its_training(run_folder, tmp_path):
    folder, _ = run_folder
    path = tmp_path / "learning.html"
    cr.animate(folder, path, verbose=False)
    film = film_in(path.read_text(encoding="utf-8"))
    assert film["epochs"] == [0, 1, 2, 3, 4]
    assert film["features"] == ["a", "b"]
    assert film["plane"]["labels"] == ["a (scaled)", "b (scaled)"]
    lines = pl.read_csv(folder / "history.csv")
    assert film["loss"]["series"][0][1:] == pytest.approx(lines["loss"].to_list(), rel=1e-3)


def test_values_of_a_run_are_in_their_own_units(tmp_path):
    x = np.linspace(100, 200, 80)
    table = pl.DataFrame({"x": x, "price": 1000 + 10 * x})
    cr.train(table, "price", epochs=2, layers=[4], verbose=False).save(tmp_path / "run")
    cr.animate(tmp_path / "run", tmp_path / "f.html", table=table, verbose=False)
    bottom, top = film_in((tmp_path / "f.html").read_text(encoding="utf-8"))["plane"]["limits"][2:]
    assert bottom == pytest.approx(2000, rel=0.1)
    assert top == pytest.approx(3000, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "learning.avi"}, "path: expected a name that ends in .gif, .mp4 or .html"),
        ({"path": 3}, "path: expected the path of a file"),
        ({"recording": None}, "recording: expected a Recorder"),
        ({"recording": cr.Recorder()}, "callbacks="),
        ({"seconds": 0}, "seconds: expected a finite number > 0"),
        ({"fps": "x"}, "fps: expected a finite number > 0"),
        ({"seconds": 1e4}, "seconds, fps: expected at most 3000 frames"),
        ({"size": (10, 10)}, "size: expected .width, height. in pixels"),
        ({"size": (400, 3000)}, "size: expected a width of one to two times the height"),
        ({"theme": "drak"}, "theme: expected light or dark; .* did you mean 'dark'"),
        ({"epochs": []}, "epochs: expected at least one"),
        ({"epochs": 3}, "epochs: expected a list or range"),
        ({"epochs": [3, 77]}, "epochs: expected one of the 10 recorded .* nearest one is 9"),
        ({"class_names": ["a"]}, "class_names: expected 2 names"),
        ({"table": "t.csv"}, "table: only the folder of a run needs one"),
        ({"verbose": 2}, "verbose: expected True or False"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_written(
    recorder, tmp_path, arguments, message
):
    given = {"recording": recorder, "path": tmp_path / "f.gif", "verbose": False} | arguments
    if given["path"] == "learning.avi":
        given["path"] = tmp_path / "learning.avi"
    with pytest.raises(InvalidArgumentError, match=message):
        cr.animate(given.pop("recording"), given.pop("path"), **given)
    assert not list(tmp_path.iterdir())


def test_a_film_never_overwrites_what_it_is_made_from(run_folder, tmp_path):
    folder, table = run_folder
    link = tmp_path / "film.gif"
    link.symlink_to(table)
    with pytest.raises(InvalidArgumentError, match="would be overwritten"):
        cr.animate(folder, link, table=table, verbose=False)
    link.unlink()
    link.symlink_to(folder / "model.safetensors")
    with pytest.raises(InvalidArgumentError, match="would be overwritten"):
        cr.animate(folder, link, verbose=False)
