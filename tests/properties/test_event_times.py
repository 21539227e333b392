"""Properties of implausible times of calls (IN-5) and of the times of exported events (OU-1)."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.calls import iso, read_time
from tests.support.calls import user_track as track
from tests.support.values import JsonObject

from statsig_segment import (
    AudienceUpdate,
    ConfigChange,
    StatsigEvent,
    config_change_event,
    export,
    parse_segment_event,
    parse_statsig_event,
    translate,
)
from statsig_segment.testing import json_values, statsig_events, timestamps

DAY = 86_400_000
HOUR = 3_600_000
MOST_MS = 10**14
"""Numbers from here on are microseconds."""
LAST_MS = 253_402_300_799_999
FIELDS = ("timestamp", "originalTimestamp", "receivedAt", "sentAt")


def issues_of(event: Any, *codes: str) -> set[tuple[str, str]]:
    return {(issue.code, issue.path) for issue in event.issues if issue.code in codes}


def read(value: Any) -> int | None:
    """The milliseconds of a time, as a call that has only this one reads them (IN-6)."""
    return parse_segment_event({"type": "page", "timestamp": value}).time_ms


NO_TIMES: tuple[Any, ...] = ("", "soon", True, [], {}, -1, float("nan"), "2024-13-01")
TIMES = timestamps() | st.none() | st.just(...) | st.sampled_from(NO_TIMES)


class TestIN5ImplausibleTimes:
    """
    A time more than one hour later than `receivedAt` (where that reads as a time) gives an issue `time_implausible` at
    its field, and is used all the same: local times sent as UTC are off by one to fourteen hours. [policy]

    Corners: only the time that is used is compared with `receivedAt`; exactly one hour is plausible; an unreadable
    `receivedAt` that is not tried gives no issue.
    """

    @given(
        st.integers(10**12, MOST_MS - 3 * DAY),
        st.integers(-HOUR, 3 * HOUR) | st.integers(-DAY, 3 * DAY),
        st.sampled_from(FIELDS[:2]),
    )
    @example(1_793_697_012_000, HOUR, "timestamp")
    @example(1_793_697_012_000, HOUR + 1, "timestamp")
    @example(1_793_697_012_000, HOUR - 1, "originalTimestamp")
    def test_more_than_one_hour_is_implausible(self, received: int, later: int, field: str) -> None:
        event = translate(track(**{field: received + later, "receivedAt": received}))

        assert isinstance(event, StatsigEvent)
        assert event.time_ms == received + later
        assert issues_of(event, "time_implausible") == ({("time_implausible", f"$.{field}")} if later > HOUR else set())

    @given(st.lists(TIMES, min_size=4, max_size=4))
    def test_only_the_time_that_is_used_is_compared(self, values: list[Any]) -> None:
        fields = {name: value for name, value in zip(FIELDS, values, strict=True) if value is not ...}
        used = next((name for name in FIELDS if read(fields.get(name)) is not None), None)
        time_ms, received = read(fields.get(used or "timestamp")), read(fields.get("receivedAt"))
        implausible = time_ms is not None and received is not None and time_ms - received > HOUR

        event = parse_segment_event(track(**fields))

        assert event.time_ms == time_ms
        assert issues_of(event, "time_implausible") == ({("time_implausible", f"$.{used}")} if implausible else set())
        tried = FIELDS[: FIELDS.index(used)] if used else FIELDS
        assert issues_of(event, "time_unreadable") == {
            ("time_unreadable", f"$.{name}") for name in tried if fields.get(name) is not None
        }

    @given(st.integers(10**12, MOST_MS - 3 * DAY))
    def test_memberships_are_compared_too(self, received: int) -> None:
        personas = {"computation_class": "audience", "computation_key": "vip_users"}
        call = {
            "type": "identify",
            "userId": "u1",
            "timestamp": received + 2 * DAY,
            "receivedAt": received,
            "traits": {"vip_users": True},
            "context": {"personas": personas},
        }

        update = translate(call)

        assert isinstance(update, AudienceUpdate)
        assert update.time_ms == received + 2 * DAY
        assert issues_of(update, "time_implausible") == {("time_implausible", "$.timestamp")}


DIGITS = st.builds(
    "{}{}".format, st.integers(0, 10**21), st.sampled_from(("", ".0", ".5", ".999", ".", ".5.5", "e3", "E-3"))
)
EXPORT_TIMES = st.one_of(
    st.integers(0, 10**21),
    st.floats(0, 1e21),
    DIGITS,
    timestamps(),
    json_values(max_leaves=2),
    st.none(),
    st.sampled_from(
        (*NO_TIMES, ".5", "-1", "+1", " 1", "1 ", "1_0", "٣", "0" * 40 + "7", LAST_MS + 1, str(LAST_MS + 1))
    ),
)
CHANGE = {"eventName": "statsig::config_change", "metadata": {"name": "a_gate"}}
SEGMENT_FORM = {"event": "statsig::config_change", "properties": {"configName": "a_gate"}}


class TestOU1TimesOfExports:
    """
    `timestamp` is read as IN-6 says, seconds and microseconds included; `time` stands in for it where it is absent (the
    form in which SDKs log); a time that is present, not null and unreadable gives no key and an issue
    `time_unreadable`: `StatsigEvent.issues`, `ConfigChange.issues`.

    Corners: a null `timestamp` is absent, so `time` stands in; an unreadable one is not replaced. The issue stands at
    `$.timestamp` or `$.time`.
    """

    @staticmethod
    def expected(fields: JsonObject) -> tuple[int | None, set[tuple[str, str]]]:
        used = "timestamp" if fields.get("timestamp") is not None else "time"
        value = fields.get(used)
        time_ms = read_time(value)
        return time_ms, {("time_unreadable", f"$.{used}")} if value is not None and time_ms is None else set()

    FIELDS = st.fixed_dictionaries({}, optional={"timestamp": EXPORT_TIMES, "time": EXPORT_TIMES})

    @given(FIELDS)
    @example({"timestamp": "1655231253269.5"})
    @example({"timestamp": "1655231253"})
    @example({"timestamp": 1793862489010000})
    @example({"timestamp": "1.793862489E9"})
    @example({"timestamp": "2026-11-05 07:08:09.010 +0000"})
    @example({"timestamp": -0.5})
    @example({"timestamp": "2022-06-14T18:27:33.265Z"})
    @example({"timestamp": None, "time": 5})
    @example({"timestamp": "soon", "time": 5})
    @example({"time": "soon"})
    @example({"timestamp": False, "time": 5})
    @example({"timestamp": 1.9})
    def test_the_time_is_read_as_the_rule_says(self, fields: JsonObject) -> None:
        event = parse_statsig_event({"eventName": "checkout", **fields})

        time_ms, issues = self.expected(fields)
        assert not isinstance(event, ConfigChange)
        assert event.time_ms == time_ms
        assert issues_of(event, "time_unreadable") == issues
        sent: Any = export({"eventName": "checkout", **fields})
        assert sent.get("timestamp") == time_ms
        assert ("timestamp" in sent) == (time_ms is not None)

    @given(FIELDS, st.sampled_from((CHANGE, SEGMENT_FORM)))
    def test_a_config_change_reads_it_alike(self, fields: JsonObject, change: JsonObject) -> None:
        event = parse_statsig_event({**change, **fields})

        time_ms, issues = self.expected(fields)
        assert isinstance(event, ConfigChange)
        assert event.timestamp == time_ms
        assert issues_of(event, "time_unreadable") == issues
        assert config_change_event(event).get("timestamp") == time_ms

    @given(st.integers(10**11, 10**14 - 1), st.sampled_from(("timestamp", "time")))
    def test_every_form_of_an_instant_is_that_instant(self, time_ms: int, field: str) -> None:
        text = iso(time_ms).removesuffix("Z")
        numbers = (time_ms, str(time_ms), f"{time_ms}.75", time_ms * 10**3, time_ms * 10**6 + 999_999, f"{time_ms}E3")
        forms: tuple[Any, ...] = (*numbers, text, f"{text}Z", text.replace("T", " ") + " UTC", f"{text} +0000")

        for form in forms:
            event = parse_statsig_event({"eventName": "checkout", field: form})
            assert not isinstance(event, ConfigChange)
            assert (event.time_ms, event.issues) == (time_ms, ())

    @given(statsig_events())
    def test_valid_exports_have_no_issue(self, payload: JsonObject) -> None:
        assert parse_statsig_event(payload).issues == ()
