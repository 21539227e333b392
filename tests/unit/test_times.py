"""Times at their edges: what is just in range and just out of it, in every kind of value that a time may be."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from statsig_segment._json.times import epoch_ms, export_ms, iso_text

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Live where the local time is not UTC."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class TestACallsTime:
    """IN-6"""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("2024-03-01T11:34:56.789Z", 1_709_292_896_789),
            ("2024-03-01T11:34:56.789z", None),
            ("2024-03-01T24:00:00.000Z", None),
            ("2024-03-01T24:34:56.789Z", None),
            ("2024-03-01t11:34:56.789Z", None),
            ("2024-03-01 11:34:56.789Z", 1_709_292_896_789),
            ("2024-03-01T11:34:56.7891", 1_709_292_896_789),
            ("9999-12-31T23:59:59.999Z", LAST_MS),
            (str(LAST_MS), LAST_MS),
            (f"000{LAST_MS}", LAST_MS),
            (str(LAST_MS + 1), None),
            (f"X{1_709_292_896}", None),
            (1.5e-05, 0),
            (1e-05, 0),
            (0.0, 0),
            (-0.001, None),
            (1.005, 1_005),
            (float(LAST_MS), LAST_MS),
            (float(LAST_MS + 1), None),
            (float(LAST_MS + 2), None),
        ],
    )
    def test_it_is_read_or_not(self, value: object, expected: int | None) -> None:
        read = epoch_ms(value)

        assert read == expected
        assert type(read) is type(expected)


class TestAnExportsTime:
    """OU-1"""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (0.5, 0),
            (-0.5, 0),
            (-1.0, None),
            (-1.5, None),
            (LAST_MS - 1.0, LAST_MS - 1),
            (float(LAST_MS), LAST_MS),
            (LAST_MS + 0.5, LAST_MS),
            (float(LAST_MS + 1), None),
            (float(LAST_MS + 2), None),
            (str(LAST_MS), LAST_MS),
            (str(LAST_MS + 1), None),
            ("000", 0),
            ("X1", None),
            (LAST_MS, LAST_MS),
            (LAST_MS + 1, None),
            (-1, None),
            (True, None),
        ],
    )
    def test_it_is_read_or_not(self, value: object, expected: int | None) -> None:
        read = export_ms(value)

        assert read == expected
        assert type(read) is type(expected)


@pytest.mark.usefixtures("new_york")
class TestWhereLocalTimeIsAnother:
    """IN-6 and OU-4: times are in UTC, wherever the program runs."""

    def test_text_is_written_in_utc(self) -> None:
        assert iso_text(1_709_292_896_789) == "2024-03-01T11:34:56.789Z"

    @pytest.mark.parametrize("text", ["2024-03-01T11:34:56.789", "2024-03-01T11:34:56.789Z", "2024-03-01 11:34:56.789"])
    def test_text_without_an_offset_is_read_as_utc(self, text: str) -> None:
        assert epoch_ms(text) == 1_709_292_896_789
