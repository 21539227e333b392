"""What a configuration does, in sentences."""

from collections.abc import Iterable, Iterator

from statsig_segment.cli.messages import printable, shown
from statsig_segment.configuration.event_names import EventNaming
from statsig_segment.configuration.models import InboundConfig, IntegrationConfig, OutboundConfig
from statsig_segment.segment.calls import Group, Page, Screen, Track


def config_text(config: IntegrationConfig) -> str:
    """Say in sentences what a configuration does."""
    sections = (("Segment to Statsig", _inbound(config.inbound)), ("Statsig to Segment", _outbound(config.outbound)))
    return "\n\n".join(printable("\n  ".join((title, *sentences))) for title, sentences in sections)


def _inbound(config: InboundConfig) -> Iterator[str]:
    filters = config.filters
    yield _only("Calls of every type pass.", "Only calls of these types pass: ", "No call passes.", filters.types)
    yield _only("Events of every name pass.", "Only these events pass: ", "No event passes.", filters.include)
    if filters.exclude:
        yield f"These events never pass: {_names(filters.exclude)}."
    yield from _naming(config.naming)
    for row in config.id_mappings:
        yield f"{row.field} becomes the custom ID {shown(row.id_type)}, unless the call or a row above brings one."
    if not config.id_mappings:
        yield "No field becomes a custom ID; a call needs a userId or custom IDs of its own."
    if config.id_types is not None:
        yield f"ID types other than these are reported, and sent: {_names(config.id_types) or 'none'}."
    yield _environment(config.default_environment)
    fields = "; ".join(f"{name} from {path}" for name, path in config.user_fields.items())
    yield f"The user gets {fields}." if fields else "The user gets nothing but IDs."
    yield _value(config.value_properties)
    yield f"The integrations of a call {'may' if config.honor_integrations else 'cannot'} keep it from Statsig."
    yield f"Calls that Statsig itself exported {'go back to it' if config.allow_statsig_origin else 'are skipped'}."


def _only(every: str, these: str, none: str, names: frozenset[str] | None) -> str:
    if names is None:
        return every
    return f"{these}{_names(names)}." if names else none


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(shown, sorted(names)))


def _naming(naming: EventNaming) -> Iterator[str]:
    samples = (
        ('A track call "Signed Up"', Track(event="Signed Up")),
        ('A page call "Home" in "Docs"', Page(category="Docs", name="Home")),
        ("A page call without a name", Page()),
        ('A screen call "Home" in "Docs"', Screen(category="Docs", name="Home")),
        ("A screen call without a name", Screen()),
        ('A group call for "g1"', Group(group_id="g1")),
    )
    return (f"{sample} becomes {shown(naming.full_name(call))}." for sample, call in samples)


def _environment(tier: str | None) -> str:
    if tier is None:
        return "Calls without a tier are sent without one: Statsig counts them as production."
    return f"Calls without a tier are sent as {shown(tier)}."


def _value(names: tuple[str, ...]) -> str:
    if not names:
        return "No property becomes the value."
    if len(names) == 1:
        return f"The property {shown(names[0])} becomes the value."
    return f"The first usable one of these properties becomes the value: {', '.join(map(shown, names))}."


def _outbound(config: OutboundConfig) -> Iterator[str]:
    if config.profile == "documented":
        yield "Calls have the form that Statsig publishes."
        yield f"The ID type {shown(config.anonymous_id)} would become anonymousId in the profile deliverable only."
    else:
        yield "Calls have the form that Segment's API accepts; events without an identifier are rejected."
        yield f"The ID type {shown(config.anonymous_id)} becomes anonymousId."
    filters = config.filters
    yield f"Exposures {_leave(passes=filters.exposures)}."
    yield f"Config changes {_leave(passes=filters.config_changes)}."
    for passes in (True, False):
        names = [name for name, leaves in filters.events.items() if leaves is passes]
        if names:
            yield f"These events {_leave(passes=passes)}: {_names(names)}."
    others = "All other" if filters.events else "All"
    yield f"{others} events {_leave(passes=filters.include_new_events)}; Statsig's internal ones always stay."


def _leave(*, passes: bool) -> str:
    return "leave" if passes else "stay"
