"""Arguments of a wrong kind: an error names the type that came and says what to pass."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from statsig_segment import (
    ConfigChange,
    ConfigError,
    InboundConfig,
    IntegrationConfig,
    SegmentEventError,
    SignatureError,
    Skipped,
    StatsigEvent,
    StatsigEventError,
    load_config,
    log_events,
    parse_segment_event,
    split_segment_batch,
    split_statsig_export,
    to_event_webhook,
    to_log_event,
    to_outbound_track,
    to_segment_batches,
    translate,
    translate_many,
    verify_segment_signature,
    verify_statsig_signature,
)
from statsig_segment.rulebook import limit

CALL = {"type": "track", "event": "Signed Up", "userId": "u1"}


class DataFrameRow:
    """What a table library hands out for a row."""


@pytest.mark.parametrize("many", [translate_many, log_events])
@pytest.mark.parametrize("single", [CALL, json.dumps(CALL), json.dumps(CALL).encode()])
def test_a_single_call_is_not_many(many: Callable[[Any], Any], single: Any) -> None:
    with pytest.raises(TypeError, match=f"not a single {type(single).__name__}; put it in a list"):
        many(single)


@pytest.mark.parametrize("write", [to_log_event, to_event_webhook])
def test_only_an_event_is_written(write: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="StatsigEvent, not Skipped"):
        write(Skipped(reason="filtered"))


def test_a_config_change_is_not_an_event() -> None:
    change: Any = ConfigChange()

    with pytest.raises(TypeError, match="not ConfigChange"):
        to_outbound_track(change)


def test_a_row_of_a_table_is_not_a_call() -> None:
    row: Any = DataFrameRow()

    with pytest.raises(SegmentEventError, match="not DataFrameRow") as caught:
        parse_segment_event(row)
    assert caught.value.code == "not_an_object"


class TestConfigurations:
    def test_a_path_is_read(self, tmp_path: Path) -> None:
        file = tmp_path / "integration.toml"
        file.write_text('[inbound]\ndefault_environment = "staging"\n', encoding="utf-8")

        assert load_config(file).inbound.default_environment == "staging"

    @pytest.mark.parametrize(
        ("make", "code", "words"),
        [
            (lambda: b"[inbound]", "not_a_table", "not bytes; decode it first"),
            (lambda: io.StringIO("[inbound]"), "not_a_table", "not StringIO; pass the text that it holds"),
            (lambda: 7, "not_a_table", "not int"),
            (lambda: "integration.toml", "wrong_value", "not the name of a file"),
            (lambda: Path("no-such-file.toml"), "wrong_value", "the file cannot be read"),
        ],
    )
    def test_anything_else_says_what_to_pass(self, make: Callable[[], Any], code: str, words: str) -> None:
        with pytest.raises(ConfigError, match=words) as caught:
            load_config(make())
        assert (caught.value.code, caught.value.path) == (code, "$")

    def test_a_file_that_is_not_text_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "integration.toml"
        file.write_bytes(b"\xff")

        with pytest.raises(ConfigError, match="not in UTF-8"):
            load_config(file)


class TestSharedParts:
    """IN-8, OU-2"""

    def test_what_the_items_of_an_envelope_share_is_small(self) -> None:
        envelope: dict[str, Any] = {"batch": [{}, {}], "context": {"page": {"title": "x" * 33_000}}}

        with pytest.raises(SegmentEventError) as caught:
            split_segment_batch(envelope)
        assert caught.value.code == "envelope_too_large"

    def test_an_event_of_a_body_that_is_not_an_object_is_left_to_the_parser(self) -> None:
        assert list(split_statsig_export({"events": [7], "user": {"userID": "u1"}})) == [7]

    def test_a_body_that_holds_nothing_is_refused(self) -> None:
        with pytest.raises(StatsigEventError) as caught:
            split_statsig_export("7")
        assert caught.value.code == "not_an_object"


def test_a_call_with_a_number_too_long_to_print_is_not_packed() -> None:
    (rejected,) = to_segment_batches([{"event": "a", "properties": {"n": 10**5_000}}])

    assert getattr(rejected, "error").code == "number_too_long"  # noqa: B009 - the type is a union


def test_flattening_leaves_out_keys_that_are_not_strings() -> None:
    config = IntegrationConfig(inbound=InboundConfig(nested="flatten"))
    properties: Any = {"cart": {1: "x", "id": "c1"}}
    event = translate({**CALL, "properties": properties}, config)

    assert isinstance(event, StatsigEvent)
    assert event.metadata == {"cart_id": "c1"}


def test_a_code_without_a_limit_has_none() -> None:
    with pytest.raises(LookupError):
        limit("no_identifier")


@pytest.mark.parametrize(
    ("verify", "header"),
    [
        (lambda: verify_segment_signature(b"{}", None, "secret"), "X-Signature"),
        (lambda: verify_statsig_signature(b"{}", None, "v0=", "secret"), "X-Statsig-Request-Timestamp"),
        (lambda: verify_statsig_signature(b"{}", "1", None, "secret"), "X-Statsig-Signature"),
    ],
)
def test_a_missing_signature_says_which_header_is_missing(verify: Callable[[], None], header: str) -> None:
    with pytest.raises(SignatureError, match=f"the header {header} is missing"):
        verify()
