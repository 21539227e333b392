"""What the playground asks of the library: text in, JSON text out; runs in the browser, and holds no rule of its own.

Every answer is `{"problems": [...], "body": lines or null, "outcomes": [...]}`. An output comes as lines, each with its
path, so that the page can set what `explain` says of a field beside that field.
"""

import json
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import attrs

from statsig_segment import (
    AudienceUpdate,
    ConfigError,
    Explanation,
    IntegrationConfig,
    Issue,
    Rejected,
    SegmentEventError,
    Skipped,
    StatsigEvent,
    StatsigEventError,
    StatsigSegmentError,
    __version__,
    explain,
    export_many,
    load_config,
    split_segment_batch,
    split_statsig_export,
    to_event_webhook,
    to_log_event,
    to_log_event_request,
    url_verification_code,
)
from statsig_segment._values import is_array, is_object, read_text
from statsig_segment.batches import BATCH
from statsig_segment.cli.blocks import translate_block
from statsig_segment.cli.messages import HINTS, STATSIG_HINT
from statsig_segment.codes import CODES
from statsig_segment.errors import child
from statsig_segment.rules import RULES
from statsig_segment.segment import TYPE
from statsig_segment.statsig import CONFIG_CHANGE, DATA, EVENT_NAME

Json = dict[str, Any]

FORM_RULES: Final = {"log-event": "WI-1", "webhook": "WI-3", "request": "WI-2"}
"""Form of the output -> the rule that gives it."""
PROFILE_RULES: Final = {"documented": "OU-3", "deliverable": "OU-4"}

_WEBHOOK_NAMES: Final = {"$.eventName": "$.event", "$.time": "$.timestamp"}
"""Field of a log event -> the same field of the event webhook."""
_OUTBOUND_HINTS: Final = {
    "filtered": "Let it leave under [outbound.filters]: exposures, config_changes, include_new_events, events. "
    "Statsig's own internal events never leave.",
    "no_identifier": 'Give the event a userID or a stableID, or choose the profile "documented".',
    "missing_event": "Give the event its name, in eventName.",
    "not_an_object": "Send each event as an object, alone, in an array, or in the data of an envelope.",
}
"""What to say on the way back, where the hint of the library speaks of Segment's calls."""
_HINTS_BACK: Final = {**HINTS, **_OUTBOUND_HINTS}
_NO_RULE: Final = "section 11"


# -- What the page asks ----------------------------------------------------------------------------------------------


def about() -> str:
    """Tell the versions, the rules and their headings on the page of rules, and what the codes mean."""
    rules = {rule.id: attrs.asdict(rule) | {"anchor": anchor(rule.id)} for rule in RULES.values()}
    versions = {"library": __version__, "python": platform.python_version()}
    return json.dumps({"rules": rules, "versions": versions, "forms": FORM_RULES})


def anchor(rule: str) -> str:
    """Give the anchor of a rule's heading on the page of rules, as Markdown makes it of `ID: title`.

    >>> anchor("ID-1")
    'id-1-the-users-id'
    """
    heading = f"{rule}: {RULES[rule].title}".lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def inbound(call: str, config: str, form: str) -> str:
    """Translate one Segment call, an array of calls or a batch envelope, and tell where each field came from."""
    try:
        settings = _config(config)
        found = list(_calls(call))
    except ConfigError as error:
        return _answer(problems=error.issues)
    except SegmentEventError as error:
        return _answer(outcomes=[_failed(error, ["$"], HINTS)])
    told = [(roots, payload, explain(payload, settings)) for roots, payload in found]
    outcomes = [_inbound_outcome(each, form, settings) for each in told]
    packed = form == "request" and any(outcome["kind"] == "event" for outcome in outcomes)
    return _answer(body=list(_request(told)) if packed else None, outcomes=outcomes)


def outbound(events: str, config: str, profile: str) -> str:
    """Translate one Statsig event or a whole export; `profile` stands in for the configured one unless empty."""
    try:
        settings = _config(config)
        found = list(_events(events))
    except ConfigError as error:
        return _answer(problems=error.issues)
    except StatsigEventError as error:
        return _answer(outcomes=[_failed(error, ["$"], _HINTS_BACK)])
    if profile:
        settings = attrs.evolve(settings, outbound=attrs.evolve(settings.outbound, profile=profile))
    code = url_verification_code(events)
    handshake = [] if code is None else [{"kind": "handshake", "rules": ["OU-2"], "lines": list(lines(code, {}))}]
    payloads = [payload for _, payload in found]
    outcomes = [
        _outbound_outcome(roots, payload, outcome, settings)
        for (roots, payload), outcome in zip(found, export_many(payloads, settings), strict=True)
    ]
    return _answer(outcomes=[*handshake, *outcomes])


@lru_cache(maxsize=8)
def _config(text: str) -> IntegrationConfig:
    return load_config(text)


def _answer(*, problems: Iterable[Issue] = (), body: list[Json] | None = None, outcomes: Iterable[Json] = ()) -> str:
    return json.dumps({"problems": _issues(problems), "body": body, "outcomes": list(outcomes)})


# -- Bodies apart, each payload with the paths at which it may stand in the text -------------------------------------


def _calls(text: str) -> Iterator[tuple[list[str], Any]]:
    """Give each call with its roots; the second one is the envelope, which fills in what the call lacks (IN-8)."""
    body = read_text(text, SegmentEventError)
    enveloped = is_object(body) and BATCH in body and TYPE not in body
    for at, payload in enumerate(split_segment_batch(body)):
        yield [f"$.{BATCH}[{at}]", "$"] if enveloped else [f"$[{at}]" if is_array(body) else "$"], payload


def _events(text: str) -> Iterator[tuple[list[str], Any]]:
    body = read_text(text, StatsigEventError)
    base = "$"
    if is_object(body) and DATA in body and EVENT_NAME not in body:
        base, body = f"$.{DATA}", body[DATA]
    for at, payload in enumerate(split_statsig_export(read_text(text, StatsigEventError))):
        yield [f"{base}[{at}]" if is_array(body) else base], payload


# -- Segment to Statsig ----------------------------------------------------------------------------------------------


def _inbound_outcome(told: tuple[list[str], Any, Explanation], form: str, config: IntegrationConfig) -> Json:
    roots, payload, explanation = told
    result = explanation.result
    if isinstance(result, Skipped):
        return _skipped(result.reason, roots, HINTS)
    if isinstance(result, Rejected):
        hints = {result.error.code: STATSIG_HINT} if is_object(payload) and EVENT_NAME in payload else HINTS
        return _failed(result.error, roots, hints)
    common = {"roots": roots, "issues": _issues(result.issues)}
    if isinstance(result, AudienceUpdate):
        wire = json.loads(translate_block(config, "log-event", [payload]).updates)  # as the command line writes it
        return common | {"kind": "audience", "rules": ["AU-2"], "lines": list(lines(wire, _whys(explanation, roots)))}
    if form == "request":
        return common | {"kind": "event", "rules": [FORM_RULES[form]], "lines": None}
    if form == "webhook":
        written: Any = to_event_webhook(result)
        whys = {_WEBHOOK_NAMES.get(path, path): why for path, why in _whys(explanation, roots).items()}
    else:
        written, whys = to_log_event(result), _whys(explanation, roots)
    shown = lines(written, whys | _wire_whys(written, "$"))
    return common | {"kind": "event", "rules": [FORM_RULES[form]], "lines": list(shown)}


def _request(told: Iterable[tuple[list[str], Any, Explanation]]) -> Iterator[Json]:
    """Write all events as one body, with what is said of each field of each."""
    whys = {f"$.statsigMetadata.{name}": _why(None, "WI-2", []) for name in ("sdkType", "sdkVersion")}
    events: list[StatsigEvent] = []
    for roots, _, explanation in told:
        if isinstance(explanation.result, StatsigEvent):
            prefix = f"$.events[{len(events)}]"
            whys |= {prefix + path[1:]: why for path, why in _whys(explanation, roots).items()}
            whys |= _wire_whys(to_log_event(explanation.result), prefix)
            events.append(explanation.result)
    return lines(to_log_event_request(events), whys)


def _whys(explanation: Explanation, roots: list[str]) -> dict[str, Json]:
    return {row.target: _why(row.source, row.rule, roots) for row in explanation.rows}


def _wire_whys(written: Mapping[str, Any], prefix: str) -> dict[str, Json]:
    """Say why metadata is there though nothing is in it: no row tells of it, because it is no leaf."""
    return {} if written["metadata"] else {f"{prefix}.metadata": _why(None, "WI-1", [])}


def _why(source: str | None, rule: str, roots: list[str]) -> Json:
    return {"source": source, "rule": rule, "roots": roots}


# -- Statsig to Segment ----------------------------------------------------------------------------------------------


def _outbound_outcome(roots: list[str], payload: Any, outcome: Any, config: IntegrationConfig) -> Json:
    if isinstance(outcome, Skipped):
        return _skipped(outcome.reason, roots, _HINTS_BACK) | {"rules": ["FL-2"]}
    if isinstance(outcome, Rejected):
        return _failed(outcome.error, roots, _HINTS_BACK)
    rules = ["OU-6"] if CONFIG_CHANGE in (payload.get(EVENT_NAME), payload.get("event")) else []
    rules.append(PROFILE_RULES[config.outbound.profile])
    return {"kind": "call", "roots": roots, "rules": rules, "issues": [], "lines": list(lines(outcome, {}))}


# -- What both ways share --------------------------------------------------------------------------------------------


def _skipped(reason: str, roots: list[str], hints: Mapping[str, str]) -> Json:
    code = CODES[reason]
    facts = {"code": reason, "path": None, "message": code.meaning, "hint": hints[reason], "rules": [code.rule]}
    return facts | {"kind": "skipped", "roots": roots}


def _failed(error: StatsigSegmentError, roots: list[str], hints: Mapping[str, str]) -> Json:
    facts = {"code": error.code, "path": error.path, "message": str(error), "hint": hints[error.code]}
    return facts | {"kind": "rejected", "roots": roots, "rules": [CODES[error.code].rule]}


def _issues(issues: Iterable[Issue]) -> list[Json]:
    return [attrs.asdict(issue) | {"rules": _rules_of(issue.code)} for issue in issues]


def _rules_of(code: str) -> list[str]:
    rule = CODES[code].rule
    return [] if rule == _NO_RULE else [rule]


def lines(
    value: Any, whys: Mapping[str, Json], path: str = "$", depth: int = 0, key: str = "", end: str = ""
) -> Iterator[Json]:
    """Write a value as the lines of its JSON; a leaf, and whatever `whys` speaks of, has one line, its path and why.

    >>> [line["value"] for line in lines({"a": [1, 2]}, {})]
    ['{', '[', '1', '2', ']', '}']
    """
    line = {"depth": depth, "key": key, "end": ""}
    if path in whys or not (is_object(value) or is_array(value)) or not value:
        yield line | {"value": _text(value), "end": end, "path": path, "why": whys.get(path)}
        return
    begin, close = "{}" if is_object(value) else "[]"
    yield line | {"value": begin}
    last = len(value) - 1
    for at, (name, below, item) in enumerate(_children(value, path)):
        yield from lines(item, whys, below, depth + 1, name, "" if at == last else ",")
    yield {"depth": depth, "key": "", "value": close, "end": end}


def _children(value: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    """Give for each member its key as JSON, its path and its value."""
    if is_object(value):
        return ((_text(name), child(path, name), item) for name, item in value.items())
    return (("", f"{path}[{at}]", item) for at, item in enumerate(value))


def _text(value: Any) -> str:
    """Write JSON for people: every script as it is, and half characters escaped."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
