"""The shares of ranks."""

from hypothesis import given
from hypothesis import strategies as st

from chainrule.communication.shares import WHOLE, Share, share_of
from tests.communication.thread_ranks import ThreadRank


@given(n=st.integers(0, 10**12), size=st.integers(1, 50))
def test_shares_follow_each_other_and_are_equal_to_within_one(n, size):
    shares = [Share(rank, size) for rank in range(size)]
    ends = [0, *(share.of(n).stop for share in shares)]
    assert [share.of(n).start for share in shares] == ends[:-1]
    assert ends[-1] == n
    counts = [share.count(n) for share in shares]
    assert max(counts) - min(counts) <= 1
    assert {share.largest(n) for share in shares} == {max(counts)}


@given(batch=st.integers(1, 40), size=st.integers(1, 9), steps=st.integers(0, 30), left=st.data())
def test_what_ranks_take_in_whole_batches_and_a_smaller_last_one_is_their_share_of_all(
    batch, size, steps, left
):
    last = left.draw(st.integers(0, batch * size - 1))
    for rank in range(size):
        share = Share(rank, size)
        taken = steps * share.count(batch * size) + share.count(last)
        assert taken == share.count(steps * batch * size + last)


def test_a_process_without_others_has_everything():
    assert share_of(None) == WHOLE == share_of(ThreadRank(0, 1, None, [], []))
    assert WHOLE.of(7) == slice(0, 7)
