"""What the playground asks of the library: text in, JSON text out; runs in the browser, and holds no rule of its own.

`inbound` and `outbound` answer with `{"problems", "total", "body", "outcomes", "other"}`, and the first outcomes only.
`more` gives the next ones, `count` counts all, and `output` writes all that would be sent.
"""

import json
import platform
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import attrs

from statsig_segment import (
    AudienceUpdate,
    ConfigError,
    Explanation,
    IntegrationConfig,
    Issue,
    Rejected,
    Skipped,
    StatsigEvent,
    StatsigSegmentError,
    __version__,
    explain,
    explain_export,
    export_many,
    load_config,
    split_segment_batch,
    split_statsig_export,
    to_event_webhook,
    to_log_event,
    to_log_event_request,
    translate_many,
    url_verification_code,
)
from statsig_segment.cli.identifier_text import missing_ids
from statsig_segment.errors import join_path
from statsig_segment.rulebook import CODES, FAMILIES

Json = dict[str, Any]

FORM_RULES: Final = {"log-event": "WI-1", "webhook": "WI-3", "request": "WI-2"}
"""Form of the output -> the rule that gives it."""
PROFILE_RULES: Final = {"documented": "OU-3", "deliverable": "OU-4"}
ELSEWHERE: Final = frozenset({"configuration", "command_line"})
"""Families whose rules are on the page of the same name; the others are on the page of rules."""
CALL_TYPES: Final = frozenset({"track", "page", "screen", "group", "identify"})
SHOWN: Final = 30
"""So many outcomes are shown at first."""
LINES: Final = 3000
"""So many lines of one value are shown."""

_KINDS: Final = {StatsigEvent: "event", AudienceUpdate: "audience", Skipped: "skipped", Rejected: "rejected"}
_WEBHOOK_NAMES: Final = {"$.eventName": "$.event", "$.time": "$.timestamp"}
"""Field of a log event -> the same field of the event webhook."""
_UNSEEN: Final = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""What cannot be seen, or changes the order of what can: written as JSON escapes."""


@attrs.frozen(kw_only=True)
class Item:
    """A payload, and where it is in the text."""

    payload: Any
    roots: list[str]
    """Paths under which a path of the payload may be found."""
    line: int | None = None
    """Line of the text, counted from 1, if each line is a record of its own."""
    error: StatsigSegmentError | None = None
    """Why the payload could not be taken out of its envelope."""
    at: list[int] | None = None
    """Line and column of broken JSON, counted from 1."""


@attrs.define(kw_only=True)
class _Question:
    """What was asked last: `more` and `output` are about it."""

    items: list[Item] = attrs.field(factory=list)
    config: IntegrationConfig = attrs.field(factory=IntegrationConfig)
    option: str = ""
    is_inbound: bool = True


_asked = _Question()


# -- What the page asks ----------------------------------------------------------------------------------------------


def about() -> str:
    """Give the versions, the forms of output and the rules, each with its place in the documentation."""
    versions = {"library": __version__, "python": platform.python_version()}
    return json.dumps({"rules": dict(_rules()), "versions": versions, "forms": FORM_RULES})


def inbound(text: str, config: str, form: str) -> str:
    """Translate Segment calls: one, an array, a batch envelope, or one of these on each line."""
    try:
        settings = _config(config)
    except ConfigError as error:
        return json.dumps({"problems": _issues(error.issues)})
    records = list(_records(text))
    items = [item for record in records for item in _calls(record)]
    _ask(_Question(items=items, config=settings, option=form))
    body = _request(items, settings) if form == "request" else None
    return _answer(body, other=_is_export(records[0].payload))


def outbound(text: str, config: str, profile: str) -> str:
    """Translate Statsig's exports; `profile` stands in for the configured one unless empty."""
    try:
        settings = _config(config)
    except ConfigError as error:
        return json.dumps({"problems": _issues(error.issues)})
    if profile:
        settings = attrs.evolve(settings, outbound=attrs.evolve(settings.outbound, profile=profile))
    records = list(_records(text))
    items = [item for record in records for item in _events(record)]
    _ask(_Question(items=items, config=settings, option=settings.outbound.profile, is_inbound=False))
    return _answer(None, other=_is_call(records[0].payload))


def more(start: int, count: int) -> str:
    """Give outcomes of the last question, from a position on."""
    return json.dumps(list(_outcomes(start, count)))


def count() -> str:
    """Count what came of the last question, by kind."""
    counts: Counter[str] = Counter(rejected=sum(item.error is not None for item in _asked.items))
    sound = [item.payload for item in _asked.items if item.error is None]
    if _asked.is_inbound:
        for outcome in translate_many(sound, _asked.config):
            counts[_KINDS[type(outcome)]] += 1
            if isinstance(outcome, StatsigEvent | AudienceUpdate):
                counts["issue"] += len(outcome.issues)
    else:
        counts.update(_outbound_kind(payload, _asked.config) for payload in sound)
    return json.dumps(+counts)


def output() -> str:
    """Write all that would be sent: what the copy button copies."""
    return json.dumps("\n".join(map(_pretty, _sent())))


def _sent() -> Iterable[Any]:
    payloads = [item.payload for item in _asked.items if item.error is None and not _is_handshake(item.payload)]
    if not _asked.is_inbound:
        return [each for each in export_many(payloads, _asked.config) if isinstance(each, dict)]
    outcomes = list(translate_many(payloads, _asked.config))
    if _asked.option == "request":
        return [to_log_event_request([outcome for outcome in outcomes if isinstance(outcome, StatsigEvent)])]
    return [_wire(each) for each in outcomes if isinstance(each, StatsigEvent | AudienceUpdate)]


def _ask(question: _Question) -> None:
    global _asked  # noqa: PLW0603 - one page asks, and one question is open
    _asked = question


@lru_cache(maxsize=8)
def _config(text: str) -> IntegrationConfig:
    return load_config(text)


def _rules() -> Iterator[tuple[str, Json]]:
    for family in FAMILIES:
        for rule in family.rules:
            page = family.slug if family.slug in ELSEWHERE else "rules"
            place = f"{page}.html#{rule.id.lower()}"
            yield rule.id, attrs.asdict(rule) | {"status": rule.status, "href": place}


def _answer(body: list[Json] | None, *, other: bool) -> str:
    outcomes = list(_outcomes(0, SHOWN))
    total = len(_asked.items)
    return json.dumps({"problems": [], "total": total, "body": body, "outcomes": outcomes, "other": other})


def _outcomes(start: int, count: int) -> Iterator[Json]:
    one = _inbound_outcome if _asked.is_inbound else _outbound_outcome
    for item in islice(_asked.items, start, start + count):
        yield one(item, _asked.config, _asked.option) | {"line": item.line}


# -- Records, and the payloads in each -------------------------------------------------------------------------------


def _records(text: str) -> Iterator[Item]:
    """Read one JSON text, or one on each line if the first line is one by itself."""
    whole = _record(text, 1)
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if isinstance(whole.payload, str) and lines[1:] and isinstance(_record(lines[0][1], 1).payload, dict | list):
        yield from (attrs.evolve(_record(line, number), line=number) for number, line in lines)
    else:
        yield whole


def _record(text: str, line: int) -> Item:
    """Read a JSON text; one that is broken, or holds no more than text, stays text, which the library refuses."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return Item(payload=text, roots=["$"], at=[line + error.lineno - 1, error.colno])
    except (ValueError, RecursionError):
        return Item(payload=text, roots=["$"])
    return Item(payload=text if isinstance(value, str) else value, roots=["$"])


def _calls(record: Item) -> Iterator[Item]:
    """Give each call with its roots; the second one is the envelope, which fills in what the call lacks (IN-8)."""
    body, base = record.payload, "$"
    if isinstance(body, str):
        yield record
        return
    if isinstance(body, dict) and "type" not in body and isinstance(body.get("detail-type"), str):
        body, base = body.get("detail"), "$.detail"
    enveloped = isinstance(body, dict) and "batch" in body and "type" not in body
    try:
        for index, payload in enumerate(split_segment_batch(record.payload)):
            roots = [f"{base}.batch[{index}]", base] if enveloped else [_element(body, base, index)]
            yield attrs.evolve(record, payload=payload, roots=roots)
    except StatsigSegmentError as error:
        yield attrs.evolve(record, error=error)


def _events(record: Item) -> Iterator[Item]:
    body, base = record.payload, "$"
    if isinstance(body, str):
        yield record
        return
    code = url_verification_code(body)
    if code is not None:
        yield attrs.evolve(record, payload={"handshake": code})
        return
    for key in ("data", "events"):
        if isinstance(body, dict) and key in body and "eventName" not in body:
            body, base = body[key], f"$.{key}"
            break
    try:
        for index, payload in enumerate(split_statsig_export(record.payload)):
            yield attrs.evolve(record, payload=payload, roots=[_element(body, base, index)])
    except StatsigSegmentError as error:
        yield attrs.evolve(record, error=error)


def _element(body: Any, base: str, index: int) -> str:
    return f"{base}[{index}]" if isinstance(body, list) else base


def _is_export(value: Any) -> bool:
    """Say whether this is plainly Statsig's export and not a call."""
    value = _first(value, "data", "events")
    if not isinstance(value, dict) or "type" in value:
        return False
    return value.get("event") == "url_verification" or any(
        isinstance(value.get(k), str) for k in ("eventName", "event_name")
    )


def _is_call(value: Any) -> bool:
    """Say whether this is plainly a Segment call and not an export."""
    value = _first(value, "batch")
    return isinstance(value, dict) and "eventName" not in value and value.get("type") in CALL_TYPES


def _first(value: Any, *keys: str) -> Any:
    """Take the first element out of an array or an envelope."""
    for key in keys:
        if isinstance(value, dict) and "type" not in value and key in value:
            value = value[key]
    return value[0] if isinstance(value, list) and value else value


# -- Segment to Statsig ----------------------------------------------------------------------------------------------


def _inbound_outcome(item: Item, config: IntegrationConfig, form: str) -> Json:
    if item.error is not None:
        return _failed(item.error, item)
    explanation = explain(item.payload, config)
    result = explanation.result
    if isinstance(result, Skipped | Rejected):
        return _stopped(explanation, item)
    common = _common(explanation, item)
    whys = _whys(explanation, item.roots)
    if isinstance(result, AudienceUpdate):
        return common | {"kind": "audience", "rules": ["AU-2"], "lines": _lines(_wire(result), whys)}
    if form == "request":
        return common | {"kind": "event", "rules": [FORM_RULES[form]], "lines": None}
    if form == "webhook":
        whys = {_WEBHOOK_NAMES.get(path, path): why for path, why in whys.items()}
    written = _wire(result, form)
    return common | {
        "kind": "event",
        "rules": [FORM_RULES[form]],
        "lines": _lines(written, whys | _wire_whys(written, "$")),
    }


def _wire(result: StatsigEvent | AudienceUpdate, form: str | None = None) -> Any:
    if isinstance(result, AudienceUpdate):
        wire = {"idList": result.id_list, "member": result.member, "userID": result.user_id}
        wire |= {"customIDs": dict(result.custom_ids) or None, "time": result.time_ms}
        return {name: value for name, value in wire.items() if value is not None}
    return to_event_webhook(result) if (form or _asked.option) == "webhook" else to_log_event(result)


def _request(items: list[Item], config: IntegrationConfig) -> list[Json] | None:
    """Write the events as one body, with what is said of each field of each; of very many, the first."""
    whys = {f"$.statsigMetadata.{name}": _why(None, "WI-2", []) for name in ("sdkType", "sdkVersion")}
    events: list[StatsigEvent] = []
    explanations = ((item, explain(item.payload, config)) for item in items if item.error is None)
    for item, explanation in explanations:
        if isinstance(explanation.result, StatsigEvent):
            prefix = f"$.events[{len(events)}]"
            whys |= {prefix + path[1:]: why for path, why in _whys(explanation, item.roots).items()}
            whys |= _wire_whys(to_log_event(explanation.result), prefix)
            events.append(explanation.result)
        if len(events) == SHOWN:
            break
    return _lines(to_log_event_request(events), whys) if events else None


def _whys(explanation: Explanation, roots: list[str]) -> dict[str, Json]:
    return {row.target: _why(row.source, row.rule, roots) for row in explanation.rows}


def _wire_whys(written: Mapping[str, Any], prefix: str) -> dict[str, Json]:
    """Say why empty metadata is there: no row is about it, because it is not a leaf."""
    return {} if written["metadata"] else {f"{prefix}.metadata": _why(None, "WI-1", [])}


def _why(source: str | None, rule: str, roots: list[str]) -> Json:
    return {"source": source, "rule": rule, "roots": roots}


# -- Statsig to Segment ----------------------------------------------------------------------------------------------


def _outbound_kind(payload: Any, config: IntegrationConfig) -> str:
    if _is_handshake(payload):
        return "handshake"
    [outcome] = export_many([payload], config)
    return _KINDS.get(type(outcome), "call")


def _is_handshake(payload: Any) -> bool:
    return isinstance(payload, dict) and payload.keys() == {"handshake"}


def _outbound_outcome(item: Item, config: IntegrationConfig, profile: str) -> Json:
    if item.error is not None:
        return _failed(item.error, item)
    if _is_handshake(item.payload):
        return {"kind": "handshake", "rules": ["OU-2"], "lines": _lines(item.payload["handshake"], {})}
    explanation = explain_export(item.payload, config)
    if not isinstance(explanation.result, dict):
        return _stopped(explanation, item)
    is_change = "statsig::config_change" in (item.payload.get("eventName"), item.payload.get("event"))
    rules = [*(["OU-6"] if is_change else []), PROFILE_RULES[profile]]
    lines = _lines(explanation.result, _whys(explanation, item.roots))
    return _common(explanation, item) | {"kind": "call", "rules": rules, "lines": lines}


# -- What both directions share --------------------------------------------------------------------------------------


def _common(explanation: Explanation[Any], item: Item) -> Json:
    return {"roots": item.roots, "issues": _issues(explanation.issues), "answers": _answers(explanation)}


def _answers(explanation: Explanation[Any]) -> list[Json]:
    """Say why IDs are missing, and what nothing reads, with the mapping that would read it."""
    answers = missing_ids(explanation, outbound=not _asked.is_inbound)
    return [
        {
            "head": answer.head,
            "rest": answer.rest,
            "lines": answer.lines,
            "mapping": answer.mapping and {"field": answer.mapping.field, "idType": answer.mapping.id_type},
        }
        for answer in answers
    ]


def _stopped(explanation: Explanation[Any], item: Item) -> Json:
    """Say why a payload was skipped or rejected, and which setting skipped it."""
    result, setting = explanation.result, explanation.setting
    if isinstance(result, Rejected):
        return _failed(result.error, item) | {"answers": _answers(explanation)}
    code = result.reason
    facts = {"code": code, "path": None, "message": CODES[code].meaning, "hint": _advice(code), "setting": setting}
    facts["href"] = setting and f"configuration.html#{setting.partition('[')[0].replace('.', '-').replace('_', '-')}"
    return facts | {"kind": "skipped", "roots": item.roots, "rules": [explanation.rule]}


def _failed(error: StatsigSegmentError, item: Item) -> Json:
    facts = {"code": error.code, "path": error.path, "message": str(error), "hint": _advice(error.code)}
    return facts | {"kind": "rejected", "roots": item.roots, "at": item.at, "rules": [CODES[error.code].rule]}


def _advice(code: str) -> str:
    row = CODES[code]
    return (None if _asked.is_inbound else row.outbound_advice) or row.advice


def _issues(issues: Iterable[Issue]) -> list[Json]:
    return [attrs.asdict(issue) | {"rules": [CODES[issue.code].rule]} for issue in issues]


def _lines(value: Any, whys: Mapping[str, Json]) -> list[Json]:
    """Write a value as lines; of very many, the first, and one that says so."""
    shown = list(islice(lines(value, whys), LINES + 1))
    return shown if len(shown) <= LINES else [*shown[:LINES], {"depth": 0, "key": "", "value": "…", "end": ""}]


def lines(
    value: Any, whys: Mapping[str, Json], path: str = "$", depth: int = 0, key: str = "", end: str = ""
) -> Iterator[Json]:
    """Write a value as the lines of its JSON; a leaf, and whatever `whys` is about, has one line, its path and why.

    >>> [line["value"] for line in lines({"a": [1, 2]}, {})]
    ['{', '[', '1', '2', ']', '}']
    """
    line = {"depth": depth, "key": key, "end": ""}
    if path in whys or not isinstance(value, dict | list) or not value:
        yield line | {"value": _text(value), "end": end, "path": path, "why": whys.get(path)}
        return
    begin, close = "{}" if isinstance(value, dict) else "[]"
    yield line | {"value": begin}
    last = len(value) - 1
    for index, (name, below, item) in enumerate(_children(value, path)):
        yield from lines(item, whys, below, depth + 1, name, "" if index == last else ",")
    yield {"depth": depth, "key": "", "value": close, "end": end}


def _children(value: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    """Give for each member its key as JSON, its path and its value."""
    if isinstance(value, dict):
        return ((_text(name), join_path(path, name), item) for name, item in value.items())
    return (("", f"{path}[{index}]", item) for index, item in enumerate(value))


def _text(value: Any) -> str:
    """Write JSON for people: every script as it is, and what cannot be seen as escapes."""
    return _UNSEEN.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _pretty(value: Any) -> str:
    return _UNSEEN.sub(_escaped, json.dumps(value, ensure_ascii=False, indent=2))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
