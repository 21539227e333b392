"""The numbers that `python_values` makes: as any number library has them, neither `int` nor `float`."""

from numbers import Integral
from typing import Any

from hypothesis import Phase, find, settings

from statsig_segment import StatsigEvent, translate
from statsig_segment.testing import python_values


def whole_number() -> Any:
    """A whole number of a type of its own."""
    return find(
        python_values(), lambda value: isinstance(value, Integral) and not isinstance(value, int), settings=MANY
    )


MANY = settings(max_examples=5_000, database=None, derandomize=True, phases=tuple(Phase))


def test_a_whole_number_of_a_type_of_its_own_is_a_number_in_every_way() -> None:
    number = whole_number()

    assert (int(number), float(number), range(1)[number]) == (0, 0.0, 0)
    assert repr(number) == "_Count(0)"


def test_it_is_translated_like_any_other_number() -> None:
    event = translate({"type": "track", "event": "a", "userId": whole_number()})

    assert isinstance(event, StatsigEvent)
    assert event.user.user_id == "0"
