import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.settings.duration import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("0.5m", 30), ("12", 12), (" 2H ", 7200)],
)
def test_durations_are_read_as_people_write_them(text, seconds):
    assert seconds_of("--time-limit", text) == seconds


@pytest.mark.parametrize("text", ["", "m", "5x", "-3s", "0s", "5m3", "1e5", "m5", "nan", "inf"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InvalidArgumentError, match="--time-limit: expected a time such as"):
        seconds_of("--time-limit", text)
