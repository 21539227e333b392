"""Times at their edges: what is just in range and just out of it, in every kind of value that a time may be."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from statsig_segment._json.times import epoch_ms, iso_text

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


class TestATime:
    """IN-6, OU-1"""

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
            ("31557599999", 31_557_599_999_000),
            ("31557600000", 31_557_600_000),
            ("00031557600000", 31_557_600_000),
            ("1.7750016E9", 1_775_001_600_000),
            ("1718672400.0", 1_718_672_400_000),
            ("2026-04-01 00:00:00.000 +0000", 1_775_001_600_000),
            ("2026-04-01 00:00:00 UTC", 1_775_001_600_000),
            ("2026-04-01 00:00:00  UTC", None),
            (f"X{1_709_292_896}", None),
            (1.5e-05, 0),
            (1e-05, 0),
            (0.0, 0),
            (-0.001, None),
            (1.005, 1_005),
            (10**14 - 1, 10**14 - 1),
            (10**14, 10**11),
            (10**17 - 1, 10**14 - 1),
            (10**17, 10**11),
            (LAST_MS * 10**6 + 999_999, LAST_MS),
            ((LAST_MS + 1) * 10**6, None),
            (10**21 - 1, None),
            (10**21, None),
            (99999999999999.98, 10**14 - 1),
            (-0.5, None),
            (True, None),
            ("000", 0),
            ("X1", None),
        ],
    )
    def test_it_is_read_or_not(self, value: object, expected: int | None) -> None:
        read = epoch_ms(value)

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
