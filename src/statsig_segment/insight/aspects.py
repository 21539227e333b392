"""Compare two log events of one call, aspect by aspect and path by path; knows no configuration (CM-2, DI-1).

Either event may be missing: then the two sides differ in whether the call is sent. A path is that of the log event,
such as `$.user.customIDs.companyID`, and never holds a value of a payload.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from statsig_segment import statsig
from statsig_segment._json.values import EMPTY, FrozenDict
from statsig_segment.errors import join_path
from statsig_segment.statsig.events import PLAIN_FIELDS

MISSING: Final = "missing"
"""The first event has it, the second has not."""
EXTRA: Final = "extra"
"""The second event has it, the first has not."""
DIFFERENT: Final = "different"
SAME: Final = "same"
"""Both events show the aspect and agree in it; the path is empty."""

SENT: Final = "sent"
USER_ID: Final = "user ID"
CUSTOM_IDS: Final = "custom IDs"
USER_FIELDS: Final = "user fields"
CUSTOM: Final = "custom attributes"
ENVIRONMENT: Final = "environment"
VALUE: Final = "value"
METADATA_KEYS: Final = "metadata keys"
METADATA_VALUES: Final = "metadata values"

RULE_OF: Final = FrozenDict(
    {
        "track name": "US-5",
        "page name": "US-6",
        "screen name": "US-6",
        "group name": "US-6",
        USER_ID: "ID-1",
        CUSTOM_IDS: "ID-4",
        USER_FIELDS: "US-2",
        CUSTOM: "US-1",
        ENVIRONMENT: "US-4",
        VALUE: "US-8",
        METADATA_KEYS: "US-7",
        METADATA_VALUES: "US-7",
        SENT: "FL-1",
    }
)
"""Aspect -> the rule behind it, in the order in which people read them."""

Event: TypeAlias = Mapping[str, Any]
"""A log event, as `to_log_event` writes it."""
Same: TypeAlias = Callable[[Any, Any], bool | None]
"""Returns whether two values are the same; `None` if they say nothing about the aspect."""
IsLost: TypeAlias = Callable[[str, Mapping[str, str]], bool]
"""Returns whether the second side may have lost a metadata entry of the first on its way."""

_USER: Final = f"$.{statsig.USER}"
_METADATA: Final = f"$.{statsig.METADATA}"


class Difference(NamedTuple):
    """How two events differ at one path; or, with the kind `SAME`, that they agree in an aspect that they show."""

    aspect: str
    path: str
    kind: str


def is_same(one: Any, two: Any) -> bool:
    """Return whether two JSON values are equal, including their types."""
    return type(one) is type(two) and bool(one == two)


def never_lost(_key: str, _metadata: Mapping[str, str]) -> bool:
    """Return `False`: between two events of our own, no entry is lost."""
    return False


def differences(
    here: Event | None, there: Event | None, call_type: str, same: Same = is_same, is_lost: IsLost = never_lost
) -> Iterator[Difference]:
    """Yield how two events of one call differ, by aspect and path, and in which aspects they agree.

    Args:
        here: What the first side makes of the call; `None` if it sends nothing.
        there: The same of the second side.
        call_type: The type of the call, which names the first aspect (`track name`).
        same: How two values are compared.
        is_lost: Which metadata entries the second side may lack without a difference.

    """
    if here is None or there is None:
        if here is not there:
            yield Difference(SENT, "$", EXTRA if here is None else MISSING)
        return
    own: Event = here[statsig.USER]
    other: Event = there[statsig.USER]
    yield from _table(f"{call_type} name", "$", here, there, same, (statsig.EVENT_NAME,))
    yield from _table(USER_ID, _USER, own, other, same, (statsig.USER_ID,))
    yield from _objects(CUSTOM_IDS, statsig.CUSTOM_IDS, own, other, same)
    yield from _table(USER_FIELDS, _USER, own, other, same, PLAIN_FIELDS)
    yield from _objects(CUSTOM, statsig.CUSTOM, own, other, same)
    yield from _environment(own, other, same)
    yield from _table(VALUE, "$", here, there, same, (statsig.VALUE,))
    yield from _metadata(here[statsig.METADATA], there[statsig.METADATA], same, is_lost)


def _objects(aspect: str, name: str, own: Event, other: Event, same: Same) -> Iterator[Difference]:
    """Compare an object of two users; absent, it is empty."""
    return _table(aspect, f"{_USER}.{name}", own.get(name, EMPTY), other.get(name, EMPTY), same)


def _environment(own: Event, other: Event, same: Same) -> Iterator[Difference]:
    """Compare the tiers; an event without one is one more tier: Statsig takes it for production (US-4)."""
    here, there = own.get(statsig.ENVIRONMENT), other.get(statsig.ENVIRONMENT)
    path = f"{_USER}.{statsig.ENVIRONMENT}"
    if here is None and there is None:
        return iter((Difference(ENVIRONMENT, "", SAME),))
    if here is None or there is None:
        return iter((Difference(ENVIRONMENT, path, EXTRA if here is None else MISSING),))
    return _table(ENVIRONMENT, path, here, there, same)


def _table(
    aspect: str, path: str, here: Event, there: Event, same: Same, keys: Collection[str] | None = None
) -> Iterator[Difference]:
    """Compare two tables key by key, all of them or some; where neither has any of the keys they say nothing."""
    held = [*here, *there] if keys is None else [key for table in (here, there) for key in keys if key in table]
    shows = differs = False
    for key in dict.fromkeys(held):
        if key not in here or key not in there:
            shows = differs = True
            yield Difference(aspect, join_path(path, key), EXTRA if key in there else MISSING)
            continue
        verdict = same(here[key], there[key])
        shows |= verdict is not None
        if verdict is False:
            differs = True
            yield Difference(aspect, join_path(path, key), DIFFERENT)
    if shows and not differs:
        yield Difference(aspect, "", SAME)


def _metadata(here: Mapping[str, str], there: Event, same: Same, is_lost: IsLost) -> Iterator[Difference]:
    """Compare keys and values apart: one is about what is sent, the other about how it is written."""
    if here == there:
        if here:
            yield Difference(METADATA_KEYS, "", SAME)
            yield Difference(METADATA_VALUES, "", SAME)
        return
    missing = [key for key in here if key not in there and not is_lost(key, here)]
    extra = [key for key in there if key not in here]
    yield from (Difference(METADATA_KEYS, join_path(_METADATA, key), MISSING) for key in missing)
    yield from (Difference(METADATA_KEYS, join_path(_METADATA, key), EXTRA) for key in extra)
    if not missing and not extra:
        yield Difference(METADATA_KEYS, "", SAME)
    yield from _table(METADATA_VALUES, _METADATA, here, there, same, [key for key in here if key in there])
