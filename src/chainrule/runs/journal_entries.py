"""Validation of a search's journal entries: every entry is checked before it is used.

Optuna accepts any JSON, and fails later with an unrelated message. The entries are those of its
journal storage (`op_code`); only the codes that a search writes are accepted here.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

MOST_TRIALS = 100_000
"""The most trials in a journal: no search writes more, and reading them would take hours."""

_MOST = 2**53
_RUNNING, _COMPLETE, _PRUNED, _FAILED, _WAITING = range(5)
_ENDED = (_COMPLETE, _PRUNED, _FAILED)


class EntryError(ValueError):
    """An entry is invalid; the message is the fault."""


class Entries:
    """Checks entries in file order.

    ``line_of`` has, for each trial, the number of the last line that refers to it.
    """

    def __init__(self) -> None:
        self.line_of: list[int] = []
        self._states: list[int] = []
        self._studies: set[str] = set()
        self._line = 0

    def check(self, entry: Mapping[str, Any]) -> None:
        """Check the next entry.

        Raises
        ------
        EntryError
            If a search never writes such an entry at this position.
        """
        self._line += 1
        code = entry.get("op_code")
        check = _CHECKS.get(code) if type(code) is int else None
        _require(check is not None, f"has the unknown op_code {str(code)[:30]}")
        _require(type(entry.get("worker_id")) is str, "names no worker")
        assert check is not None
        check(self, entry)

    def _study(self, entry: Mapping[str, Any]) -> None:
        name = entry.get("study_name")
        # A repeated name is valid: Optuna writes this entry again whenever it resumes a study.
        _require(type(name) is str, "names no study")
        _require(entry.get("directions") == [1], "is of a study that minimises no loss")
        self._studies.add(str(name))

    def _of_study(self, entry: Mapping[str, Any]) -> None:
        number = entry.get("study_id")
        known = type(number) is int and 0 <= number < len(self._studies)
        _require(known, f"is of the study {str(number)[:30]}, which there is not")

    def _study_attribute(self, entry: Mapping[str, Any]) -> None:
        self._of_study(entry)
        given = entry.get("user_attr", entry.get("system_attr"))
        _require(isinstance(given, dict) and len(given) == 1, "has no attribute")

    def _trial(self, entry: Mapping[str, Any]) -> None:
        self._of_study(entry)
        _require(len(self._states) < MOST_TRIALS, f"is of more than {MOST_TRIALS:,} trials")
        state = entry.get("state", _RUNNING)
        _require(
            type(state) is int and state in (_RUNNING, _WAITING), f"has the state {_short(state)}"
        )
        began = entry.get("datetime_start")
        _require(began is None or _is_time(began), "has no time")
        for name in ("distributions", "params", "user_attrs", "intermediate_values"):
            _require(entry.get(name, {}) == {}, f"has {name} from the beginning")
        _require(entry.get("value") is None and entry.get("values") is None, "has a value at once")
        attributes = entry.get("system_attrs", {})
        fixed = attributes.get("fixed_params", {}) if isinstance(attributes, dict) else None
        _require(isinstance(fixed, dict), "has system_attrs that are none")
        self._states.append(state)
        self.line_of.append(self._line)

    def _of_trial(self, entry: Mapping[str, Any]) -> int:
        number = entry.get("trial_id")
        known = type(number) is int and 0 <= number < len(self._states)
        _require(known, f"is of the trial {_short(number)}, which there is not")
        assert isinstance(number, int)
        _require(self._states[number] not in _ENDED, f"is of trial {number}, which has ended")
        self.line_of[number] = self._line
        return number

    def _parameter(self, entry: Mapping[str, Any]) -> None:
        from optuna.distributions import CategoricalDistribution, json_to_distribution

        self._of_trial(entry)
        name, value, text = (
            entry.get(key) for key in ("param_name", "param_value_internal", "distribution")
        )
        _require(type(name) is str and type(text) is str, "names no parameter")
        try:
            distribution = json_to_distribution(str(text))
        except Exception as error:  # Optuna raises various exceptions
            raise EntryError(f"has no distribution ({error!r:.60})") from error
        fits = _is_number(value)
        if fits and isinstance(distribution, CategoricalDistribution):
            fits = value == int(value) and 0 <= value < len(distribution.choices)  # type: ignore[arg-type]
        elif fits:
            fits = distribution._contains(float(value))  # type: ignore[arg-type]
        _require(fits, f"has a {str(name)[:30]} of {_short(value)}, which is not in its range")

    def _state(self, entry: Mapping[str, Any]) -> None:
        number = self._of_trial(entry)
        state, values = entry.get("state"), entry.get("values")
        known = type(state) is int and state in (_RUNNING, *_ENDED)
        _require(known, f"has the state {_short(state)}")
        time = entry.get("datetime_start" if state == _RUNNING else "datetime_complete")
        _require(_is_time(time), "has no time")
        one = isinstance(values, list) and len(values) == 1 and _is_number(values[0], infinite=True)
        _require(one or (values is None and state != _COMPLETE), f"has the values {_short(values)}")
        assert isinstance(state, int)
        self._states[number] = state

    def _intermediate(self, entry: Mapping[str, Any]) -> None:
        self._of_trial(entry)
        step = entry.get("step")
        _require(type(step) is int and 0 <= step < _MOST, f"has the step {_short(step)}")
        value = entry.get("intermediate_value")
        _require(_is_number(value, infinite=True), f"has the value {_short(value)}")

    def _attribute(self, entry: Mapping[str, Any]) -> None:
        self._of_trial(entry)
        given = entry.get("user_attr", entry.get("system_attr"))
        _require(isinstance(given, dict) and len(given) == 1, "has no attribute")
        assert isinstance(given, dict)
        epochs = given.get("epochs", 0)
        _require(type(epochs) is int and 0 <= epochs < _MOST, f"has epochs of {_short(epochs)}")
        took = given.get("seconds", 0.0)
        _require(_is_number(took) and took >= 0, f"has seconds of {_short(took)}")
        _require(isinstance(given.get("fixed_params", {}), dict), "has fixed_params that are none")


_CHECKS: Mapping[int, Callable[[Entries, Mapping[str, Any]], None]] = MappingProxyType(
    {
        0: Entries._study,
        2: Entries._study_attribute,
        3: Entries._study_attribute,
        4: Entries._trial,
        5: Entries._parameter,
        6: Entries._state,
        7: Entries._intermediate,
        8: Entries._attribute,
        9: Entries._attribute,
    }
)


def _require(fits: bool, fault: str) -> None:
    if not fits:
        raise EntryError(fault)


def _is_number(value: object, infinite: bool = False) -> bool:
    if type(value) is int:
        return abs(value) < _MOST
    return type(value) is float and (math.isfinite(value) or (infinite and not math.isnan(value)))


def _is_time(value: object) -> bool:
    try:
        # Optuna converts to local time, which fails near the smallest and the largest year.
        return type(value) is str and 1970 < datetime.fromisoformat(value).year < 9000
    except ValueError:
        return False


def _short(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:
        text = "a whole number of thousands of digits"
    return text if len(text) <= 40 else f"{text[:40]}…"
