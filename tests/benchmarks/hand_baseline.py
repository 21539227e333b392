"""The same mappings by hand, dict to dict: the floor for any design in Python.

No models, no checks, no issues, nothing for odd shapes: the first flaw in a call is a wrong result or a crash. It gives
the same outputs as this library for sound input, which the benchmark checks before it times anything.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

JsonObject = dict[str, Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CONTROL_KEYS: Final = frozenset({"statsigCustomIDs", "statsigCustom", "statsigEnvironment"})
_tree: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _float(value: float) -> str:
    return repr(value).removesuffix(".0")


def _bool(value: object) -> str:
    return "true" if value else "false"


_TEXT: Final[dict[type, Callable[[Any], str]]] = {int: repr, float: _float, bool: _bool, list: _tree, dict: _tree}


def translate(call: JsonObject) -> JsonObject | None:
    """Segment -> Statsig; the configuration is written into the code, too. Identify calls are left to the others."""
    get = call.get
    kind, context = call["type"], call["context"]
    integrations = get("integrations")
    if context["library"]["name"] == "statsig" or (integrations and integrations.get("All") is False):
        return None
    name = _name(call, kind)
    if kind == "identify" or name == "Heartbeat":
        return None
    properties = call["traits"] if kind == "group" else call["properties"]
    since = datetime.fromisoformat(call["timestamp"]) - _EPOCH
    event = {
        "eventName": f"segment::{name}",
        "user": _user(call, context, properties),
        "time": since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000,
    }
    value = properties.get("value")
    if value is not None and value.__class__ is not bool:
        event["value"] = value
    event["metadata"] = _metadata(call, kind, properties)
    return event


def _name(call: JsonObject, kind: str) -> Any:
    if kind == "track":
        return call["event"]
    if kind not in {"page", "screen"}:
        return kind
    parts = " ".join(filter(None, (call.get("category"), call.get("name"))))
    return f"Viewed {parts} {kind.title()}" if parts else f"Loaded a {kind.title()}"


def _user(call: JsonObject, context: JsonObject, properties: JsonObject) -> JsonObject:
    ids: JsonObject = {}
    own = properties.get("statsigCustomIDs")
    if own:
        ids.update(zip(own[::2], own[1::2], strict=True))
    for field, id_type in (("anonymousId", "segmentAnonymousId"), ("groupId", "companyID")):
        if id_type not in ids and (mapped := call.get(field)):
            ids[id_type] = mapped
    device = context.get("device")
    if device and "deviceID" not in ids:
        ids["deviceID"] = device["id"]
    user_id = call.get("userId")
    user: JsonObject = {"userID": user_id} if user_id else {}
    if ids:
        user["customIDs"] = ids
    for field in ("ip", "userAgent", "locale"):
        if known := context.get(field):
            user[field] = known
    if custom := properties.get("statsigCustom"):
        user["custom"] = dict(zip(custom[::2], custom[1::2], strict=True))
    environment = properties.get("statsigEnvironment")
    user["statsigEnvironment"] = {"tier": environment["tier"] if environment else "production"}
    return user


def _metadata(call: JsonObject, kind: str, properties: JsonObject) -> dict[str, str]:
    metadata: dict[str, str] = {}
    for key, value in properties.items():
        if value.__class__ is str:
            metadata[key] = value
        elif value is not None and key not in _CONTROL_KEYS:
            metadata[key] = _TEXT[value.__class__](value)
    if kind != "track":
        for key in ("groupId",) if kind == "group" else ("name", "category"):
            if key not in properties and call.get(key):
                metadata[key] = call[key]
    return metadata


def export(event: JsonObject) -> JsonObject:
    """Statsig -> Segment, in the documented profile."""
    user = {key: value for key, value in event["user"].items() if key != "privateAttributes"}
    for key in ("customIDs", "statsigEnvironment"):
        user[key] = user[key].copy()
    if "custom" in user:
        user["custom"] = {key: list(of) if of.__class__ is list else of for key, of in user["custom"].items()}
    value, metadata = event["value"], event["metadata"]
    return {
        "type": "track",
        "userId": event["userID"],
        "timestamp": event["timestamp"],
        "event": event["eventName"],
        "context": {
            "user": user,
            "value": value,
            "metadata": metadata.copy(),
            "library": {"name": "statsig", "version": "1.0"},
            "stableID": event["statsigMetadata"]["stableID"],
        },
        "properties": {"value": value, "metadata": metadata.copy()},
    }
