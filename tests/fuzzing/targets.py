"""What is fuzzed: each way in for outside text as a function of bytes, which raises where a promise is broken.

A promise is broken where anything but our own error family escapes; where a message says more than its code; where
bytes, text and objects of one input have different outcomes; where an argument is changed; where a result cannot be
written as JSON; where what comes in cannot go all the way through; where a fast lane differs from the reference; and
where a wrong signature passes or a right one does not.
"""

# Testing JSON for its type makes dict[Unknown, Unknown] of Any:
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from tests.support.edits import CHANGES, edited, places
from tests.support.lanes import LANES, hold_to_the_law

from statsig_segment import (
    ConfigError,
    IntegrationConfig,
    OutboundConfig,
    StatsigEvent,
    StatsigSegmentError,
    explain,
    export_many,
    load_config,
    parse_segment_event,
    parse_statsig_event,
    split_segment_batch,
    split_statsig_export,
    to_log_event,
    to_outbound_track,
    translate_many,
    verify_segment_signature,
    verify_statsig_signature,
)
from statsig_segment.conformance.cases import VECTORS, read_cases
from statsig_segment.rulebook import CODES

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = ROOT / "examples"
CONFIG: Final = load_config((EXAMPLES / "integration.toml").read_text(encoding="utf-8"))
CONFIGS: Final = (CONFIG, IntegrationConfig(outbound=OutboundConfig(profile="deliverable")))
MAX_BYTES: Final = 4096
_SECRET: Final = "one that no test vector was signed with"
_NOW_MS: Final = 1_671_672_194_836  # the time of most of the vectors' signatures
_TOLERANCE_MS: Final = 60_000
_ARGUMENTS: Final = frozenset({"body", "secret", "timestamp"})  # the paths of a SignatureError
_MESSAGES: Final = re.compile(
    "expected a JSON object( or array)?, not (NoneType|bool|float|int|list|str)"
    r"|not valid JSON \(at line \d+, column \d+\)"
    "|the call has no type; split_segment_batch takes an envelope apart"
    "|neither a user ID nor a custom ID; an ID mapping anonymousId -> segmentAnonymousId would give one"
)
"""What an error may say beside the meaning of its code: nothing of the payload, but for the type of all of it."""
_EVERY: Final = 8  # what costs more than the target itself is looked at once in so many inputs


def _outcome(function: Callable[[Any], object], argument: object) -> object:
    """Give what a function gives or, of our family, raises; anything else escapes, and is a finding."""
    try:
        found = function(argument)
        return list(cast("Iterator[object]", found)) if isinstance(found, Iterator) else found
    except StatsigSegmentError as error:
        _check_error(error)
        return error


def _check_error(error: StatsigSegmentError) -> None:
    issues = error.issues if isinstance(error, ConfigError) else ()
    if error.code not in CODES or any(issue.code not in CODES for issue in issues):
        raise AssertionError("an unknown code")
    if not issues and str(error) != CODES[error.code].meaning and not _MESSAGES.fullmatch(str(error)):
        raise AssertionError("a message that is not that of its code")
    if error.path is not None and not issues and not (error.path.startswith("$") or error.path in _ARGUMENTS):
        raise AssertionError("a path that is none")


def _in_every_form(function: Callable[[Any], object], data: bytes) -> object:
    """Give the outcome for bytes; now and then compare it with those for the same as text and as an object."""
    told = _outcome(function, data)
    if len(data) % _EVERY == 0:
        for form in _other_forms(data):
            before = repr(form)
            if repr(_outcome(function, form)) != repr(told):  # as text, since NaN is not equal to itself
                raise AssertionError("another outcome in another form")
            if repr(form) != before:
                raise AssertionError("an argument was changed")
    return told


def _other_forms(data: bytes) -> Iterator[object]:
    try:
        text = data.decode()
        yield text
        value = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return
    if not isinstance(value, (str, bytes)):
        yield value


def _all_the_way(payloads: Iterable[Any], data: bytes) -> None:
    """Translate, explain and write what came out of a body."""
    config = CONFIGS[len(data) % len(CONFIGS)]
    for outcome in translate_many(payloads, config):
        if isinstance(outcome, StatsigEvent):
            json.dumps(to_log_event(outcome))


def segment_call(data: bytes) -> None:
    """`parse_segment_event`, and for what it reads `translate_many` and `explain`."""
    call = _in_every_form(parse_segment_event, data)
    if not isinstance(call, StatsigSegmentError):
        _all_the_way([data], data)
        if len(data) % _EVERY == 1:
            json.dumps([row.value for row in explain(data, CONFIG).rows])


def segment_batch(data: bytes) -> None:
    """`split_segment_batch`, and for each item `translate_many`."""
    items = _in_every_form(split_segment_batch, data)
    if isinstance(items, list):
        _all_the_way(items, data)


def statsig_event(data: bytes) -> None:
    """`parse_statsig_event`, and for events `to_outbound_track`."""
    event = _in_every_form(parse_statsig_event, data)
    if isinstance(event, StatsigEvent):
        json.dumps(to_outbound_track(event))
        repr(event.user)


def statsig_export(data: bytes) -> None:
    """`split_statsig_export`, and for each item `export_many`."""
    items = _in_every_form(split_statsig_export, data)
    if isinstance(items, list):
        for outcome in export_many(items, CONFIGS[len(data) % len(CONFIGS)]):
            if isinstance(outcome, dict):
                json.dumps(outcome)


def configuration(data: bytes) -> None:
    """`load_config`, for text in TOML or JSON, and for what JSON holds."""
    for form in (data.decode(errors="replace"), *_other_forms(data)):
        config = _outcome(load_config, form)
        if isinstance(config, IntegrationConfig):
            hash(config)


def fast_lanes(data: bytes) -> None:
    """The law of the fast lanes, for a value and, where there is a place in it, for one changed copy of it."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    draw = random.Random(data)
    for lane in LANES:
        hold_to_the_law(lane, value, draw.choice(list(lane.configs.values())))
        within = list(itertools.islice(places(value), _MOST_PLACES))
        if within:
            changed = edited(json.dumps(value), draw.choice(within), draw.choice(_CHANGES))
            hold_to_the_law(lane, changed, draw.choice(list(lane.configs.values())))


_CHANGES: Final = tuple(CHANGES.values())
_MOST_PLACES: Final = 200


def statsig_signature(data: bytes) -> None:
    """`verify_statsig_signature`: two lines of text, then the body; with that signature, and with the right one."""
    timestamp, signature, body = _three(data)
    base = b"v0:" + timestamp.encode(errors="surrogatepass") + b":" + body
    right = f"v0={hmac.new(_SECRET.encode(), base, hashlib.sha256).hexdigest()}"
    for now_ms in (None, _NOW_MS):
        verify = partial(verify_statsig_signature, body, timestamp, now_ms=now_ms, tolerance_ms=_TOLERANCE_MS)
        _verified(partial(verify, signature), is_right=False)
        _verified(partial(verify, right), is_right=now_ms is None or _is_fresh(timestamp, now_ms))


def _is_fresh(timestamp: str, now_ms: int) -> bool:
    return bool(re.fullmatch("[0-9]+", timestamp)) and abs(Decimal(timestamp) - now_ms) <= _TOLERANCE_MS


def segment_signature(data: bytes) -> None:
    """`verify_segment_signature`: a line of text, then the body; with that signature, and with the right one."""
    _, signature, body = _three(data)
    right = _segment_signature(body)
    value = _read(body)
    _verified(partial(verify_segment_signature, body, signature), is_right=False)
    _verified(partial(verify_segment_signature, body, right), is_right=True)
    if value is not _NO_JSON:  # as the first of a batch it is what is signed
        first = body.strip(b" \t\r\n")
        batch = b"[ " + first + b"\n, 1]"
        _verified(partial(verify_segment_signature, batch, _segment_signature(first)), is_right=True)


def _segment_signature(signed: bytes) -> str:
    return hmac.new(_SECRET.encode(), signed, hashlib.sha1).hexdigest()


_NO_JSON: Final = object()


def _read(body: bytes) -> object:
    try:
        return json.loads(body.decode(), parse_int=str)
    except (ValueError, RecursionError):
        return _NO_JSON


def _three(data: bytes) -> tuple[str, str, bytes]:
    first, _, rest = data.partition(b"\n")
    second, _, body = rest.partition(b"\n")
    return first.decode(errors="surrogateescape"), second.decode(errors="surrogateescape"), body


def _verified(verify: Callable[[str], object], *, is_right: bool) -> None:
    if (_outcome(verify, _SECRET) is None) != is_right:
        raise AssertionError("a right signature was refused" if is_right else "a wrong signature passed")


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    target.__name__: target
    for target in (
        segment_call,
        segment_batch,
        statsig_event,
        statsig_export,
        configuration,
        fast_lanes,
        statsig_signature,
        segment_signature,
    )
}

_OPERATIONS: Final[Mapping[str, frozenset[str]]] = {
    "segment_call": frozenset({"translate", "explain", "audience_update"}),
    "segment_batch": frozenset({"split_segment_batch", "translate_many", "fold"}),
    "statsig_event": frozenset({"export"}),
    "statsig_export": frozenset({"split_statsig_export", "url_verification_code"}),
    "configuration": frozenset({"load_config"}),
    "fast_lanes": frozenset({"translate", "explain", "audience_update", "export"}),
    "statsig_signature": frozenset({"verify_statsig_signature"}),
    "segment_signature": frozenset({"verify_segment_signature"}),
}
"""Target -> the operations of the test vectors whose inputs are its seeds."""


def seeds(target: str) -> list[bytes]:
    """Give inputs to begin with: those of the test vectors, those of them that are not too long."""
    cases = [case for case in read_cases(VECTORS) if case["operation"] in _OPERATIONS[target]]
    found = [_seed(case) for case in cases if "input" in case or "input_text" in case]
    if target == fast_lanes.__name__:
        found += [json.dumps(payload).encode() for lane in LANES for payload in lane.sound.values()]
    return [seed for seed in found if len(seed) <= MAX_BYTES]


def _seed(case: Mapping[str, Any]) -> bytes:
    given = case.get("input", case.get("input_text"))
    if case["operation"].startswith("verify_") and isinstance(given, dict):
        lines = (given.get("timestamp", ""), given.get("signature", ""), given.get("body", ""))
        return "\n".join(map(str, lines)).encode(errors="surrogatepass")
    return given.encode(errors="surrogatepass") if isinstance(given, str) else json.dumps(given).encode()


def words() -> set[str]:
    """Give the words that the inputs of the vectors are made of: what a fuzzer would be long in finding."""
    return {word for case in read_cases(VECTORS) for word in _words(case.get("input")) if 1 < len(word) <= 40}


def _words(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in cast("dict[str, object]", value).items():
            yield key
            yield from _words(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _words(item)
