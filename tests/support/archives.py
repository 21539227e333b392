"""Realistic archives of any size for the comparison: calls, what Statsig has for them, and what goes wrong between.

The same seed makes the same archive. Each noise is a function of its own, so that a test names what it is about.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from statsig_segment import IntegrationConfig, log_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

JsonObject = dict[str, Any]

START_MS = 1_793_692_800_000
HOUR_MS = 3_600_000
TRACKS = (
    "Order Completed", "Product Viewed", "Product Added", "Report Viewed", "Search Performed", "Signed Up",
    "Signed In", "Plan Changed", "Invite Sent", "File Uploaded",
)  # fmt: skip
PAGES = ("Home", "Pricing", "Docs", "Checkout", "Account", "Help")
CATEGORIES = (None, "Shop", "Support")
LOCALES = ("en-US", "en-GB", "fr-CH", "de-DE")
AGENTS = ("Mozilla/5.0 (Macintosh)", "Mozilla/5.0 (X11)", "Mozilla/5.0 (iPhone)")


def segment_archive(count: int, seed: int = 1, *, names: Iterable[str] = TRACKS) -> list[JsonObject]:
    """Make calls of all types in order of time: a few to a user, a quarter anonymous."""
    rng, tracks = Random(seed), tuple(names)
    time_ms = START_MS
    calls: list[JsonObject] = []
    for at in range(count):
        time_ms += rng.randrange(1, 700)
        user = rng.randrange(max(3, count // 20))
        call: JsonObject = {
            "messageId": f"m{seed}-{at}",
            "timestamp": time_ms,
            "anonymousId": f"Anon-{user:06}",
            "userId": f"User-{user:06}" if rng.random() > 0.25 else None,
            "context": {
                "ip": f"203.0.{user % 250}.{at % 250}",
                "userAgent": AGENTS[user % len(AGENTS)],
                "locale": LOCALES[user % len(LOCALES)],
                "library": {"name": "analytics.js", "version": "2.1"},
                "device": {"id": f"Device-{user % 977:06}"},
                "page": {"path": f"/{at % 40}", "url": f"https://shop.example/{at % 40}"},
                "campaign": {"source": "mail"} if user % 7 == 0 else {},
            },
        }
        kind = rng.choices(("track", "page", "screen", "group", "identify"), (70, 20, 4, 3, 3))[0]
        calls.append({**call, "type": kind, **_own_fields(kind, at, tracks, rng)})
    return calls


def _own_fields(kind: str, at: int, tracks: tuple[str, ...], rng: Random) -> JsonObject:
    if kind == "track":
        properties = {
            "total": rng.randrange(100, 99_999) / 100,
            "value": rng.randrange(10),
            "plan": rng.choice(("trial", "team", "pro")),
            "items": [{"sku": f"s{at % 13}", "price": 9.5}],
            "cart": {"size": at % 5, "currency": "EUR"},
        }
        return {"event": rng.choice(tracks), "properties": properties}
    if kind in {"page", "screen"}:
        category = rng.choice(CATEGORIES)
        return {"name": rng.choice(PAGES), "properties": {"step": at}} | ({"category": category} if category else {})
    if kind == "group":
        return {"groupId": f"Group-{at % 30:06}", "traits": {"industry": "retail", "seats": at % 50}}
    return {"traits": {"plan": "pro"}}


def exported_by(calls: Iterable[JsonObject], config: IntegrationConfig) -> list[JsonObject]:
    """Give what a Statsig that translates like this configuration would export."""
    events = (outcome for outcome in log_events(calls, config) if isinstance(outcome, dict))
    return [{("timestamp" if key == "time" else key): value for key, value in event.items()} for event in events]


# -- Noises: each takes the exported events and gives others -----------------------------------------------------------


def kept(events: list[JsonObject], share: float, seed: int = 2) -> list[JsonObject]:
    """Lose all but a share, at random: losses on the way, or an export that is a sample."""
    rng = Random(seed)
    return [event for event in events if rng.random() < share]


def shifted(events: list[JsonObject], shift_ms: int) -> list[JsonObject]:
    """Shift the clock."""
    return [{**event, "timestamp": event["timestamp"] + shift_ms} for event in events]


def in_seconds(events: list[JsonObject]) -> list[JsonObject]:
    """Write seconds where milliseconds were."""
    return [{**event, "timestamp": event["timestamp"] // 1000} for event in events]


def in_lower_case(events: list[JsonObject]) -> list[JsonObject]:
    """Write all IDs in lower case."""
    found: list[JsonObject] = []
    for event in events:
        user = dict(event["user"])
        user["customIDs"] = {key: text.lower() for key, text in user.get("customIDs", {}).items()}
        found.append({**event, "user": user | ({"userID": user["userID"].lower()} if "userID" in user else {})})
    return found


def renamed(events: list[JsonObject], rename: Callable[[str], str]) -> list[JsonObject]:
    """Name all events anew."""
    return [{**event, "eventName": rename(event["eventName"])} for event in events]


def snake_case(name: str) -> str:
    """Write a name in snake case, prefix and all."""
    return name.lower().replace(" ", "_")


def in_cents(events: list[JsonObject], calls: list[JsonObject]) -> list[JsonObject]:
    """Give the total in cents as the value."""
    totals = {call["timestamp"]: call.get("properties", {}).get("total") for call in calls}
    return [
        event if totals[event["timestamp"]] is None else {**event, "value": round(100 * totals[event["timestamp"]])}
        for event in events
    ]


def of_another_sdk(count: int) -> list[JsonObject]:
    """Make events that a Statsig SDK logged, not Segment."""
    return [
        {
            "eventName": "button_clicked",
            "user": {"userID": f"User-{at:06}"},
            "timestamp": START_MS + 37 * at,
            "metadata": {},
            "statsigMetadata": {"sdkType": "js-client"},
        }
        for at in range(count)
    ]
