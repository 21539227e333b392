"""The samples of the playground: read from `examples/`, named and grouped by what the library makes of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from statsig_segment import (
    AudienceUpdate,
    IntegrationConfig,
    Rejected,
    Skipped,
    StatsigEvent,
    explain,
    export_many,
    load_config,
)

Sample = dict[str, Any]

CALLS: Final = "segment_calls.ndjson"
CALL_BATCH: Final = "segment_batch.json"
EXPORT: Final = "statsig_export.ndjson"
EXPORT_BATCH: Final = "statsig_webhook.json"
CONFIG: Final = "integration.toml"

_WIDTH: Final = 64
_NAME: Final = 40
_STEP: Final = "  "


def samples(examples: Path) -> dict[str, Any]:
    """Read all samples: a text each, with a title and a group."""
    text = (examples / CONFIG).read_text(encoding="utf-8")
    config = load_config(text)
    calls = list(_calls(_lines(examples / CALLS), config))
    exports = list(_exports(_lines(examples / EXPORT), config))
    return {
        "calls": [*_richest_first(calls), _whole(examples / CALL_BATCH, "batch")],
        "exports": [*exports, _whole(examples / EXPORT_BATCH, "data")],
        "configs": [
            {"group": "Configurations", "title": f"All keys ({CONFIG})", "text": text},
            {"group": "Configurations", "title": "Empty: every default", "text": ""},
        ],
        "archive": (examples / CALLS).read_text(encoding="utf-8"),
    }


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _calls(lines: list[str], config: IntegrationConfig) -> Iterator[Sample]:
    for number, line in enumerate(lines, 1):
        call = json.loads(line)
        explanation = explain(call, config)
        result, name = explanation.result, f"{call.get('type', 'no type')} {_name(call)}".strip()
        if isinstance(result, StatsigEvent):
            notes = _first_of(list(dict.fromkeys(issue.code for issue in result.issues)))
            group = "Events with issues" if notes else "Events"
        elif isinstance(result, AudienceUpdate):
            notes = f"{result.id_list}: {'in' if result.member else 'out'}"
            group = "Audience memberships"
        elif isinstance(result, Skipped):
            group, notes = "Skipped", result.reason
        else:
            group, notes = "Rejected", result.error.code
        rules = len({row.rule for row in explanation.rows})
        yield _sample(group, number, name, notes, call) | {"rules": rules}


def _first_of(codes: list[str]) -> str:
    return f"{codes[0]} and {len(codes) - 1} more" if len(codes) > 1 else "".join(codes)


def _name(call: dict[str, Any]) -> str:
    name = next((call[key] for key in ("event", "name") if isinstance(call.get(key), str)), "")
    return name if len(name) <= _NAME else f"{name[:_NAME]}…"


def _richest_first(calls: list[Sample]) -> list[Sample]:
    """Put first the call that the most rules work on: the page opens with it."""
    best = max(calls, key=lambda sample: sample["rules"])
    return [best | {"group": "To begin with"}, *(sample for sample in calls if sample is not best)]


def _exports(lines: list[str], config: IntegrationConfig) -> Iterator[Sample]:
    for number, line in enumerate(lines, 1):
        event = json.loads(line)
        outcome = next(export_many([event], config))
        name = event.get("eventName") or event.get("event") or "no name"
        if isinstance(outcome, Skipped):
            group, notes = "Skipped", outcome.reason
        elif isinstance(outcome, Rejected):
            group, notes = "Rejected", outcome.error.code
        else:
            group, notes = _kind(name), ""
        yield _sample(group, number, name, notes, event)


def _kind(name: str) -> str:
    return (
        "Config changes"
        if name == "statsig::config_change"
        else "Exposures"
        if name.endswith("_exposure")
        else "Events"
    )


def _sample(group: str, number: int, name: str, notes: str, value: Any) -> Sample:
    return {"group": group, "title": f"{number}. {name}{notes and f' ({notes})'}", "text": pretty(value)}


def _whole(path: Path, key: str) -> Sample:
    body = json.loads(path.read_text(encoding="utf-8"))
    return {"group": "Whole bodies", "title": f"{path.name} ({len(body[key])} in one)", "text": pretty(body)}


def pretty(value: Any, indent: str = "") -> str:
    """Write JSON over many lines, with short objects and arrays on one.

    >>> print(pretty({"a": [1, 2], "b": {}}))
    {
      "a": [1, 2],
      "b": {}
    }
    """
    short = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or (indent and len(indent) + len(short) <= _WIDTH):
        return short
    below = indent + _STEP
    if isinstance(value, dict):
        members = [f"{json.dumps(key, ensure_ascii=False)}: {pretty(item, below)}" for key, item in value.items()]
        begin, end = "{}"
    else:
        members = [pretty(item, below) for item in value]
        begin, end = "[]"
    return f"{begin}\n{below}" + f",\n{below}".join(members) + f"\n{indent}{end}"
