"""Answer the cases of the vector files with this library; knows nothing of pytest.

`answer(case)` is one pure function from a case to an answer in the shape of its `expected`; README.md beside this file
describes both shapes for other languages. As a program it reads a case and writes an answer a line.
"""

from __future__ import annotations

import base64
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, TypeAlias, TypeGuard

from statsig_segment import (
    AudienceUpdate,
    ConfigChange,
    ConfigError,
    IdListPatch,
    IntegrationConfig,
    Issue,
    Rejected,
    Skipped,
    StatsigEvent,
    StatsigSegmentError,
    apply_id_mappings,
    audience_update,
    custom_ids_property,
    custom_property,
    explain,
    export,
    fold_audience_updates,
    load_config,
    parse_segment_event,
    parse_statsig_event,
    split_segment_batch,
    split_statsig_export,
    to_event_webhook,
    to_log_event,
    to_log_event_request,
    to_segment_batches,
    translate,
    translate_many,
    url_verification_code,
    verify_segment_signature,
    verify_statsig_signature,
)

Json: TypeAlias = Any
Case: TypeAlias = Mapping[str, Json]
Answer: TypeAlias = dict[str, Json]

ITEMS: Final = frozenset({"translate_many", "fold", "log_event_request"})
"""Operations whose input may be a list of payloads, each of which can come as a value or as JSON text."""

ARGUMENTS: Final = frozenset(
    {
        "custom_ids_property",
        "custom_property",
        "segment_batches",
        "split_patch",
        "verify_statsig_signature",
        "verify_segment_signature",
    }
)
"""Operations whose input is a set of arguments, and is never given as text to the library."""


# -- From a case to what the library takes ----------------------------------------------------------------------------


def source(case: Case) -> Json:
    """Give the input of a case as the library takes it: a JSON value, text or bytes."""
    if "input" in case:
        return case["input"]
    if "input_base64" in case:
        return base64.b64decode(case["input_base64"])
    if "input_parts" in case:
        return "".join(part["text"] * part.get("times", 1) for part in case["input_parts"])
    return case["input_text"]


def forms(case: Case) -> Iterator[tuple[str, Case]]:
    """Give the case as it stands, and in every other form of input that must have the same answer."""
    yield "as given", case
    if case["operation"] in ARGUMENTS or "input_base64" in case:
        return
    bare = {key: value for key, value in case.items() if not key.startswith("input")}
    given = source(case)
    if case["operation"] in ITEMS and is_list(given):
        yield "items as text", bare | {"input": [item if isinstance(item, str) else json.dumps(item) for item in given]}
        return
    if case["operation"] == "load_config":
        if isinstance(given, dict):
            yield "as text", bare | {"input_text": json.dumps(given)}
        return
    if isinstance(given, str):
        yield "as bytes", bare | {"input_base64": _base64(given)}
        try:
            value = json.loads(given)
        except (ValueError, RecursionError):
            return
        if not isinstance(value, str):  # a string would be read as JSON text once more
            yield "as a value", bare | {"input": value}
        return
    yield "as text", bare | {"input_text": json.dumps(given)}
    yield "as bytes", bare | {"input_base64": _base64(json.dumps(given, ensure_ascii=False))}


def is_list(value: object) -> TypeGuard[list[Json]]:
    """Say whether a JSON value is an array."""
    return isinstance(value, list)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "backslashreplace")).decode("ascii")


def configuration(case: Case) -> IntegrationConfig:
    """Load the configuration of a case the way a file is loaded, the same one once: it takes longer than all else."""
    return _loaded(json.dumps(case.get("config", {})))


@cache
def _loaded(text: str) -> IntegrationConfig:
    return load_config(json.loads(text))


# -- From results to answers ------------------------------------------------------------------------------------------


class Ear:
    """Hears everything that the library says in words, so that a test can look for what must not be said."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def error(self, error: StatsigSegmentError) -> Answer:
        """Give an error as an answer."""
        self.texts += [*traceback.format_exception(error), str(error), repr(error), str(error.path)]
        told: Answer = {"code": error.code}
        if error.path is not None:
            told["path"] = error.path
        if isinstance(error, ConfigError):
            told["paths"] = [issue.path for issue in error.issues]
        return {"error": told}

    def issues(self, issues: Iterable[Issue]) -> Answer:
        """Give issues as a part of an answer that is absent where there are none."""
        found = list(issues)
        self.texts += [text for issue in found for text in (issue.message, issue.path, repr(issue))]
        return {"issues": [{"code": issue.code, "path": issue.path} for issue in found]} if found else {}

    def outcome(self, result: StatsigEvent | AudienceUpdate | Skipped | Rejected) -> Answer:
        """Give what `translate_many` yields for one payload as an answer."""
        match result:
            case StatsigEvent():
                return {"event": to_log_event(result)} | self.issues(result.issues)
            case AudienceUpdate():
                return {"audience": membership(result)} | self.issues(result.issues)
            case Skipped():
                return {"skipped": result.reason}
            case Rejected():
                return self.error(result.error)


def membership(update: AudienceUpdate) -> Answer:
    """Give a membership with the keys that Statsig uses on its wire."""
    told: Answer = {"idList": update.id_list, "member": update.member}
    if update.user_id is not None:
        told["userID"] = update.user_id
    if update.custom_ids:
        told["customIDs"] = dict(update.custom_ids)
    if update.time_ms is not None:
        told["time"] = update.time_ms
    return told


def patch(patch: IdListPatch) -> Answer:
    return {"idList": patch.id_list, "add": list(patch.add), "remove": list(patch.remove)}


# -- Operations -------------------------------------------------------------------------------------------------------


def _translate(case: Case, ear: Ear) -> Answer:
    return ear.outcome(translate(source(case), configuration(case)))


def _translate_many(case: Case, ear: Ear) -> Answer:
    seen: set[str] | None = set() if case.get("seen") else None
    return {"outcomes": [ear.outcome(r) for r in translate_many(source(case), configuration(case), seen=seen)]}


def _explain(case: Case, ear: Ear) -> Answer:
    told = explain(source(case), configuration(case))
    rows = [{"target": r.target, "value": r.value, "source": r.source, "rule": r.rule} for r in told.rows]
    match told.result:
        case Skipped() | Rejected():
            return {"rows": rows} | ear.outcome(told.result)
        case _:
            return {"rows": rows}


def _update(payload: Json, config: IntegrationConfig) -> AudienceUpdate | None:
    return audience_update(apply_id_mappings(parse_segment_event(payload), config.inbound.id_mappings))


def _audience_update(case: Case, ear: Ear) -> Answer:
    update = _update(source(case), configuration(case))
    return {"audience": None} if update is None else ear.outcome(update)


def _fold(case: Case, _: Ear) -> Answer:
    config = configuration(case)
    updates = [update for payload in source(case) if (update := _update(payload, config)) is not None]
    fold = fold_audience_updates(updates, id_type=case.get("id_type", "userID"))
    return {"patches": [patch(p) for p in fold.patches], "apart": len(fold.apart)}


def _split_patch(case: Case, _: Ear) -> Answer:
    given = case["input"]
    whole = IdListPatch(id_list=given["idList"], add=tuple(given["add"]), remove=tuple(given["remove"]))
    return {"patches": [patch(part) for part in whole.split(case["max_ids"])]}


def _events(case: Case) -> list[StatsigEvent]:
    given = source(case)
    payloads = given if is_list(given) else [given]
    config = configuration(case)
    return [result for payload in payloads if isinstance(result := translate(payload, config), StatsigEvent)]


def _log_event_request(case: Case, _: Ear) -> Answer:
    request: Answer = dict(to_log_event_request(_events(case)))
    if request["statsigMetadata"]["sdkVersion"]:
        request["statsigMetadata"] = request["statsigMetadata"] | {"sdkVersion": "<version>"}
    return {"request": request}


def _event_webhook(case: Case, _: Ear) -> Answer:
    (event,) = _events(case)
    return {"request": to_event_webhook(event)}


def _export(case: Case, ear: Ear) -> Answer:
    result = export(source(case), configuration(case))
    return ear.outcome(result) if isinstance(result, Skipped) else {"track": result}


def _parse_statsig_event(case: Case, ear: Ear) -> Answer:
    event = parse_statsig_event(source(case))
    time_ms = event.timestamp if isinstance(event, ConfigChange) else event.time_ms
    time = {} if time_ms is None else {"time": time_ms}
    return {"exported": {"eventName": event.event_name} | time} | ear.issues(event.issues)


def _property(make: Callable[[Json], Iterable[Json]]) -> Callable[[Case, Ear], Answer]:
    def run(case: Case, _: Ear) -> Answer:
        given = source(case)
        return {"array": list(make(json.loads(given) if isinstance(given, str) else given))}

    return run


def _split_segment_batch(case: Case, _: Ear) -> Answer:
    return {"payloads": list(split_segment_batch(source(case)))}


def _split_statsig_export(case: Case, _: Ear) -> Answer:
    return {"payloads": list(split_statsig_export(source(case)))}


def _url_verification_code(case: Case, _: Ear) -> Answer:
    return {"code": url_verification_code(source(case))}


def _segment_batches(case: Case, ear: Ear) -> Answer:
    bodies: list[Json] = []
    rejected: list[Json] = []
    for result in to_segment_batches(tracks(case["input"])):
        if isinstance(result, Rejected):
            rejected.append(ear.outcome(result)["error"]["code"])
        else:
            bodies.append(result)
    return {"bodies": bodies, "rejected": rejected}


def tracks(given: Json) -> list[Json]:
    """Write out what a case of `segment_batches` abbreviates."""
    found: list[Json] = []
    for item in given if is_list(given) else [given]:
        if "repeat" in item:
            found += [padded(item)] * item["repeat"]
        else:
            found.append(item)
    return found


def padded(item: Json) -> Json:
    """Give the track of an abbreviation, filled up to its number of bytes by a property `padding`."""
    track = item["track"]
    if "bytes" not in item:
        return track
    fill: str = item.get("fill", "x")
    track = track | {"properties": {"padding": ""}}
    missing = item["bytes"] - size(track)
    track["properties"] = {"padding": fill * (missing // len(fill.encode()))}
    if size(track) != item["bytes"]:
        raise ValueError(f"no padding gives {item['bytes']} bytes")
    return track


def size(value: Json) -> int:
    """Count the bytes of compact JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _verify(check: Callable[..., None]) -> Callable[[Case, Ear], Answer]:
    def run(case: Case, _: Ear) -> Answer:
        given = source(case)
        arguments: dict[str, Json] = json.loads(given) if isinstance(given, str) else {**given}
        if "body_base64" in arguments:
            arguments["body"] = base64.b64decode(arguments.pop("body_base64"))
        else:
            arguments["body"] = arguments["body"].encode()
        check(**arguments)
        return {"valid": True}

    return run


def _load_config(case: Case, _: Ear) -> Answer:
    load_config(source(case))
    return {"valid": True}


OPERATIONS: Final[Mapping[str, Callable[[Case, Ear], Answer]]] = {
    "audience_update": _audience_update,
    "custom_ids_property": _property(custom_ids_property),
    "custom_property": _property(custom_property),
    "event_webhook": _event_webhook,
    "explain": _explain,
    "export": _export,
    "fold": _fold,
    "load_config": _load_config,
    "log_event_request": _log_event_request,
    "parse_statsig_event": _parse_statsig_event,
    "segment_batches": _segment_batches,
    "split_patch": _split_patch,
    "split_segment_batch": _split_segment_batch,
    "split_statsig_export": _split_statsig_export,
    "translate": _translate,
    "translate_many": _translate_many,
    "url_verification_code": _url_verification_code,
    "verify_segment_signature": _verify(verify_segment_signature),
    "verify_statsig_signature": _verify(verify_statsig_signature),
}


def answer_and_texts(case: Case) -> tuple[Answer, list[str]]:
    """Answer a case, and give every message, path and `repr` of an error or issue that came with the answer."""
    ear = Ear()
    try:
        told = OPERATIONS[case["operation"]](case, ear)
    except StatsigSegmentError as error:
        told = ear.error(error)
    return told, ear.texts


def answer(case: Case) -> Answer:
    """Answer a case in the shape of its `expected`."""
    return answer_and_texts(case)[0]


if __name__ == "__main__":  # a program that statsig_segment.conformance can be held against: ours
    for line in sys.stdin:
        asked: Case = json.loads(line)
        print(json.dumps({"id": asked["id"], "answer": answer(asked)}))
