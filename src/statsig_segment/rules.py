"""The rules this library keeps, as data: what each says, how sure we are of it, and where it comes from.

Code, error codes, `explain` and the reference pages name rules by the ids below; nothing here runs a rule.

Three words say how sure we are, and a rule may carry more than one:

- ``documented``: a vendor's public documentation says so.
- ``observed``: read off a screenshot of the Statsig console, or seen in what a current SDK sends.
- ``policy``: nothing public says it; it is this library's declared choice.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RULES", "Rule", "Status"]

Status: TypeAlias = Literal["documented", "observed", "policy"]


@attrs.frozen(kw_only=True)
class Rule:
    """One rule of the contract between a Segment call and what leaves this library.

    >>> from statsig_segment.rules import RULES
    >>> RULES["ID-5"].title
    'The event beats the mapping'
    >>> RULES["ID-5"].status
    ('documented', 'policy')
    """

    id: str
    """The stable id, such as ``ID-2``: two capital letters, a hyphen, a number."""
    title: str
    """A few words for headings and tables."""
    summary: str
    """What the rule says, in one or two sentences."""
    status: tuple[Status, ...]
    """How sure we are: the words of the module's docstring, the surest first."""
    source: str
    """Where the rule can be read, or ``statsig-segment policy``; several are parted by semicolons."""


# The sources that more than one rule cites. Only their names stand here: addresses change, titles rarely do.
_INTEGRATION: Final = "Statsig docs: Segment integration"
_WEBHOOK: Final = "Statsig docs: Event Webhook"
_LOG_EVENT: Final = "Statsig docs: HTTP API, log_event"
_CONSOLE: Final = "Statsig console, as its screenshots show it"
_CONSOLE_API: Final = "Statsig docs: Console API, segments"
_FILTERING: Final = "Statsig docs: Event Filtering"
_SPEC: Final = "Segment docs: Spec, common fields"
_HTTP_API: Final = "Segment docs: HTTP API"
_ENGAGE: Final = "Segment docs: using Engage data"
_POLICY: Final = "statsig-segment policy"

_TABLE: Final[tuple[Rule, ...]] = (
    # -- Parsing Segment calls ------------------------------------------------------------------------------------
    Rule(
        id="IN-1",
        title="What can be read",
        summary="A call is a mapping, or JSON text as str or bytes that holds one object. "
        "Anything else is a SegmentEventError.",
        status=("policy",),
        source=_POLICY,
    ),
    Rule(
        id="IN-2",
        title="Five call types",
        summary="The field type, matched exactly, selects track, page, screen, group or identify. "
        "A missing type and any other type are errors with codes of their own.",
        status=("documented", "policy"),
        source=f"{_INTEGRATION}, 'Supported Segment Event Types'; {_POLICY} for the errors",
    ),
    Rule(
        id="IN-3",
        title="A track call has a name",
        summary="A track call needs a non-empty string in event; without one it is an error.",
        status=("documented",),
        source="Segment docs: Spec, Track",
    ),
    Rule(
        id="IN-4",
        title="What counts as an ID",
        summary="A non-empty string is an ID as it stands; an integral number is one as its decimal digits. "
        "Null and absence are silent, and anything else counts as absent and leaves an issue.",
        status=("policy",),
        source=_POLICY,
    ),
    Rule(
        id="IN-5",
        title="Which time counts",
        summary="The first readable one of timestamp, originalTimestamp, receivedAt and sentAt is the event's time. "
        "An unreadable one before it leaves an issue and fails nothing.",
        status=("documented", "policy"),
        source=f"{_SPEC}, for timestamp; {_POLICY} for the order of the rest",
    ),
    Rule(
        id="IN-6",
        title="How a time may be written",
        summary="ISO 8601 in its usual spellings, and numbers or digit strings of seconds or milliseconds, "
        "become integer milliseconds since 1970, cut and never rounded. Years run from 1970 to 9999.",
        status=("policy",),
        source=f"{_POLICY}, after the lenient parsing of Segment's own libraries",
    ),
    Rule(
        id="IN-7",
        title="Objects that are none",
        summary="properties, traits, context and integrations count as empty when absent or null, "
        "and as empty with an issue when they are no object. Other top-level fields are kept.",
        status=("policy",),
        source=_POLICY,
    ),
    Rule(
        id="IN-8",
        title="Batches come apart",
        summary="One call, an array of calls, or a batch envelope becomes single calls, still unparsed. "
        "The envelope's context and integrations fill in under each item's own.",
        status=("documented", "policy"),
        source=f"{_HTTP_API}, batch; {_POLICY} for what wins",
    ),
    Rule(
        id="IN-9",
        title="Repeated deliveries",
        summary="The message id is kept, and translate_many skips a repeated one when it is given something to "
        "remember with. Without that nothing is remembered.",
        status=("documented", "policy"),
        source=f"{_SPEC}, messageId; {_POLICY} for where the memory lives",
    ),
    # -- Identity -------------------------------------------------------------------------------------------------
    Rule(
        id="ID-1",
        title="The user's ID",
        summary="Segment's userId becomes Statsig's userID.",
        status=("documented",),
        source=f"{_INTEGRATION}, 'User IDs and Custom IDs'",
    ),
    Rule(
        id="ID-2",
        title="Custom IDs in even and odd places",
        summary="In properties.statsigCustomIDs each even index names an ID type and the odd index after it holds "
        "the value. A pair that breaks this is dropped with an issue, and its neighbours stand.",
        status=("documented", "policy"),
        source=f"{_INTEGRATION}, 'User IDs and Custom IDs'; {_POLICY} for every malformed case",
    ),
    Rule(
        id="ID-3",
        title="Control keys of calls without properties",
        summary="statsigCustomIDs, statsigCustom and statsigEnvironment are read from properties where they are, "
        "else from traits, each key on its own.",
        status=("policy",),
        source=_POLICY,
    ),
    Rule(
        id="ID-4",
        title="Mapped identifiers",
        summary="An ID mapping copies one field of the call to one custom ID; the first row with a value wins its "
        "ID type. Beyond the documentation, a dotted field walks into objects.",
        status=("documented", "policy"),
        source=f"{_INTEGRATION}, 'Mapping anonymous users'; {_POLICY} for dotted fields and order",
    ),
    Rule(
        id="ID-5",
        title="The event beats the mapping",
        summary="A value in statsigCustomIDs wins over any mapping, in whatever order the mappings stand. "
        "A dropped pair counts as absent, so a mapping may fill its place.",
        status=("documented", "policy"),
        source=f"{_INTEGRATION}, 'Mapping anonymous users', the warning; {_POLICY} for dropped pairs",
    ),
    Rule(
        id="ID-6",
        title="An event of nobody",
        summary="An event that ends with neither a userID nor a custom ID is an error, "
        "which names the mapping that would have helped where there is one.",
        status=("documented", "policy"),
        source=f"Statsig docs: Raw Events, 'Unit Identifiers'; {_POLICY} for refusing it",
    ),
    Rule(
        id="ID-7",
        title="Undeclared ID types",
        summary="Where the configuration declares the project's ID types, any other name leaves an issue that "
        "points at a spelling close to it. The ID is sent all the same.",
        status=("policy",),
        source=_POLICY,
    ),
    # -- User, environment, properties ----------------------------------------------------------------------------
    Rule(
        id="US-1",
        title="Custom fields of the user",
        summary="properties.statsigCustom is read by the even and odd rule of ID-2 into the user's custom fields, "
        "and what Statsig could not hold becomes JSON text with an issue.",
        status=("documented", "policy"),
        source=f"{_INTEGRATION}, 'Custom Properties'; {_POLICY} for types and malformed cases",
    ),
    Rule(
        id="US-2",
        title="User fields from the context",
        summary="The context's ip, userAgent and locale are copied to the user, and nothing else is. "
        "A table in the configuration replaces these three.",
        status=("observed", "policy"),
        source=f"{_CONSOLE}, event details; {_POLICY} for copying no more",
    ),
    Rule(
        id="US-3",
        title="The event's environment",
        summary="The tier of properties.statsigEnvironment becomes the user's environment, spelled as it was. "
        "A bare string is taken with an issue, and any other shape is ignored with one.",
        status=("documented", "policy"),
        source=f"{_INTEGRATION}, 'Environments'; {_POLICY} for other shapes",
    ),
    Rule(
        id="US-4",
        title="The default environment",
        summary="An event without a tier takes the configured default; without that none is sent, "
        "and Statsig counts the event as production.",
        status=("documented", "policy"),
        source=f"{_INTEGRATION}, 'Environments'; {_POLICY} for a configured default",
    ),
    Rule(
        id="US-5",
        title="The prefix",
        summary="An event's name is a prefix, segment:: unless configured, and then the call's own name unchanged.",
        status=("documented", "observed"),
        source=f"{_INTEGRATION}, 'Working with Segment Metrics'; {_CONSOLE}, log stream",
    ),
    Rule(
        id="US-6",
        title="Names of page, screen and group calls",
        summary="Nobody documents today how these calls are named, so templates decide; the default follows Segment's "
        "classic wording, and a preset follows Segment's destination page of 2021.",
        status=("documented", "policy"),
        source=f"{_POLICY}; Segment docs: Statsig destination, as of 2021, for the preset",
    ),
    Rule(
        id="US-7",
        title="Properties become metadata",
        summary="Properties, or a group's traits, less the control keys, become metadata, and every value becomes "
        "text as JavaScript would print it. Nulls are left out.",
        status=("observed", "policy"),
        source=f"{_CONSOLE}, event details; {_POLICY} for numbers, trees and added keys",
    ),
    Rule(
        id="US-8",
        title="The event's value",
        summary="A string or finite number under the property value becomes the event's value; "
        "the configuration may name another property, or none.",
        status=("policy",),
        source=_POLICY,
    ),
    Rule(
        id="US-9",
        title="Limits told in advance",
        summary="What Statsig would silently drop or cut is reported as an issue and sent unchanged.",
        status=("documented", "policy"),
        source=f"Statsig docs: Logging events, size limits, and Raw Events; {_POLICY} for choosing 128 over 64",
    ),
    # -- What is not sent -----------------------------------------------------------------------------------------
    Rule(
        id="FL-1",
        title="Choosing inbound events",
        summary="Events are included or excluded by their exact name without the prefix, and narrowed by call type. "
        "Nothing is filtered by default.",
        status=("documented", "observed", "policy"),
        source=f"{_FILTERING}; {_CONSOLE}, event filtering; {_POLICY} for call types",
    ),
    Rule(
        id="FL-2",
        title="Choosing outbound events",
        summary="Exposures, config changes, named events and new events are switched as in the console's outgoing "
        "panel. Statsig's other internal events never leave.",
        status=("observed", "policy"),
        source=f"{_CONSOLE}, outgoing event filtering; {_POLICY} for internal events",
    ),
    Rule(
        id="FL-3",
        title="What filtering returns",
        summary="apply_filters returns the event itself, or None where it is filtered. It may be applied twice, "
        "and before or after ID mapping, with the same outcome.",
        status=("policy",),
        source=_POLICY,
    ),
    Rule(
        id="FL-4",
        title="The integrations object",
        summary="An entry Statsig decides whether a call may be sent, and All decides where there is no such entry; "
        "only false disables.",
        status=("documented", "policy"),
        source=f"{_SPEC}, integrations; {_POLICY} for odd values",
    ),
    Rule(
        id="FL-5",
        title="The loop guard",
        summary="A call whose library is named statsig came out of Statsig's own export and is skipped, "
        "unless the configuration lets it pass.",
        status=("policy",),
        source=_POLICY,
    ),
    Rule(
        id="FL-6",
        title="Nothing disappears",
        summary="Every payload comes out of translate_many as exactly one outcome, in order, and those not sent "
        "carry their position and the payload itself.",
        status=("policy",),
        source=_POLICY,
    ),
    # -- Engage audiences -----------------------------------------------------------------------------------------
    Rule(
        id="AU-1",
        title="Identify makes no event",
        summary="An identify call serves only to sync Engage audiences with ID lists; any other one is skipped.",
        status=("documented",),
        source=f"{_INTEGRATION}, 'Supported Segment Event Types'",
    ),
    Rule(
        id="AU-2",
        title="What a membership is",
        summary="A call is a membership when its context names an audience or journey step and a key; the boolean "
        "under that key says in or out. Anything unclear is an error, never a removal.",
        status=("documented", "policy"),
        source=f"{_INTEGRATION}, 'Syncing Statsig Segment ID Lists'; {_ENGAGE}; {_POLICY} for unclear values",
    ),
    Rule(
        id="AU-3",
        title="Whose membership it is",
        summary="A membership carries the IDs an event would carry, mappings applied; without any it is an error.",
        status=("policy",),
        source=_POLICY,
    ),
    Rule(
        id="AU-4",
        title="Audience track calls",
        summary="translate makes memberships of identify calls only, while audience_update reads the track form too.",
        status=("documented", "policy"),
        source=f"{_INTEGRATION}, 'Supported Segment Event Types'; {_POLICY} for track",
    ),
    Rule(
        id="AU-5",
        title="Folding memberships",
        summary="Memberships fold into one patch for each ID list, the latest word for each ID winning, "
        "and updates without the wanted ID type are returned apart.",
        status=("documented", "policy"),
        source=f"{_CONSOLE_API}, for the limits; {_POLICY} for the order",
    ),
    Rule(
        id="AU-6",
        title="Names that no ID list has",
        summary="A key that cannot be the id of an ID list leaves an issue.",
        status=("documented",),
        source=_CONSOLE_API,
    ),
    # -- To Statsig's wire ----------------------------------------------------------------------------------------
    Rule(
        id="WI-1",
        title="The log event",
        summary="to_log_event gives an event in Statsig's log_event form; what is unknown has no key, "
        "and metadata is always there.",
        status=("documented",),
        source=_LOG_EVENT,
    ),
    Rule(
        id="WI-2",
        title="The log_event body",
        summary="to_log_event_request wraps events with the name and version of this library.",
        status=("documented",),
        source=_LOG_EVENT,
    ),
    Rule(
        id="WI-3",
        title="The event webhook body",
        summary="to_event_webhook gives one event in the form of Statsig's event webhook.",
        status=("documented",),
        source=f"{_WEBHOOK}, 'Incoming'",
    ),
    # -- Outbound -------------------------------------------------------------------------------------------------
    Rule(
        id="OU-1",
        title="Reading a Statsig event",
        summary="An exported event needs a name; a config change becomes a ConfigChange and all else a StatsigEvent.",
        status=("documented", "policy"),
        source=f"{_WEBHOOK}, 'Event Format'; {_POLICY} for malformed fields",
    ),
    Rule(
        id="OU-2",
        title="Exports come apart",
        summary="An array, a data envelope, or one event becomes single events; "
        "the registration handshake yields none, and its code can be read.",
        status=("documented", "policy"),
        source=f"{_WEBHOOK}; {_POLICY} for odd envelopes",
    ),
    Rule(
        id="OU-3",
        title="The documented track call",
        summary="The default profile is Statsig's published schema to the letter: what is undefined has no key, "
        "and an explicit null stays null.",
        status=("documented", "policy"),
        source=f"{_INTEGRATION}, 'Outbound event schema'; {_POLICY} for which ID field comes first",
    ),
    Rule(
        id="OU-4",
        title="The deliverable track call",
        summary="The deliverable profile is what Segment's API accepts: an ISO time, an anonymousId, a message id for "
        "safe retries, and an error instead of a call that nobody owns.",
        status=("documented", "policy"),
        source=f"Segment docs: Statsig source; {_HTTP_API}; {_POLICY} for refusing a call of nobody",
    ),
    Rule(
        id="OU-5",
        title="Private attributes stay",
        summary="A user's privateAttributes never leave, in any profile.",
        status=("policy",),
        source=_POLICY,
    ),
    Rule(
        id="OU-6",
        title="Config changes as calls",
        summary="A config change becomes the documented call without a type; the deliverable profile adds the type, "
        "an ISO time and the rest of what the source says.",
        status=("documented", "policy"),
        source=f"{_INTEGRATION}, 'Outbound event schema'; {_POLICY} for the deliverable form",
    ),
    Rule(
        id="OU-7",
        title="Five shapes of config change",
        summary="All five shapes that are public are read; the author is the user's name, else email, else userID.",
        status=("documented", "policy"),
        source=f"{_INTEGRATION}, 'Outbound event schema'; {_WEBHOOK}, config changes, now and earlier; "
        f"{_POLICY} for the author",
    ),
    Rule(
        id="OU-8",
        title="Batches within Segment's limits",
        summary="Track calls are packed into bodies within Segment's limits; a call too large for any comes back "
        "rejected. No body has a sentAt.",
        status=("documented", "policy"),
        source=f"{_HTTP_API}, batch; {_POLICY} for leaving sentAt out",
    ),
    # -- Trust ----------------------------------------------------------------------------------------------------
    Rule(
        id="TR-1",
        title="Statsig's signature",
        summary="The signature is v0= and a hexadecimal HMAC-SHA256 over version, time and raw body; "
        "a stale time is refused where the caller gives a clock.",
        status=("documented", "policy"),
        source=f"{_WEBHOOK}, signatures; {_POLICY} for staleness",
    ),
    Rule(
        id="TR-2",
        title="Segment's signature",
        summary="The signature is a hexadecimal HMAC-SHA1 over the raw body, and for an array over the exact bytes "
        "of its first element.",
        status=("documented",),
        source="Segment docs: Webhooks destination",
    ),
    Rule(
        id="TR-3",
        title="Messages hold no data",
        summary="No message and no repr of an error holds a value of a payload: codes, paths and types only.",
        status=("policy",),
        source=_POLICY,
    ),
    Rule(
        id="TR-4",
        title="Hostile input",
        summary="Any input gives a result or one of our errors, in time linear in its size.",
        status=("policy",),
        source=_POLICY,
    ),
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.id: rule for rule in _TABLE})
"""Every rule by its id, in the order of the contract."""
