"""What comes out besides events: the payload, its position and its reason; and the paths that explanations tell."""

from types import MappingProxyType
from typing import Any

import pytest

from statsig_segment import (
    AudienceUpdate,
    EventNaming,
    Identify,
    InboundConfig,
    Page,
    Rejected,
    Skipped,
    StatsigEvent,
    StatsigSegmentError,
    Track,
    explain,
    export_many,
    fold_audience_updates,
    parse_segment_event,
    parse_statsig_event,
    split_statsig_export,
    to_segment_batches,
    to_statsig_event,
    translate,
    translate_many,
    url_verification_code,
)

SENT = '{"type": "identify", "userId": "u1"}'
FILTERED = '{"eventName": "statsig::diagnostics"}'


def what(outcome: object) -> tuple[str, int | None, object]:
    """Give the reason or code of an outcome, its position, and its payload."""
    if isinstance(outcome, Skipped):
        return outcome.reason, outcome.position, outcome.payload
    assert isinstance(outcome, Rejected)
    return outcome.error.code, outcome.position, outcome.payload


class TestOutcomes:
    """FL-6"""

    def test_calls_passed_over_and_refused_carry_their_position_and_payload(self) -> None:
        nameless = {"type": "track"}
        from_statsig = {"type": "track", "event": "a", "userId": "u1", "context": {"library": {"name": "statsig"}}}
        seen = {"type": "track", "event": "a", "userId": "u1", "messageId": "m1"}

        outcomes = translate_many([nameless, SENT, from_statsig, seen], seen={"m1"})

        assert [what(outcome) for outcome in outcomes] == [
            ("missing_event", 0, nameless),
            ("identify_without_audience", 1, SENT),
            ("statsig_origin", 2, from_statsig),
            ("duplicate_message", 3, seen),
        ]

    def test_so_do_events_of_an_export(self) -> None:
        assert [what(outcome) for outcome in export_many(["{}", FILTERED])] == [
            ("missing_event", 0, "{}"),
            ("filtered", 1, FILTERED),
        ]

    def test_so_do_tracks_that_fit_in_no_batch(self) -> None:
        large = {"event": "a" * 40_000}
        tracks: list[Any] = [5, {"event": "b"}, large]

        *rejected, batch = to_segment_batches(tracks)

        assert [what(outcome) for outcome in rejected] == [("not_an_object", 0, 5), ("event_too_large", 2, large)]
        assert batch == {"batch": [{"type": "track", "event": "b"}]}

    def test_alone_they_carry_the_payload_and_no_position(self) -> None:
        assert what(translate(SENT)) == ("identify_without_audience", None, SENT)
        assert what(explain(SENT).result) == ("identify_without_audience", None, SENT)
        assert what(explain("{}").result) == ("missing_type", None, "{}")


class TestBatches:
    """OU-8"""

    def test_a_type_that_is_there_is_kept(self) -> None:
        call = {"type": "identify", "userId": "u1"}

        assert list(to_segment_batches([call])) == [{"batch": [call]}]

    def test_a_batch_is_filled_to_the_last_byte(self) -> None:
        item = {"type": "track", "event": ""}
        full = 500_000 - len('{"batch":[]}') - len('{"type":"track","event":""}') * 20 - len(",") * 19
        sizes = [full // 20] * 19 + [full - full // 20 * 19]
        items = [item | {"event": "a" * size} for size in sizes]

        assert self.sizes(items) == [20]
        items[-1] = item | {"event": "a" * (sizes[-1] + 1)}
        assert self.sizes(items) == [19, 1]

    def sizes(self, items: list[dict[str, Any]]) -> list[int]:
        return [len(batch["batch"]) for batch in to_segment_batches(items) if not isinstance(batch, Rejected)]


class TestExplanations:
    def test_what_the_traits_say_is_told_from_there(self) -> None:
        traits = {"statsigEnvironment": {"tier": "staging"}, "statsigCustom": ["plan", "pro"]}

        rows = explain({"type": "group", "userId": "u1", "groupId": "g1", "traits": traits}).rows

        assert {row.target: row.source for row in rows if row.value in {"staging", "pro"}} == {
            "$.user.statsigEnvironment.tier": "$.traits.statsigEnvironment.tier",
            "$.user.custom.plan": "$.traits.statsigCustom[1]",
        }

    def test_a_name_that_no_call_gives_has_no_source(self) -> None:
        assert EventNaming().source(Identify(user_id="u1")) is None


class TestFolds:
    """AU-5"""

    def test_the_updates_apart_and_the_winners_are_those_given(self) -> None:
        first = AudienceUpdate(id_list="vip", member=True, user_id="u1", time_ms=0)
        last = AudienceUpdate(id_list="vip", member=False, user_id="u1")
        apart = AudienceUpdate(id_list="vip", member=True, custom_ids={"companyID": "c1"})

        fold = fold_audience_updates([first, last, apart])

        assert fold.apart == (apart,)
        assert fold.winners == (first,)


class TestExports:
    def test_any_mapping_is_an_object(self) -> None:
        """OU-1"""
        user = {"userID": "u1", "custom": {"plan": "pro"}}

        assert parse_statsig_event({"eventName": "a", "user": MappingProxyType(user)}) == parse_statsig_event(
            {"eventName": "a", "user": user}
        )

    @pytest.mark.parametrize("code", [5, None, ["a"]])
    def test_a_code_of_another_kind_is_no_handshake(self, code: Any) -> None:
        """OU-2"""
        body = {"data": {"event": "url_verification", "verification_code": code}}

        assert url_verification_code(body) is None
        assert len(list(split_statsig_export(body))) == 1


class TestCalls:
    """IN-3, IN-6"""

    def test_what_the_model_does_not_say_is_kept_beside_it(self) -> None:
        call = parse_segment_event(
            '\ufeff{"type": "track", "event": "a", "userId": true, "anonymousId": null, "messageId": "m1",'
            ' "context": 5, "integrations": {}, "properties": {"statsigCustomIDs": ["companyID", "c1"]}, "extra": null}'
        )

        assert call.other == {"userId": True, "context": 5, "extra": None}

    def test_a_field_that_is_named_like_a_path_comes_first(self) -> None:
        """US-2, ID-4"""
        event = translate(
            {"type": "track", "event": "a", "userId": "u1", "context.ip": "192.0.2.1", "context": {"ip": "192.0.2.2"}}
        )

        assert isinstance(event, StatsigEvent)
        assert event.user.ip == "192.0.2.1"

    def test_models_of_calls_and_events_can_be_hashed(self) -> None:
        call = {"type": "track", "event": "a", "properties": {"statsigCustomIDs": ["companyID", "c1"]}}

        assert hash(parse_segment_event(call)) == hash(parse_segment_event(call))
        assert hash(translate(call)) == hash(translate(call))

    @pytest.mark.parametrize(("payload", "code"), [("oops", "invalid_json"), ("[]", "not_an_object")])
    def test_text_that_is_no_object_is_refused(self, payload: str, code: str) -> None:
        """IN-1"""
        for read in (parse_segment_event, parse_statsig_event):
            with pytest.raises(StatsigSegmentError) as caught:
                read(payload)

            assert caught.value.code == code

    def test_a_time_of_thousands_of_digits_is_none(self) -> None:
        """IN-5"""
        call = parse_segment_event({"type": "track", "event": "a", "timestamp": "9" * 5_000})

        assert [(issue.code, issue.path) for issue in call.issues] == [("time_unreadable", "$.timestamp")]


class TestNames:
    """US-6"""

    @pytest.mark.parametrize(
        ("template", "name"), [("100% {event}", "100% a"), (" {event}", " a"), ("{{{event}}}", "{a}"), ("%s", "%s")]
    )
    def test_a_template_is_filled_and_nothing_else_of_it_is_changed(self, template: str, name: str) -> None:
        assert EventNaming(track=template).name(Track(event="a")) == name


class TestMetadataAtItsLimit:
    """US-9"""

    def test_each_entry_and_character_counts(self) -> None:
        marks = len('{"a0":"","a1":"","a2":"","a3":""}')
        texts = ["é" * 1_000, "b" * 1_000, '"' * 500, "d" * (1_096 - marks)]
        fits = {f"a{at}": text for at, text in enumerate(texts)}
        dotted: dict[str, Any] = dict(zip(("a.", ".1", ".2", ".3"), texts, strict=True))

        assert self.codes(fits) == []
        assert self.codes(fits | {"a0": "é" * 1_001}) == ["metadata_too_large"]
        assert self.codes(dotted) == ["metadata_key_dot"] * 4
        assert self.codes(dotted | {"a.": "é" * 1_001}) == ["metadata_key_dot"] * 4 + ["metadata_too_large"]

    @pytest.mark.parametrize(
        "properties",
        [
            {"a": "x" * 4_200, "b": "y"},
            {"b": "y", "a": "x" * 4_200},
            {f"{chr(14 + at // 18)}{chr(14 + at % 18)}": "" for at in range(228)},  # each character takes six in JSON
        ],
    )
    def test_metadata_over_it_are_told_wherever_they_are_long(self, properties: dict[str, Any]) -> None:
        assert self.codes(properties) == ["metadata_too_large"]

    @pytest.mark.parametrize(("name", "text"), [("n" * 4_200, "x"), ("n", "x" * 4_200)])
    def test_a_name_that_is_added_counts(self, name: str, text: str) -> None:
        """US-7"""
        event = to_statsig_event(Page(user_id="u1", name=name, properties={"a": text}))

        assert "metadata_too_large" in [issue.code for issue in event.issues]

    def codes(self, properties: dict[str, Any]) -> list[str]:
        event = to_statsig_event(Track(event="e", user_id="u1", properties=properties), InboundConfig())
        return [issue.code for issue in event.issues]
