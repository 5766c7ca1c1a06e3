"""Training on windows of a stream: the same steps as in memory, in bounded memory."""

import threading
import time
from contextlib import nullcontext

import numpy as np
import pytest

from chainrule.communication.shares import WHOLE, Share
from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError
from chainrule.training.courses import StreamedCourse, WindowOrder
from chainrule.training.streaming import Piece, WindowedStream


class Source:
    """Rows that hold their own numbers, in pieces of some sizes."""

    identity = "numbers"

    def __init__(self, rows, sizes=(7, 3, 11), lacking=0):
        self.rows, self._sizes, self._lacking = rows, sizes, lacking
        self.written = []

    def pieces(self, epoch, first):
        place, turn = first, 0
        while place < self.rows - self._lacking:
            rows = min(self._sizes[turn % len(self._sizes)], self.rows - self._lacking - place)
            yield self._piece(place, rows)
            place, turn = place + rows, turn + 1

    def _piece(self, start, rows):
        def write(chosen, out):
            numbers = np.arange(start, start + rows)[chosen]
            out[:] = numbers[:, None]
            self.written.append(len(numbers))
            return numbers

        return Piece(rows, write)


SAMPLE = Examples(np.zeros((1, 2), np.float32), np.zeros((1, 1), np.float32))


def stream_of(source, buffer=20):
    return WindowedStream(source, 2, "float32", lambda X, y: Examples(X, y[:, None]), buffer)


def copied(windows):
    """Return windows that stay as they are when the next one is read."""
    return [
        window._replace(examples=window.examples.take(np.arange(len(window.examples.X))))
        for window in windows
    ]


def test_windows_hold_the_rows_in_order_and_whole_batches():
    windows = copied(stream_of(Source(103)).windows(1, 0, batch_size=8))
    assert [window.first for window in windows] == list(range(0, 103, 16))
    assert [window.number for window in windows] == list(range(7))
    together = np.concatenate([window.examples.X for window in windows])
    np.testing.assert_array_equal(together, np.repeat(np.arange(103), 2).reshape(-1, 2))
    targets = np.concatenate([window.examples.Y for window in windows])
    np.testing.assert_array_equal(targets[:, 0], np.arange(103))


def test_windows_from_a_place_on_begin_with_the_window_of_that_place():
    whole = copied(stream_of(Source(103)).windows(1, 0, batch_size=8))
    later = copied(stream_of(Source(103)).windows(1, 40, batch_size=8))
    assert [window.number for window in later] == [2, 3, 4, 5, 6]
    np.testing.assert_array_equal(later[0].examples.X, whole[2].examples.X)


@pytest.mark.parametrize(
    ("buffer", "batch", "size"),
    [(20, 8, 16), (5, 8, 8), (None, 8, 104), (1000, 8, 104), (20, 200, 200)],
)
def test_a_window_has_whole_batches_and_no_more_rows_than_the_buffer(buffer, batch, size):
    assert stream_of(Source(103), buffer).size(batch) == size


@pytest.mark.parametrize(
    ("rank", "ranks", "buffer", "batch", "size"),
    # A batch of all ranks gives each 8 rows, or the only batch 34 or 35; shares are of 51 and 52.
    [(0, 2, 20, 16, 16), (1, 2, 5, 16, 8), (1, 2, None, 16, 56), (0, 3, 20, 103, 35)],
)
def test_a_window_of_a_rank_has_as_many_rows_as_one_of_a_process_by_itself(
    rank, ranks, buffer, batch, size
):
    stream = stream_of(Source(103), buffer).of_rank(Share(rank, ranks))
    assert stream.size(batch) == size
    windows = copied(stream.windows(1, 0, batch))
    assert max(len(window.examples.X) for window in windows) <= size
    together = np.concatenate([window.examples.X[:, 0] for window in windows])
    first, end = 103 * rank // ranks, 103 * (rank + 1) // ranks
    np.testing.assert_array_equal(together, np.arange(first, end))


def test_the_text_of_a_stream_tells_among_how_many_ranks_it_is_divided():
    texts = {ranks: stream_of(Source(103)).of_rank(Share(0, ranks)).identity for ranks in (1, 2, 3)}
    assert texts[1] == stream_of(Source(103)).identity
    assert len(set(texts.values())) == 3
    assert texts[3] == stream_of(Source(103)).of_rank(Share(2, 3)).identity


@pytest.mark.parametrize("share", [WHOLE, Share(1, 2)])
def test_no_more_than_two_windows_are_in_memory(share):
    source = Source(160 * share.size, sizes=(8,))
    places = set()
    for window in stream_of(source, 16).of_rank(share).windows(1, 0, 8 * share.size):
        places.add(window.examples.X.ctypes.data)
        time.sleep(0.01)  # the reader is one window ahead, and waits
        assert sum(source.written) <= window.first // share.size + 2 * 16
    assert len(places) == 2


def test_the_reader_ends_with_the_training():
    before = threading.active_count()
    windows = stream_of(Source(1000)).windows(1, 0, 8)
    next(windows)
    assert threading.active_count() == before + 1
    windows.close()
    assert threading.active_count() == before


def test_an_error_of_the_reader_is_raised_where_the_rows_are_used():
    source = Source(103)

    def failing(epoch, first):
        yield from list(Source(103).pieces(epoch, first))[:4]
        raise OSError("the disk is gone")

    source.pieces = failing
    with pytest.raises(OSError, match="the disk is gone"):
        copied(stream_of(source).windows(1, 0, 8))


def test_a_source_that_ends_too_early_is_an_error():
    with pytest.raises(InvalidArgumentError, match="it ended before the number of rows"):
        copied(stream_of(Source(103, lacking=5)).windows(1, 0, 8))


def test_a_slow_reader_is_waited_for():
    source = Source(40)
    pieces = source.pieces

    def slow(epoch, first):
        for piece in pieces(epoch, first):
            time.sleep(0.05)
            yield piece

    source.pieces = slow
    assert len(copied(stream_of(source).windows(1, 0, 8))) == 3


def test_each_row_of_a_window_is_in_one_batch_and_the_order_differs_by_window_and_epoch():
    def batches(epoch):
        windows = stream_of(Source(64), 32).windows(epoch, 0, 8)
        order = WindowOrder(3, epoch, True)
        with StreamedCourse(windows, 8, order, lambda examples: nullcontext(), SAMPLE) as course:
            rows = []
            done = 0
            while done < 8:
                examples, own, stop, _ = course.part(done, 8)
                rows.append(examples.X[own[0], 0].copy())
                done = stop
        return rows

    first, second = batches(1)
    assert sorted(first) == list(range(32))
    assert sorted(second) == list(range(32, 64))
    assert list(first) != list(second - 32)
    assert list(batches(2)[0]) != list(first)
    assert list(batches(1)[0]) == list(first)
