"""A realistic corpus, made by seed: Segment calls and lines of a Statsig export, as JSON lines; it reads nothing.

The shapes follow what Segment's own libraries send (analytics.js, the mobile SDKs, the server libraries) and what
Statsig's export webhook posts. The shares are choices; `describe` counts what they came to.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

JsonObject = dict[str, Any]

SEED: Final = 20261103
START_MS: Final = 1_793_692_800_000
DAY_MS: Final = 86_400_000

_WEBKIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
_AGENTS: Final = (
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {_WEBKIT} Version/18.6 Mobile/15E148 Safari/604.1",
)
_LOCALES: Final = ("en-US", "en-GB", "de-DE", "fr-CH", "pt-BR", "ja-JP")
_ZONES: Final = ("America/New_York", "Europe/London", "Europe/Zurich", "America/Sao_Paulo", "Asia/Tokyo")
_PATHS: Final = (
    "/",
    "/pricing",
    "/products/trail-shoes",
    "/cart",
    "/checkout/shipping",
    "/docs/getting-started",
    "/walks/höhenweg",
)
_EVENTS: Final = (
    "Button Clicked",
    "Signed Up",
    "Search Performed",
    "Video Started",
    "Form Submitted",
    "Feature Used",
    "Link Clicked",
    "Trial Started",
    "Invitation Sent",
    "Experiment Viewed",
    "checkout_step_completed",
)
_SALES: Final = ("Product Viewed", "Product Added", "Cart Viewed", "Checkout Started", "Order Completed")
_WORDS: Final = (
    "trail",
    "summit",
    "alpine",
    "running",
    "shoes",
    "jacket",
    "merino",
    "compact",
    "café",
    "größe",
    "lightweight",
    "edition",
    "classic",
    "waterproof",
    "spring",
    "autumn",
    "bundle",
    "starter",
    "annual",
    "team",
)
_PROPERTY_KEYS: Final = (
    "label",
    "location",
    "variant",
    "plan",
    "source_page",
    "button_id",
    "query",
    "results_count",
    "position",
    "duration_ms",
    "is_first_time",
    "logged_in",
    "section",
    "referrer_type",
    "score",
    "coupon",
    "session_number",
    "ab_bucket",
    "list_id",
    "filters",
)
_ID_TYPES: Final = ("companyID", "stableID", "workspaceID", "deviceID")
_TIERS: Final = ("production", "staging", "development")
_AUDIENCES: Final = ("vip_users", "churn_risk", "trial_day_7")


def uuid(rng: Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def words(rng: Random, count: int) -> str:
    return " ".join(rng.choice(_WORDS) for _ in range(count))


def chance(rng: Random, share: float) -> bool:
    return rng.random() < share


def iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def money(rng: Random, top: int) -> float:
    """A price as JavaScript would write it: integral prices have no fraction."""
    cents = rng.randrange(100, top * 100)
    return cents // 100 if cents % 100 == 0 else cents / 100


# -- Segment calls: the context -------------------------------------------------------------------------------------


def _ip(rng: Random) -> str:
    return f"203.0.113.{rng.randrange(1, 255)}"


def _page_object(rng: Random) -> JsonObject:
    path = rng.choice(_PATHS)
    search = rng.choice(("", "", "?utm_source=newsletter&utm_medium=email&utm_campaign=autumn&gclid=EAIaIQobChMI5p"))
    return {
        "path": path,
        "referrer": rng.choice(("", "https://www.google.com/", "https://shop.example/collections/new-arrivals")),
        "search": search,
        "title": f"{words(rng, 4).title()} | Example Shop",
        "url": f"https://shop.example{path}{search}",
    }


def _web_context(rng: Random) -> JsonObject:
    context: JsonObject = {
        "page": _page_object(rng),
        "userAgent": rng.choice(_AGENTS),
        "userAgentData": {
            "brands": [
                {"brand": "Chromium", "version": "142"},
                {"brand": "Google Chrome", "version": "142"},
                {"brand": "Not_A Brand", "version": "99"},
            ],
            "mobile": False,
            "platform": "macOS",
        },
        "locale": rng.choice(_LOCALES),
        "timezone": rng.choice(_ZONES),
        "library": {"name": "analytics.js", "version": "next-1.81.0"},
        "ip": _ip(rng),
    }
    if chance(rng, 0.35):
        context["campaign"] = {
            "name": "autumn",
            "source": "newsletter",
            "medium": "email",
            "content": words(rng, 2),
            "term": words(rng, 1),
        }
    if chance(rng, 0.3):
        context["sessionId"] = rng.randrange(10**12)
    return context


def _mobile_context(rng: Random) -> JsonObject:
    return {
        "app": {"name": "Shop", "version": "7.12.3", "build": "71230", "namespace": "com.example.shop"},
        "device": {
            "id": uuid(rng).upper(),
            "advertisingId": uuid(rng).upper(),
            "adTrackingEnabled": True,
            "manufacturer": rng.choice(("Apple", "samsung", "Google")),
            "model": rng.choice(("iPhone17,2", "SM-S931B", "Pixel 10")),
            "name": "phone",
            "type": rng.choice(("ios", "android")),
            "token": f"{rng.getrandbits(160):040x}",
        },
        "library": {"name": "analytics-kotlin", "version": "1.21.0"},
        "ip": _ip(rng),
        "locale": rng.choice(_LOCALES),
        "network": {
            "bluetooth": False,
            "carrier": rng.choice(("Vodafone", "T-Mobile", "NTT")),
            "cellular": True,
            "wifi": False,
        },
        "os": {"name": rng.choice(("iOS", "Android")), "version": rng.choice(("18.6", "16"))},
        "screen": {"density": 3, "height": 2556, "width": 1179},
        "timezone": rng.choice(_ZONES),
        "userAgent": "Shop/7.12.3 (iPhone17,2; iOS 18.6)",
        "instanceId": uuid(rng),
    }


def _server_context(rng: Random) -> JsonObject:
    context: JsonObject = {"library": {"name": "analytics-python", "version": "2.3.4"}}
    if chance(rng, 0.5):
        context |= {"ip": _ip(rng), "userAgent": rng.choice(_AGENTS)}
    return context


# -- Segment calls: properties --------------------------------------------------------------------------------------


def _property(rng: Random) -> Any:
    makers: tuple[Callable[[], Any], ...] = (
        lambda: words(rng, rng.randrange(1, 4)),
        lambda: words(rng, 1),
        lambda: uuid(rng),
        lambda: rng.randrange(10_000),
        lambda: money(rng, 500),
        lambda: chance(rng, 0.5),
    )
    if chance(rng, 0.06):
        return None
    if chance(rng, 0.05):
        return [words(rng, 1) for _ in range(3)]
    return rng.choice(makers)()


def _plain_properties(rng: Random, low: int, high: int) -> JsonObject:
    keys = rng.sample(_PROPERTY_KEYS, rng.randrange(low, high))
    return {key: _property(rng) for key in keys}


def _product(rng: Random, position: int) -> JsonObject:
    return {
        "product_id": f"{rng.getrandbits(48):012x}",
        "sku": f"SKU-{rng.randrange(10**6):06}",
        "name": words(rng, 3).title(),
        "brand": words(rng, 1),
        "category": f"{words(rng, 1)}/{words(rng, 1)}",
        "price": money(rng, 300),
        "quantity": rng.randrange(1, 4),
        "position": position,
        "in_stock": chance(rng, 0.9),
        "url": f"https://shop.example/products/{words(rng, 2).replace(' ', '-')}",
        "image_url": f"https://cdn.example/images/{rng.getrandbits(64):016x}.jpg",
    }


def _sale_properties(rng: Random) -> JsonObject:
    total = money(rng, 900)
    return {
        "order_id": f"{rng.randrange(10**9)}",
        "affiliation": "Web Store",
        "value": total,
        "revenue": total,
        "shipping": money(rng, 20),
        "tax": money(rng, 60),
        "discount": 0,
        "coupon": None if chance(rng, 0.5) else "AUTUMN26",
        "currency": rng.choice(("USD", "EUR", "GBP")),
        "products": [_product(rng, position) for position in range(1, rng.randrange(2, 6))],
    }


def _add_controls(rng: Random, holder: JsonObject) -> None:
    """Put Statsig's control keys into properties or traits: IDs on 30 %, custom on 10 %, the environment on 20 %."""
    if chance(rng, 0.3):
        pairs = [
            (name, f"{name.lower()}-{rng.randrange(10**6)}") for name in rng.sample(_ID_TYPES, rng.randrange(1, 3))
        ]
        holder["statsigCustomIDs"] = [text for pair in pairs for text in pair]
    if chance(rng, 0.1):
        holder["statsigCustom"] = [
            "plan",
            rng.choice(("free", "team")),
            "seats",
            rng.randrange(1, 200),
            "beta",
            chance(rng, 0.5),
        ]
    if chance(rng, 0.2):
        holder["statsigEnvironment"] = {"tier": rng.choice(_TIERS)}


# -- Segment calls: the call ----------------------------------------------------------------------------------------


def _track(rng: Random) -> JsonObject:
    if chance(rng, 0.2):
        properties, event = _sale_properties(rng), rng.choice(_SALES)
    else:
        properties, event = _plain_properties(rng, 4, 15), "Heartbeat" if chance(rng, 0.01) else rng.choice(_EVENTS)
    if chance(rng, 0.1):
        properties["value"] = money(rng, 100)
    return {"type": "track", "event": event, "properties": properties}


def _page(rng: Random) -> JsonObject:
    call: JsonObject = {"type": "page", "properties": _page_object(rng) | _plain_properties(rng, 0, 4)}
    if chance(rng, 0.6):
        call["name"] = words(rng, 2).title()
    if chance(rng, 0.4):
        call["category"] = "Shop"
    return call


def _screen(rng: Random) -> JsonObject:
    return {"type": "screen", "name": words(rng, 2).title(), "properties": _plain_properties(rng, 2, 8)}


def _group(rng: Random) -> JsonObject:
    traits = {
        "name": words(rng, 2).title(),
        "plan": "enterprise",
        "employees": rng.randrange(5000),
        "industry": words(rng, 1),
    }
    return {"type": "group", "groupId": f"company-{rng.randrange(10**5)}", "traits": traits}


def _identify(rng: Random, context: JsonObject) -> JsonObject:
    traits: JsonObject = {"plan": "team", "first_name": words(rng, 1), "logins": rng.randrange(900)}
    if chance(rng, 0.6):
        key = rng.choice(_AUDIENCES)
        context["personas"] = {
            "computation_class": "audience",
            "computation_key": key,
            "computation_id": f"aud_{uuid(rng)}",
        }
        traits = {key: chance(rng, 0.7)}
    return {"type": "identify", "traits": traits}


def _context(rng: Random, kind: str) -> JsonObject:
    if kind == "screen":
        return _mobile_context(rng)
    makers = (_web_context,) if kind == "page" else (_web_context, _web_context, _mobile_context, _server_context)
    return rng.choice(makers)(rng)


def _call(rng: Random) -> JsonObject:
    """Make one sound call."""
    kind = rng.choices(("track", "page", "screen", "group", "identify"), (70, 15, 8, 3, 4))[0]
    context = _context(rng, kind)
    plain: dict[str, Callable[[Random], JsonObject]] = {
        "track": _track,
        "page": _page,
        "screen": _screen,
        "group": _group,
    }
    call = _identify(rng, context) if kind == "identify" else plain[kind](rng)
    _add_controls(rng, call["traits"] if "traits" in call else call["properties"])
    time_ms = START_MS + rng.randrange(DAY_MS)
    server = context["library"]["name"] == "analytics-python"
    call |= {
        "context": context,
        "userId": f"user-{rng.randrange(10**6)}" if server or chance(rng, 0.6) else None,
        "messageId": f"ajs-next-{time_ms}-{uuid(rng)}",
        "timestamp": iso(time_ms),
        "originalTimestamp": iso(time_ms - 2),
        "sentAt": iso(time_ms + 310),
        "receivedAt": iso(time_ms + 455),
        "integrations": {"All": True} if chance(rng, 0.3) else {},
        "projectId": "fW3kq0mJb1x",
        "version": 2,
    }
    if not server:
        call["anonymousId"] = uuid(rng)
        call["_metadata"] = {
            "bundled": ["Segment.io"],
            "unbundled": [],
            "bundledIds": ["5e2f0c9d"],
            "jsRuntime": "browser",
        }
        call["channel"] = "client"
    return call


def _damage(rng: Random, call: JsonObject) -> None:
    """Break one thing, as clients in the wild do."""
    holder = call["traits"] if "traits" in call else call["properties"]
    broken: tuple[tuple[JsonObject, str, Any], ...] = (
        (call, "type", "video"),
        (call, "timestamp", "yesterday"),
        (call, "userId", {"id": 1}),
        (call, "context", "none"),
        (holder, "statsigCustomIDs", ["companyID"]),
        (holder, "statsigCustomIDs", ["companyID", None, "CompanyId", "c1"]),
        (holder, "statsigEnvironment", "staging"),
        (holder, "dotted.key", 1),
    )
    where, key, value = rng.choice(broken)
    where[key] = value


def _compact(value: JsonObject) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sound_calls(count: int, seed: int = SEED) -> list[bytes]:
    """Make Segment calls without a flaw, as JSON lines."""
    rng = Random(seed)
    return [_compact(_call(rng)) for _ in range(count)]


def segment_calls(count: int, seed: int = SEED) -> list[bytes]:
    """Make Segment calls as JSON lines, one in a hundred with something broken in it."""
    rng = Random(seed)
    lines: list[bytes] = []
    for _ in range(count):
        call = _call(rng)
        if chance(rng, 0.01):
            _damage(rng, call)
        lines.append(_compact(call))
    return lines


# -- The Statsig export ---------------------------------------------------------------------------------------------


def _exported_user(rng: Random) -> JsonObject:
    user: JsonObject = {
        "userID": f"user-{rng.randrange(10**6)}",
        "email": f"user{rng.randrange(10**6)}@shop.example",
        "ip": _ip(rng),
        "userAgent": rng.choice(_AGENTS),
        "country": rng.choice(("US", "GB", "DE", "CH")),
        "locale": rng.choice(_LOCALES),
        "appVersion": "7.12.3",
        "customIDs": {"stableID": uuid(rng), "companyID": f"company-{rng.randrange(10**5)}"},
        "statsigEnvironment": {"tier": rng.choice(_TIERS)},
    }
    if chance(rng, 0.5):
        user["custom"] = {"plan": "team", "seats": rng.randrange(200), "beta": True, "groups": ["a", "b"]}
    if chance(rng, 0.1):
        user["privateAttributes"] = {"phone": "+44 1632 960000"}
    return user


def _exposure(rng: Random) -> tuple[str, Any, JsonObject]:
    kind, key = rng.choice((("gate", "gate"), ("config", "config"), ("experiment", "config"), ("layer", "config")))
    name = words(rng, 2).replace(" ", "_")
    metadata: JsonObject = {
        key: name,
        "ruleID": uuid(rng)[:22],
        "reason": "Network:Recognized",
        "lcut": str(START_MS),
        "receivedAt": str(START_MS),
        "allocatedExperiment": name,
        "isExplicitParameter": "true",
    }
    if kind == "gate":
        metadata["gateValue"] = rng.choice(("true", "false"))
    else:
        metadata["rulePassed"] = "true"
    return f"statsig::{kind}_exposure", name, metadata


def _custom_event(rng: Random) -> tuple[str, Any, JsonObject]:
    value = rng.choice((None, money(rng, 100), words(rng, 1)))
    return (
        rng.choice(_EVENTS),
        value,
        {key: str(_property(rng)) for key in rng.sample(_PROPERTY_KEYS, rng.randrange(2, 9))},
    )


def _export(rng: Random) -> JsonObject:
    name, value, metadata = (_exposure if chance(rng, 0.5) else _custom_event)(rng)
    user = _exported_user(rng)
    return {
        "eventName": name,
        "user": user,
        "userID": user["userID"],
        "timestamp": START_MS + rng.randrange(DAY_MS),
        "value": value,
        "metadata": metadata,
        "statsigMetadata": {
            "sdkType": "js-client",
            "sdkVersion": "3.31.0",
            "stableID": user["customIDs"]["stableID"],
            "sessionID": uuid(rng),
        },
        "timeUUID": uuid(rng),
        "unitID": user["userID"],
    }


def statsig_exports(count: int, seed: int = SEED) -> list[bytes]:
    """Make events and exposures of a Statsig export, as JSON lines."""
    rng = Random(seed)
    return [_compact(_export(rng)) for _ in range(count)]


# -- What it came to ------------------------------------------------------------------------------------------------


def _share(calls: list[JsonObject], test: Callable[[JsonObject], bool]) -> float:
    return round(sum(map(test, calls)) / len(calls), 3)


def describe(lines: list[bytes]) -> dict[str, float]:
    """Count the shares of a corpus of Segment calls, for the report."""
    calls: list[JsonObject] = [json.loads(line) for line in lines]

    def control(call: JsonObject, key: str) -> bool:
        return key in call.get("properties", {}) or key in call.get("traits", {})

    return {
        "bytes_per_call": round(sum(map(len, lines)) / len(lines)),
        "track": _share(calls, lambda call: call["type"] == "track"),
        "products": _share(calls, lambda call: "products" in call.get("properties", {})),
        "statsigCustomIDs": _share(calls, lambda call: control(call, "statsigCustomIDs")),
        "statsigCustom": _share(calls, lambda call: control(call, "statsigCustom")),
        "statsigEnvironment": _share(calls, lambda call: control(call, "statsigEnvironment")),
        "anonymousId": _share(calls, lambda call: "anonymousId" in call),
        "audiences": _share(calls, lambda call: "personas" in call["context"]),
    }
