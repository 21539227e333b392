"""The examples run, and what comes out of them is what their files were written to show."""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import json
import re
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from statsig_segment import (
    AudienceUpdate,
    EventNaming,
    FieldFilter,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    OutboundConfig,
    OutboundFilter,
    Rejected,
    SignatureError,
    Skipped,
    StatsigEvent,
    export_many,
    fold_audience_updates,
    load_config,
    split_segment_batch,
    split_statsig_export,
    to_log_event,
    to_segment_batches,
    translate_many,
)
from statsig_segment.rulebook import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def lines(name: str) -> list[str]:
    return (EXAMPLES / name).read_text(encoding="utf-8").splitlines()


def script(name: str) -> ModuleType:
    """Import an example as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def config() -> IntegrationConfig:
    return load_config((EXAMPLES / "integration.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def calls() -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines("segment_calls.ndjson")]


@pytest.fixture(scope="module")
def outcomes(config: IntegrationConfig) -> list[Any]:
    """Translate the sample calls, as the text lines that they are, under the sample configuration."""
    return list(translate_many(lines("segment_calls.ndjson"), config, seen=set[str]()))


@pytest.fixture(scope="module")
def events(outcomes: list[Any]) -> dict[str, StatsigEvent]:
    """Give the events among them, by name without the prefix."""
    found = (outcome for outcome in outcomes if isinstance(outcome, StatsigEvent))
    return {event.event_name.removeprefix("segment::"): event for event in found}


@pytest.fixture(scope="module")
def exported(config: IntegrationConfig) -> list[Any]:
    """Export the sample export under the sample configuration."""
    return list(export_many(lines("statsig_export.ndjson"), config))


# Issues that the sample calls do not show: JSON text cannot hold the cause of one, and the lines of the others would be
# too long to read.
NOT_SHOWN = {"json_unreadable", "not_json", "id_too_long", "value_too_long", "metadata_too_large", "too_deep"}


def issue_codes(outcomes: Iterable[object]) -> set[str]:
    """Give the codes of the issues that the outcomes carry."""
    carriers = (outcome for outcome in outcomes if isinstance(outcome, StatsigEvent | AudienceUpdate))
    return {issue.code for carrier in carriers for issue in carrier.issues}


class TestTheSampleCalls:
    def test_there_are_enough_of_every_type(self, calls: list[dict[str, Any]]) -> None:
        types = Counter(call.get("type") for call in calls)

        assert len(calls) == 66
        assert types == {
            "track": 43, "identify": 9, "page": 6, "screen": 3, "group": 2, "alias": 1, "delete": 1, None: 1
        }  # fmt: skip

    def test_they_come_from_web_mobile_and_server_libraries(self, calls: list[dict[str, Any]]) -> None:
        libraries = {call["context"]["library"]["name"] for call in calls}

        assert libraries == {
            "analytics.js",
            "analytics-swift",
            "analytics-kotlin",
            "analytics-python",
            "analytics-php",
            "@segment/analytics-node",
            "unify-engage",
            "statsig",
        }

    def test_every_call_has_one_outcome_in_its_place(self, calls: list[dict[str, Any]], outcomes: list[Any]) -> None:
        assert len(outcomes) == len(calls)
        assert [outcome.position for outcome in outcomes if isinstance(outcome, Skipped | Rejected)] == [
            at for at, outcome in enumerate(outcomes) if isinstance(outcome, Skipped | Rejected)
        ]

    def test_the_counts_add_up(self, outcomes: list[Any]) -> None:
        assert Counter(type(outcome).__name__ for outcome in outcomes) == {
            "StatsigEvent": 46,
            "AudienceUpdate": 7,
            "Skipped": 9,
            "Rejected": 4,
        }

    def test_every_reason_for_skipping_is_there(self, outcomes: list[Any]) -> None:
        reasons = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, Skipped))

        assert reasons == {
            "unsupported_type": 2,
            "duplicate_message": 1,
            "statsig_origin": 1,
            "consent_denied": 1,
            "integration_disabled": 2,
            "filtered": 1,
            "identify_without_audience": 1,
        }
        outbound_only = {"segment_origin"}
        assert set(reasons) == {code for code, row in CODES.items() if "skipped" in row.kinds} - outbound_only

    def test_the_rejected_ones_say_why(self, outcomes: list[Any]) -> None:
        assert Counter(outcome.error.code for outcome in outcomes if isinstance(outcome, Rejected)) == {
            "missing_type": 1,
            "missing_event": 1,
            "no_identifier": 1,
            "audience_membership": 1,
        }

    def test_every_issue_is_there_but_a_few(self, outcomes: list[Any]) -> None:
        flat = load_config({"inbound": {"nested": "flatten"}})
        found = issue_codes(outcomes) | issue_codes(translate_many(lines("segment_calls.ndjson"), flat))

        assert {code for code, row in CODES.items() if "issue" in row.kinds} - found == NOT_SHOWN

    def test_only_flattening_finds_that_a_key_is_taken(self, outcomes: list[Any]) -> None:
        flat = load_config({"inbound": {"nested": "flatten"}})

        assert "metadata_key_taken" not in issue_codes(outcomes)
        assert "metadata_key_taken" in issue_codes(translate_many(lines("segment_calls.ndjson"), flat))

    def test_all_of_them_are_ready_for_json(self, outcomes: list[Any]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, StatsigEvent):
                wire = to_log_event(outcome)
                assert json.loads(json.dumps(wire, allow_nan=False)) == wire

    def test_without_a_memory_the_repeated_order_comes_twice(self, config: IntegrationConfig) -> None:
        again = [
            outcome
            for outcome in translate_many(lines("segment_calls.ndjson"), config)
            if isinstance(outcome, StatsigEvent) and outcome.event_name == "segment::Order Completed"
        ]

        assert len(again) == 2
        assert again[0] == again[1]

    def test_without_mappings_the_anonymous_belong_to_nobody(self) -> None:
        codes = Counter(
            outcome.error.code
            for outcome in translate_many(lines("segment_calls.ndjson"))
            if isinstance(outcome, Rejected)
        )

        assert codes["no_identifier"] > 5


class TestWhatTheSampleShows:
    def test_the_names_of_pages_and_screens(self, events: dict[str, StatsigEvent]) -> None:
        assert {
            "Viewed Marketing Home Page",
            "Viewed Docs Page",
            "Loaded a Page",
            "Viewed Tabs Today Screen",
            "Loaded a Screen",
            "Viewed Mapa offline Screen",
        } < set(events)

    def test_an_id_on_the_event_beats_the_mapped_one(self, events: dict[str, StatsigEvent]) -> None:
        assert events["Checkout Started"].user.custom_ids == {
            "companyID": "company-9",
            "segmentAnonymousId": "chosen-by-the-event",
        }
        assert events["Checkout Started"].user.custom == {"isVIP": "true", "marketing_campaign": "abx343"}

    def test_a_device_is_mapped_from_the_context(self, events: dict[str, StatsigEvent]) -> None:
        assert events["Route Downloaded"].user.custom_ids == {
            "segmentAnonymousId": "c7d0f3de-40d0-4a49-93cf-4f6f3a6e7b83",
            "deviceID": "6C1D44C1-7F2E-4B0B-9B1D-2E2F0F3A9D10",
        }
        assert events["Route Downloaded"].user.app_version == "5.3.0"

    def test_numbers_are_ids_to_the_last_digit(self, events: dict[str, StatsigEvent]) -> None:
        assert events["Order Completed"].user.user_id == "10482"
        assert events["Loyalty Points Added"].user.user_id == "10482"
        assert events["Partner Linked"].user.user_id == "9007199254740993"

    def test_big_numbers_keep_their_digits_in_metadata(self, events: dict[str, StatsigEvent]) -> None:
        assert events["Loyalty Points Added"].metadata == {
            "points": "9007199254740993",
            "ledger": "1180591620717411303424",
        }

    def test_broken_arrays_keep_their_whole_pairs(self, events: dict[str, StatsigEvent]) -> None:
        user = events["Seat Removed"].user

        assert user.custom_ids == {"teamID": "3"}
        assert user.custom == {"seats": 25, "trial": False, "regions": ("north", "west"), "plan": '{"tier":2}'}

    def test_environments(self, events: dict[str, StatsigEvent]) -> None:
        assert events["Invoice Paid"].user.environment == "staging"
        assert events["Build Deployed"].user.environment == "development"
        assert events["Build Rolled Back"].user.environment == "development"

    def test_times_are_read_as_they_come(self, events: dict[str, StatsigEvent]) -> None:
        assert events["Import Finished"].time_ms == 1793696400000
        assert events["Import Started"].time_ms == 1793696399250
        assert events["Photo Added"].time_ms == 1793693107123
        assert events["Photo Removed"].time_ms == 1793693229500
        assert events["Reminder Due"].time_ms == 1793955741012
        assert events["Clock Unknown"].time_ms is None
        assert "time" not in to_log_event(events["Clock Unknown"])

    def test_a_placeholder_and_a_second_user_id_change_nothing(self, events: dict[str, StatsigEvent]) -> None:
        assert events["Hut Viewed"].user.user_id == "undefined"
        assert events["Account Linked"].user.user_id == "user-44"
        assert events["Account Linked"].user.custom_ids == {"teamID": "team-3"}

    def test_the_empty_arrays_of_php_are_empty_objects(self, events: dict[str, StatsigEvent]) -> None:
        assert events["Newsletter Sent"].metadata == {}
        assert events["Newsletter Sent"].issues == ()

    def test_an_object_is_json_text_unless_it_is_flattened(self, events: dict[str, StatsigEvent]) -> None:
        assert events["Cart Updated"].metadata == {"cart": '{"id":9,"items":2}', "cart_id": "c-9"}

    def test_nan_never_leaves(self, events: dict[str, StatsigEvent]) -> None:
        assert events["Pace Measured"].value is None
        assert events["Pace Measured"].metadata == {"steps": "[1.5,1e+21,1e-7]"}

    def test_values(self, events: dict[str, StatsigEvent]) -> None:
        assert events["Order Completed"].value == 39.9
        assert events["Invoice Paid"].value == "240.00"
        assert events["Rating Given"].value == "five stars"

    def test_memberships_fold_to_the_last_word(self, outcomes: list[Any]) -> None:
        fold = fold_audience_updates(outcome for outcome in outcomes if isinstance(outcome, AudienceUpdate))
        patches = {patch.id_list: (patch.add, patch.remove) for patch in fold.patches}

        assert patches == {
            "frequent_walkers": (("user-44", "user-61"), ("user-31",)),
            "j_o_winter_offer__entered": (("user-52",), ()),
            "big spenders!": (("user-61",), ()),
        }
        assert [update.custom_ids for update in fold.apart] == [
            {"segmentAnonymousId": "4ea27b0a-3b1f-4b70-94a5-d3e0b8f4c7d4"}
        ]


class TestTheSampleBatch:
    def test_its_items_come_apart(self, config: IntegrationConfig) -> None:
        body = (EXAMPLES / "segment_batch.json").read_bytes()
        found = list(translate_many(split_segment_batch(body), config))

        assert [type(outcome).__name__ for outcome in found] == [
            "StatsigEvent",
            "StatsigEvent",
            "Skipped",
            "Rejected",
            "AudienceUpdate",
            "StatsigEvent",
        ]

    def test_the_envelope_fills_in_under_the_items(self) -> None:
        items: Iterator[Any] = iter(split_segment_batch((EXAMPLES / "segment_batch.json").read_bytes()))
        first, second = next(items), next(items)

        assert first["context"] == {
            "ip": "203.0.113.24",
            "library": {"name": "@segment/analytics-node", "version": "2.3.0"},
            "locale": "en-GB",
        }
        assert second["context"]["locale"] == "fr-CH"
        assert first["sentAt"] == "2026-11-03T10:00:05.250Z"


class TestTheSampleExport:
    def test_every_line_has_one_outcome(self, exported: list[Any]) -> None:
        assert len(exported) == 23
        assert Counter(type(outcome).__name__ for outcome in exported) == {"dict": 17, "Skipped": 3, "Rejected": 3}

    def test_what_stays_here_says_why(self, exported: list[Any]) -> None:
        assert [(at.position, at.reason) for at in exported if isinstance(at, Skipped)] == [
            (4, "filtered"),
            (5, "segment_origin"),
            (12, "filtered"),
        ]
        assert [(at.position, at.error.code) for at in exported if isinstance(at, Rejected)] == [
            (6, "no_identifier"),
            (18, "no_identifier"),
            (19, "missing_event"),
        ]

    def test_every_kind_of_exposure_leaves(self, exported: list[Any]) -> None:
        names = [call["event"] for call in sent(exported)]

        assert [name for name in names if name.endswith("_exposure")] == [
            "statsig::gate_exposure",
            "statsig::config_exposure",
            "statsig::experiment_exposure",
            "statsig::layer_exposure",
            "statsig::holdout_exposure",
        ]

    def test_every_shape_of_config_change_gives_the_same_four_properties(self) -> None:
        config = IntegrationConfig(outbound=OutboundConfig())
        calls = sent(list(export_many(lines("statsig_export.ndjson"), config)))
        changes = [call["properties"] for call in calls if call["event"] == "statsig::config_change"]

        assert [
            tuple(change.get(key) for key in ("author", "configName", "description", "environment"))
            for change in changes
        ] == [
            ("Grace", "new_map", "Raised the pass percentage to 50%", "production"),
            ("Grace", "new_map", "Added a rule for staff", None),
            ("Grace", "hero_picture", "Started the experiment", "staging"),
            ("Grace", "new_map", "Archived", None),
            ("grace@fernway.example", "map_layers", "Added the winter layer", "production,staging"),
            (None, "old_map", "Deleted by a schedule", "production"),
        ]

    def test_times_leave_as_they_are_and_an_unreadable_one_is_left_out(self, exported: list[Any]) -> None:
        times = {call["event"]: call.get("timestamp") for call in sent(exported)}

        assert times["hut_booked"] == "2026-11-03T09:00:21.000Z"
        assert times["hut_left"] is None

    def test_a_row_of_the_warehouse_export_leaves_like_an_event(self, exported: list[Any]) -> None:
        [call] = [call for call in sent(exported) if call["event"] == "hut_reviewed"]

        assert call["userId"] == "user-44"
        assert call["timestamp"] == "2026-11-03T09:00:23.000Z"
        assert call["properties"] == {"value": "5", "metadata": {"hut": "Corrour"}}

    def test_private_attributes_stay_here(self, exported: list[Any]) -> None:
        assert "privateAttributes" in lines("statsig_export.ndjson")[1]
        assert "privateAttributes" not in json.dumps(sent(exported))

    def test_it_fits_one_batch(self, exported: list[Any]) -> None:
        bodies = list(to_segment_batches(sent(exported)))

        assert [sorted(body) for body in bodies if isinstance(body, dict)] == [["batch"]]
        assert len(bodies) == 1

    def test_a_webhook_body_comes_apart(self, config: IntegrationConfig) -> None:
        body = (EXAMPLES / "statsig_webhook.json").read_bytes()
        calls = sent(list(export_many(split_statsig_export(body), config)))

        assert [call["event"] for call in calls] == ["walk_saved", "statsig::gate_exposure", "statsig::config_change"]


class TestTheSampleConfiguration:
    def test_every_key_of_it_has_an_effect_or_says_the_default(self, config: IntegrationConfig) -> None:
        assert config.inbound.default_environment == "development"
        assert config.inbound.id_types is not None
        assert set(config.inbound.id_types) == {"companyID", "teamID", "deviceID", "segmentAnonymousId"}
        assert [(row.field, row.id_type) for row in config.inbound.id_mappings] == [
            ("anonymousId", "segmentAnonymousId"),
            ("groupId", "companyID"),
            ("context.device.id", "deviceID"),
        ]
        assert config.outbound.profile == "deliverable"

    @pytest.mark.parametrize(
        "key",
        [
            attribute.name
            for model in (
                InboundConfig,
                IdMapping,
                FieldFilter,
                InboundFilter,
                EventNaming,
                OutboundConfig,
                OutboundFilter,
            )
            for attribute in attrs.fields(model)
            if attribute.init
        ],
    )
    def test_it_shows_every_key(self, key: str) -> None:
        text = (EXAMPLES / "integration.toml").read_text(encoding="utf-8")
        shown = [line.removeprefix("# ") for line in text.splitlines()]

        heads = (f"{key} = ", f"[[inbound.{key}]]", f"[inbound.{key}]", f"[[inbound.filters.{key}]]")
        assert any(line.startswith(heads) for line in shown)

    def test_what_it_shows_behind_a_hash_can_be_set_too(self) -> None:
        config = load_config(uncommented())
        inbound, outbound = config.inbound, config.outbound

        assert inbound.value_property == ("revenue", "total")
        assert inbound.nested == "flatten"
        assert inbound.drop_placeholder_ids is True
        assert inbound.filters.include == frozenset({"Signed Up", "Order Completed"})
        assert [row.id_type for row in inbound.id_mappings][3:] == ["phone", "userID"]
        assert set(inbound.user_fields) >= {"email", "country"}
        assert set(inbound.custom_fields) == {"plan", "industry"}
        assert set(inbound.metadata_fields) == {"path", "utm_source"}
        assert outbound.allow_segment_origin is True
        assert (outbound.group_id, outbound.message_id, outbound.drop_placeholder_ids) == ("companyID", "content", True)
        assert outbound.config_change_user_id == "statsig-console"
        assert [row.field for row in outbound.filters.drop_where] == ["user.userAgent"]


def uncommented() -> str:
    """Give the sample configuration with everything behind "#" set; the last of several values counts."""
    text = (EXAMPLES / "integration.toml").read_text(encoding="utf-8")
    while (replaced := re.sub(r"^(\w+) = .*\n# (?=\1 = )", "", text, flags=re.MULTILINE)) != text:
        text = replaced
    return re.sub(r"^# (?=\w+ = |\[)", "", text, flags=re.MULTILINE)


class TestTheScripts:
    def test_the_service_runs(self) -> None:
        printed = run("embed_in_a_service.py")

        failed, _, rest = printed.partition("\n")
        request, end = json.JSONDecoder().raw_decode(rest)
        assert failed == "Statsig cannot be reached, 6 payloads wait"
        assert [event["eventName"] for event in request["events"]] == [
            "segment::Hut Booked",
            "segment::Viewed Huts Booking Page",
            "segment::group",
        ]
        assert rest[end:].split("\n")[1:-1] == [
            "sent",
            "sent",
            "skipped integration_disabled",
            "rejected missing_event",
            "audience hut_owners",
            "sent",
        ]

    @pytest.mark.parametrize(
        ("which", "count"),
        [
            ("not whatever and not every_event and not private", 8),
            pytest.param("test", 11, marks=pytest.mark.slow),
        ],
    )
    def test_the_tests_of_a_mapping_pass(self, which: str, count: int) -> None:
        file = str(EXAMPLES / "test_my_mapping.py")
        printed = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", which, file)

        assert f"{count} passed" in printed

    def test_the_documentation_agrees(self) -> None:
        printed = run("check_documentation.py")

        assert printed.splitlines()[-1] == "13 of 13 agree"
        assert "DIFFERS" not in printed

    def test_a_difference_would_be_seen(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        checks = script("check_documentation")
        monkeypatch.setattr(checks, "CHECKS", (*checks.CHECKS, lambda: False))

        assert checks.main() == 1
        assert "DIFFERS" in capsys.readouterr().out


class TestTheEmbeddedService:
    BODY = (EXAMPLES / "segment_batch.json").read_bytes()
    SHARED = "what the two ends know"
    SIGNATURE = hmac.new(SHARED.encode(), BODY, hashlib.sha1).hexdigest()

    @pytest.fixture
    def service(self) -> ModuleType:
        return script("embed_in_a_service")

    @pytest.fixture
    def empty(self, service: ModuleType) -> Iterator[Any]:
        with closing(service.Inbox(":memory:")) as inbox:
            yield inbox

    @pytest.fixture
    def inbox(self, service: ModuleType, empty: Any) -> Any:
        service.receive(self.BODY, self.SIGNATURE, secret=self.SHARED, inbox=empty)
        return empty

    def test_nothing_is_lost_when_sending_fails_after_translating(
        self, service: ModuleType, inbox: Any, config: IntegrationConfig
    ) -> None:
        tried: list[Any] = []

        def fail(request: Any) -> None:
            tried.append(request)
            raise ConnectionError

        for _ in range(3):
            with pytest.raises(ConnectionError):
                service.deliver(inbox, config, fail)
        taken: list[Any] = []
        service.deliver(inbox, config, taken.append)

        assert len(taken[0]["events"]) == 3
        assert tried == [taken[0]] * 3  # the keys too
        assert inbox.waiting() == []

    def test_what_is_sent_is_not_sent_again_when_segment_delivers_it_again(
        self, service: ModuleType, inbox: Any, config: IntegrationConfig
    ) -> None:
        taken: list[Any] = []
        service.deliver(inbox, config, taken.append)

        service.receive(self.BODY, self.SIGNATURE, secret=self.SHARED, inbox=inbox)
        service.deliver(inbox, config, taken.append)

        assert len(taken) == 1

    def test_every_payload_has_one_outcome(self, service: ModuleType, inbox: Any, config: IntegrationConfig) -> None:
        requests: list[object] = []
        service.deliver(inbox, config, requests.append)

        outcomes = Counter(outcome.split()[0] for outcome in inbox.outcomes())
        assert outcomes == {"sent": 3, "audience": 1, "skipped": 1, "rejected": 1}
        assert outcomes.total() == len(json.loads(self.BODY)["batch"])

    def test_what_is_not_signed_is_not_stored(self, service: ModuleType, empty: Any) -> None:
        with pytest.raises(SignatureError):
            service.receive(b'{"type": "page"}', "c0ffee", secret=self.SHARED, inbox=empty)

        assert empty.outcomes() == []


def sent(outcomes: list[Any]) -> list[dict[str, Any]]:
    """Give the calls among what an export came to."""
    return [outcome for outcome in outcomes if not isinstance(outcome, Skipped | Rejected)]


def run(*arguments: str) -> str:
    """Run an example as a user would, from another folder, and give what it prints."""
    first, *rest = arguments
    program = [first, *rest] if first == "-m" else [str(EXAMPLES / first), *rest]
    done = subprocess.run(  # noqa: S603 - our own files
        [sys.executable, *program], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
