"""The law of the fast lanes: a lane gives exactly what the reference gives, or it steps aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

import attrs
from hypothesis import strategies as st

from statsig_segment import AudienceUpdate, IntegrationConfig, Rejected, Skipped, StatsigEvent, to_log_event
from statsig_segment._json.values import FrozenDict
from statsig_segment.configuration.models import derived_of, outbound_plan
from statsig_segment.inbound.fast_lane import (
    log_event,  # this very function, also while the switch of conftest.py is off
)
from statsig_segment.inbound.translate import reference_outcome
from statsig_segment.outbound import export
from statsig_segment.outbound.fast_lane import outbound_track  # likewise
from statsig_segment.testing import integration_configs, segment_calls, statsig_events
from tests.support.sound import CALLS, CONFIGS, EVENTS, OUTBOUND_CONFIGS
from tests.support.values import JsonObject


class Lane(NamedTuple):
    """A lane, and the reference that it has to equal."""

    name: str
    answer: Callable[[Any, IntegrationConfig], Any]
    """What the lane gives: an event, update or call, the reason to skip, or `None` where it steps aside."""
    reference: Callable[[Any, IntegrationConfig], Any]
    """The only thing that the lane may give beside `None`; `None` itself where there is an issue or an error."""
    sound: Mapping[str, JsonObject]
    """Payloads for the lane, one for each way through it."""
    configs: Mapping[str, IntegrationConfig]
    payloads: st.SearchStrategy[Any]
    """Payloads sound and malformed, those of `sound` among them."""
    configurations: st.SearchStrategy[IntegrationConfig]
    """Any configuration, those of `configs` among them."""


def made_anew(config: IntegrationConfig) -> IntegrationConfig:
    """Make a configuration once more, and so its plans: by the code of now, not by that of when it was imported."""
    return attrs.evolve(config, inbound=attrs.evolve(config.inbound), outbound=attrs.evolve(config.outbound))


def _drawn_from(*strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw from any of them; composed, for together they would be too long to be shown."""
    any_of_them = st.one_of(strategies)

    @st.composite
    def payloads(draw: st.DrawFn) -> Any:
        return draw(any_of_them)

    return payloads()


def _configurations(known: Mapping[str, IntegrationConfig]) -> st.SearchStrategy[IntegrationConfig]:
    return integration_configs() | st.sampled_from(list(known.values())).map(made_anew)


def _log_event(payload: Any, config: IntegrationConfig) -> Any:
    return log_event(payload, derived_of(config.inbound).plan)


def _log_event_by_reference(payload: Any, config: IntegrationConfig) -> Any:
    outcome = reference_outcome(payload, config.inbound, 0, None)
    if isinstance(outcome, Skipped):
        return outcome.reason
    if not isinstance(outcome, StatsigEvent | AudienceUpdate) or outcome.issues:
        return None
    return to_log_event(outcome) if isinstance(outcome, StatsigEvent) else outcome


INBOUND: Final = Lane(
    name="inbound",
    answer=_log_event,
    reference=_log_event_by_reference,
    sound=CALLS,
    configs=CONFIGS,
    payloads=_drawn_from(
        st.sampled_from(list(CALLS.values())),
        segment_calls(),
        segment_calls(malformed=True),
        segment_calls(malformed=True, python_values=True),
    ),
    configurations=_configurations(CONFIGS),
)


def _track(payload: Any, config: IntegrationConfig) -> Any:
    return outbound_track(payload, outbound_plan(config.outbound))


def _track_by_reference(payload: Any, config: IntegrationConfig) -> Any:
    outcome, issues = export.outcome_and_issues(payload, config.outbound, 0)
    if isinstance(outcome, Skipped):
        return outcome.reason
    return None if isinstance(outcome, Rejected) or issues else outcome


OUTBOUND: Final = Lane(
    name="outbound",
    answer=_track,
    reference=_track_by_reference,
    sound=EVENTS,
    configs=OUTBOUND_CONFIGS,
    payloads=_drawn_from(st.sampled_from(list(EVENTS.values())), statsig_events(), statsig_events(malformed=True)),
    configurations=_configurations(OUTBOUND_CONFIGS),
)
LANES: Final = (INBOUND, OUTBOUND)


def hold_to_the_law(lane: Lane, payload: Any, config: IntegrationConfig) -> Any:
    """Give what the lane gives; `AssertionError` where it breaks the law."""
    before = shape(payload)
    answer, again = lane.answer(payload, config), lane.answer(payload, config)
    if shape(payload) != before:
        raise AssertionError("the payload was changed")
    if answer is None and again is None:
        return None
    spelled = shape(answer)
    if spelled != shape(again):
        raise AssertionError("the lane gives another answer the second time")
    if spelled != shape(lane.reference(payload, config)):
        raise AssertionError("the lane differs from the reference")
    if not containers(answer).isdisjoint(containers(payload)):
        raise AssertionError("the answer shares a dict or list with the payload")
    if not containers(answer).isdisjoint(containers(again)):
        raise AssertionError("two answers share a dict or list")
    return answer


def shape(value: Any) -> list[Any]:
    """Spell a tree out: exact types, values, and the order of keys; equal only for trees that are the same in all."""
    spelled: list[Any] = []
    numbers: dict[int, int] = {}
    pending = [value]
    while pending:
        item = pending.pop()
        kind = cast("type[object]", type(item))
        spelled.append(kind)
        if kind is str or kind is int or kind is bool:
            spelled.append(item)
            continue
        contents = _contents(item)
        if contents is None:
            spelled.append(repr(item) if kind is float else id(item))
        elif id(item) in numbers:  # it holds itself, or stands in two places
            spelled.append(numbers[id(item)])
        else:
            if kind is not FrozenDict and kind is not tuple:  # these may be shared, and cannot hold themselves
                numbers[id(item)] = len(numbers)
            spelled.append(len(contents))
            pending.extend(contents)
    return spelled


def containers(value: Any) -> set[int]:
    """Give the identities of all dicts and lists in a tree; what is frozen may be shared."""
    found: dict[int, Any] = {}
    pending = [value]
    while pending:
        item = pending.pop()
        contents = _contents(item)
        if contents is not None and id(item) not in found:
            found[id(item)] = item
            pending.extend(contents)
    return {identity for identity, item in found.items() if type(item) in (dict, list)}


def _contents(item: Any) -> list[Any] | None:
    """Give what a container holds, keys included; `None` for any other value."""
    if isinstance(item, dict | MappingProxyType):
        table = cast("Mapping[Any, Any]", item)
        return [part for entry in table.items() for part in entry]
    if isinstance(item, list | tuple):
        return list(cast("Iterable[Any]", item))
    if attrs.has(cast("type[object]", type(item))):
        return list(attrs.asdict(item, recurse=False).values())
    return None
