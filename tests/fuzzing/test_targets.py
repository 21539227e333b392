"""What a fuzzer begins with keeps every promise; and the targets notice a broken one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.fuzzing import targets
from tests.support.lanes import LANES
from tests.support.sizes import small_and_large

from statsig_segment import SegmentEventError, SignatureError, parse_segment_event

if TYPE_CHECKING:
    from collections.abc import Callable

CALL = b'{"type": "track", "event": "Opened", "userId": "u-1"}'

# What a fuzzer found, or what is worth a look at each time: the standard torture of a JSON reader.
SMALL_TORTURE: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \t\r\n",
    "NUL": b"\0",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "a byte order mark": b"\xef\xbb\xbf" + CALL,
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf" + CALL,
    "UTF-16": CALL.decode().encode("utf-16"),
    "UTF-16, big end first, no mark": CALL.decode().encode("utf-16-be"),
    "UTF-32": CALL.decode().encode("utf-32"),
    "a broken sequence": b'{"type": "track", "event": "\xff\xfe"}',
    "an overlong slash": b'{"type": "track", "event": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"type": "track", "event": "\xed\xa0\x80"}',
    "a lone surrogate, escaped": b'{"type": "track", "event": "\\ud800", "userId": "\\udfff"}',
    "surrogates the wrong way round": b'{"type": "track", "event": "\\udc00\\ud800", "userId": "u"}',
    "a code point beyond Unicode": b'"\xf4\x90\x80\x80"',
    "deep objects, closed": b'{"type":' * 900 + b"1" + b"}" * 900,
    "a large exponent": b'{"type": "track", "event": "e", "userId": 1e400, "timestamp": -1e400}',
    "a tiny exponent": b'{"type": "track", "event": "e", "userId": 1e-400}',
    "a negative zero": b'{"type": "track", "event": "e", "userId": -0, "timestamp": -0.0}',
    "NaN": b'{"type": "track", "event": "e", "userId": NaN, "properties": {"value": Infinity}}',
    "a number with a zero before": b"[01]",
    "a number with a plus": b"[+1]",
    "a hexadecimal number": b"[0x1]",
    "a bare point": b"[1.]",
    "a comma too many": b"[1,]",
    "a comma for nothing": b"[,1]",
    "single quotes": b"{'type': 'track'}",
    "a bare key": b'{type: "track"}',
    "a comment": b'{"type": "track" /* no */}',
    "a control character": b'"a\x01b"',
    "an escape that is none": b'"\\x41"',
    "a cut escape": b'"\\u00',
    "something after the end": CALL + b"x",
    "two values": CALL + CALL,
    "repeated keys": b'{"type": "page", "type": "track", "event": "a", "event": "b", "userId": "u"}',
    "an empty key": b'{"": "", "type": "track", "event": "e", "userId": "u", "properties": {"": ""}}',
    "the key __proto__": b'{"__proto__": {"type": "track"}, "__class__": 1, "__dict__": {}}',
    "only a string": b'"track"',
    "only null": b"null",
    "only a number": b"7",
}


def torture(times: int) -> dict[str, bytes]:
    """Give what is worth a look: above what Python bounds, and many times as much."""
    many = 2_000 * times
    wide = b",".join(b'"k%d": %d' % (n, n) for n in range(many // 2))
    return SMALL_TORTURE | {
        "deep arrays": b"[" * many,
        "deep arrays, closed": b"[" * many + b"]" * many,
        "deep objects": b'{"a":' * many,
        "a wide object": b'{"type": "track", "event": "e", "userId": "u", "properties": {%b}}' % wide,
        "a long array": b"[" + b",".join([b"0"] * many) + b"]",
        "a long string": b'"' + b"a" * (10 * many) + b'"',
        "a long key": b'{"' + b"k" * (10 * many) + b'": 1}',
        "a long number": b"9" * (3 * many),
        "a long fraction": b'{"type": "track", "event": "e", "timestamp": 0.' + b"1" * many + b"}",
    }


@pytest.mark.parametrize("target", targets.TARGETS)
class TestEveryTarget:
    def test_it_has_seeds(self, target: str) -> None:
        assert len(targets.seeds(target)) >= 10

    @pytest.mark.parametrize("one_in", small_and_large(23, 1))
    def test_it_keeps_its_promises_for_its_seeds(self, target: str, one_in: int) -> None:
        for seed in targets.seeds(target)[::one_in]:
            for more in range(8):  # what is looked at depends on the length
                targets.TARGETS[target](seed + b" " * more)

    @pytest.mark.parametrize("times", small_and_large(1, 50))
    def test_it_keeps_its_promises_under_torture(self, target: str, times: int) -> None:
        for name, data in torture(times).items():
            for more in range(8):
                try:
                    targets.TARGETS[target](data + b" " * more)
                except Exception as error:
                    error.add_note(f"under {name} with {more} spaces behind")
                    raise


class TestABrokenPromise:
    """A fuzzer that nothing can alarm finds nothing."""

    @staticmethod
    def broken(monkeypatch: pytest.MonkeyPatch, function: Callable[[Any], object]) -> None:
        monkeypatch.setattr(targets, "parse_segment_event", function)
        for more in range(8):
            targets.segment_call(CALL + b" " * more)

    def test_another_exception_escapes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(KeyError):
            self.broken(monkeypatch, {"nothing": 1}.__getitem__)

    def test_an_unknown_code_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(_: object) -> None:
            error = SegmentEventError("missing_type")
            error.code = "oops"
            raise error

        with pytest.raises(AssertionError, match="unknown code"):
            self.broken(monkeypatch, unknown)

    def test_a_talkative_message_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def talks(payload: object) -> None:
            raise SegmentEventError("missing_type", "$.type", f"{payload!r} has no type")

        with pytest.raises(AssertionError, match="message"):
            self.broken(monkeypatch, talks)

    def test_a_path_that_is_none_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def lost(_: object) -> None:
            raise SegmentEventError("missing_type", "type")

        with pytest.raises(AssertionError, match="path"):
            self.broken(monkeypatch, lost)

    def test_a_form_with_another_outcome_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def text_only(payload: Any) -> object:
            return parse_segment_event(payload if isinstance(payload, str) else b"{}")

        with pytest.raises(AssertionError, match="form"):
            self.broken(monkeypatch, text_only)

    def test_a_changed_argument_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def greedy(payload: Any) -> object:
            call = parse_segment_event(payload)
            if isinstance(payload, dict):
                payload.clear()  # pyright: ignore[reportUnknownMemberType] - of what JSON it is makes no difference
            return call

        with pytest.raises(AssertionError, match="changed"):
            self.broken(monkeypatch, greedy)

    @pytest.mark.parametrize("name", ["statsig_signature", "segment_signature"])
    def test_a_signature_that_passes_is_noticed(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        def accept(*_: object, **__: object) -> None:
            pass

        monkeypatch.setattr(targets, f"verify_{name}", accept)

        with pytest.raises(AssertionError, match="wrong signature passed"):
            targets.TARGETS[name](b"\n\n")

    @pytest.mark.parametrize("name", ["statsig_signature", "segment_signature"])
    def test_a_right_signature_that_is_refused_is_noticed(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise SignatureError("signature_mismatch")

        monkeypatch.setattr(targets, f"verify_{name}", refuse)

        with pytest.raises(AssertionError, match="right signature was refused"):
            targets.TARGETS[name](b"\n\n{}")

    def test_a_lane_that_differs_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def careless(payload: Any, _: object) -> object:
            return {"eventName": payload["event"]}

        monkeypatch.setattr("tests.fuzzing.targets.LANES", [lane._replace(answer=careless) for lane in LANES])

        with pytest.raises(AssertionError, match="differs from the reference"):
            targets.fast_lanes(CALL)

    def test_a_lane_that_hands_out_a_part_of_the_payload_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def careless(payload: Any, _: object) -> object:
            return payload

        lanes = [lane._replace(answer=careless, reference=careless) for lane in LANES]
        monkeypatch.setattr("tests.fuzzing.targets.LANES", lanes)

        with pytest.raises(AssertionError, match="shares a dict"):
            targets.fast_lanes(CALL)
