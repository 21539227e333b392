"""What comes out besides events: the payload, its position and its reason; and the paths that explanations tell."""

from typing import Any

from statsig_segment import (
    AudienceUpdate,
    Rejected,
    Skipped,
    explain,
    export_many,
    fold_audience_updates,
    to_segment_batches,
    translate,
    translate_many,
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


class TestFolds:
    """AU-5"""

    def test_the_updates_apart_and_the_winners_are_those_given(self) -> None:
        first = AudienceUpdate(id_list="vip", member=True, user_id="u1", time_ms=0)
        last = AudienceUpdate(id_list="vip", member=False, user_id="u1")
        apart = AudienceUpdate(id_list="vip", member=True, custom_ids={"companyID": "c1"})

        fold = fold_audience_updates([first, last, apart])

        assert fold.apart == (apart,)
        assert fold.winners == (first,)
