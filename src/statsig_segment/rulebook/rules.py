"""The rules this library keeps, as data: what each says, how sure we are of it, and where it comes from.

Code, error codes, `explain`, the playground and the reference pages name rules by the ids below. Nothing here runs a
rule. Three words say how sure we are, and a rule may carry more than one:

- ``documented``: a vendor's public documentation says so.
- ``observed``: read off a screenshot of the Statsig console, or seen in what a current SDK or library does.
- ``policy``: nothing public says it. It is our declared choice, and Statsig's own integration may differ.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAMILIES", "RULES", "Family", "Rule", "Source", "Status"]

Status: TypeAlias = Literal["documented", "observed", "policy"]


@attrs.frozen(kw_only=True)
class Source:
    """A public page, screenshot or source file that a rule rests on."""

    title: str
    url: str
    status: Status = "documented"
    """``documented`` or ``observed``."""
    part: str = ""
    """Heading or part of the page, if it is a long one."""
    read: str | None = "2026-11-25"
    """The day we read it, ``YYYY-MM-DD``; ``None`` if we saw it without noting the day, or know its address only."""

    def at(self, part: str) -> Source:
        """Point at a part of the page."""
        return attrs.evolve(self, part=part)


@attrs.frozen(kw_only=True)
class Rule:
    """One rule of the contract between a Segment call and what leaves this library.

    >>> from statsig_segment.rulebook.rules import RULES
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
    """What the rule says, in one to three sentences."""
    sources: tuple[Source, ...] = ()
    """Where the rule can be read, the most important first."""
    policy: str | None = None
    """What in it is our own choice, as a phrase; ``None`` where nothing is."""

    @property
    def status(self) -> tuple[Status, ...]:
        """How sure we are: the words of the module's docstring, the surest first."""
        found = {source.status for source in self.sources}
        words: tuple[Status, ...] = ("documented", "observed")
        return (*(word for word in words if word in found), *(("policy",) if self.policy else ()))


@attrs.frozen(kw_only=True)
class Family:
    """Rules about one subject; a reference page each."""

    slug: str
    """Name of its page."""
    title: str
    rules: tuple[Rule, ...]


_STATSIG: Final = "https://docs.statsig.com"
_TWILIO: Final = "https://www.twilio.com/docs/segment"

_INTEGRATION: Final = Source(title="Statsig docs: Segment", url=f"{_STATSIG}/integrations/data-connectors/segment/")
_WEBHOOK: Final = Source(title="Statsig docs: Event Webhook", url=f"{_STATSIG}/integrations/event_webhook/")
_LOG_EVENT: Final = Source(
    title="Statsig docs: Log Custom Events", url=f"{_STATSIG}/api-reference/events/log-custom-events"
)
_SEGMENTS_API: Final = Source(title="Statsig docs: Segments (Console API)", url=f"{_STATSIG}/console-api/segments/")
_FILTERING: Final = Source(title="Statsig docs: Event Filtering", url=f"{_STATSIG}/integrations/event_filtering")
_RAW_EVENTS: Final = Source(title="Statsig docs: Raw Events", url=f"{_STATSIG}/en/metrics/raw-events")
_LOGGING: Final = Source(title="Statsig docs: Log your first custom event", url=f"{_STATSIG}/en/guides/logging-events")
_WAREHOUSE: Final = Source(
    title="Statsig docs: Data Warehouse Exports",
    url=f"{_STATSIG}/en/integrations/data-exports/data_warehouse_exports",
)
_CONSOLE: Final = Source(
    title="Statsig console, in the screenshots of the Segment page",
    url=f"{_STATSIG}/integrations/data-connectors/segment/",
    status="observed",
    read=None,
)
_STATSIG_SDK: Final = Source(
    title="Statsig's SDK for Python", url="https://github.com/statsig-io/python-sdk", status="observed"
)
_STATSIG_SDKS_RUN: Final = Source(
    title="Statsig's SDKs, as tests/integration runs them",
    url="https://github.com/statsig-io",
    status="observed",
    read=None,
)
_COMMON: Final = Source(title="Segment docs: Spec, common fields", url=f"{_TWILIO}/connections/spec/common")
_TRACK: Final = Source(title="Segment docs: Spec, Track", url=f"{_TWILIO}/connections/spec/track")
_HTTP_API: Final = Source(
    title="Segment docs: HTTP API", url=f"{_TWILIO}/connections/sources/catalog/libraries/server/http-api"
)
_ENGAGE: Final = Source(title="Segment docs: Using Engage Data", url=f"{_TWILIO}/engage/using-engage-data")
_EXTERNAL_IDS: Final = Source(title="Segment docs: ExternalIDs", url=f"{_TWILIO}/unify/identity-resolution/externalids")
_DESTINATION: Final = Source(
    title="Segment docs: Statsig destination", url=f"{_TWILIO}/connections/destinations/catalog/statsig"
)
_STATSIG_SOURCE: Final = Source(
    title="Segment docs: Statsig source", url=f"{_TWILIO}/connections/sources/catalog/cloud-apps/statsig"
)
_SEGMENT_WEBHOOKS: Final = Source(
    title="Segment docs: Webhooks destination", url=f"{_TWILIO}/connections/destinations/catalog/webhooks"
)
_EVENTBRIDGE: Final = Source(
    title="Segment docs: Amazon EventBridge destination",
    url=f"{_TWILIO}/connections/destinations/catalog/actions-amazon-eventbridge",
)
_FACADE: Final = Source(
    title="Segment's Facade, its reader of calls", url="https://github.com/segmentio/facade", status="observed"
)
_SEGMENT_PYTHON: Final = Source(
    title="Segment's client for Python", url="https://github.com/segmentio/analytics-python", status="observed"
)
_SEGMENT_PHP: Final = Source(
    title="Segment's client for PHP", url="https://github.com/segmentio/analytics-php", status="observed", read=None
)
_POSTHOG: Final = Source(
    title="PostHog's list of illegal IDs", url="https://github.com/PostHog/posthog", status="observed"
)

_PARSING: Final = (
    Rule(
        id="IN-1",
        title="What can be read",
        summary="A call is a mapping, or JSON text as str or bytes that holds one object. "
        "Anything else is a SegmentEventError.",
        policy="all of it",
    ),
    Rule(
        id="IN-2",
        title="Five call types",
        summary="The field type selects track, page, screen, group or identify, and has to match exactly. "
        "A missing type and any other type are errors, each with its own code.",
        sources=(_INTEGRATION.at("Supported Segment Event Types"),),
        policy="the errors",
    ),
    Rule(
        id="IN-3",
        title="A track call has a name",
        summary="A track call needs a non-empty string in event. Without one it is an error.",
        sources=(_TRACK,),
    ),
    Rule(
        id="IN-4",
        title="What counts as an ID",
        summary="A non-empty string is an ID as it is, and a whole number is one as its decimal digits. "
        "Null and absence pass silently. Anything else counts as absent and leaves an issue.",
        policy="all of it",
    ),
    Rule(
        id="IN-5",
        title="Which time counts",
        summary="The first readable one of timestamp, originalTimestamp, receivedAt and sentAt is the event's time. "
        "An unreadable one before it leaves an issue, and so does a time over 24 hours later than receivedAt.",
        sources=(_COMMON.at("Timestamps"),),
        policy="the order after timestamp, and the 24 hours",
    ),
    Rule(
        id="IN-6",
        title="How a time may be written",
        summary="ISO 8601 in its usual spellings, and numbers or digit strings of seconds or milliseconds, become "
        "whole milliseconds since 1970, cut and never rounded. Years run from 1970 to 9999.",
        policy="all of it, after the lenient parsing of Segment's own libraries",
    ),
    Rule(
        id="IN-7",
        title="Fields that should be objects",
        summary="properties, traits, context and integrations count as empty when they are absent, null or an empty "
        "array. Anything else that is not an object counts as empty with an issue. Other top-level fields are kept.",
        sources=(_SEGMENT_PHP,),
        policy="all but PHP's empty arrays",
    ),
    Rule(
        id="IN-8",
        title="Splitting batches",
        summary="One call, an array of calls, a batch envelope or an Amazon EventBridge event becomes single calls, "
        "still unparsed. The envelope's context and integrations fill in under each item's own.",
        sources=(_HTTP_API.at("Batch"), _EVENTBRIDGE),
        policy="what wins, and the limit on what items share",
    ),
    Rule(
        id="IN-9",
        title="Repeated deliveries",
        summary="The message id stays with the result. translate_many skips a repeated one if you give it something "
        "to remember ids with, and otherwise remembers nothing.",
        sources=(_COMMON.at("messageId"),),
        policy="who keeps the memory",
    ),
    Rule(
        id="IN-10",
        title="Python values that JSON lacks",
        summary="Dates, decimals, UUIDs, enums, sets and other kinds of number are read much as Segment's own client "
        "for Python writes them. Any other object counts as absent, with an issue where it would have been sent.",
        sources=(_SEGMENT_PYTHON.at("clean"),),
        policy="UUIDs and sets",
    ),
)

_IDENTITY: Final = (
    Rule(
        id="ID-1",
        title="The user's ID",
        summary="Segment's userId becomes Statsig's userID.",
        sources=(_INTEGRATION.at("User IDs and Custom IDs"),),
    ),
    Rule(
        id="ID-2",
        title="Custom IDs at even and odd positions",
        summary="In properties.statsigCustomIDs each even index names an ID type and the odd index after it holds "
        "the value. A pair that breaks this is dropped with an issue, and its neighbors stay.",
        sources=(_INTEGRATION.at("User IDs and Custom IDs"),),
        policy="every malformed case",
    ),
    Rule(
        id="ID-3",
        title="Control keys of calls without properties",
        summary="statsigCustomIDs, statsigCustom and statsigEnvironment are read from properties where they are "
        "there, else from traits, each key on its own.",
        policy="all of it",
    ),
    Rule(
        id="ID-4",
        title="Mapped identifiers",
        summary="An ID mapping copies one field of the call to one custom ID, and the first row with a value wins its "
        "ID type. Beyond the documentation, a dotted field walks into objects, and name[key=value] picks an object "
        "from an array.",
        sources=(_INTEGRATION.at("Mapping anonymous users"), _EXTERNAL_IDS),
        policy="dotted fields, selectors and order",
    ),
    Rule(
        id="ID-5",
        title="The event beats the mapping",
        summary="A value in statsigCustomIDs wins over any mapping, whatever the order of the mappings. "
        "A dropped pair counts as absent, so a mapping may fill its place.",
        sources=(_INTEGRATION.at("Mapping anonymous users, the warning"),),
        policy="dropped pairs",
    ),
    Rule(
        id="ID-6",
        title="Events without an identifier",
        summary="An event with neither a userID nor a custom ID is an error. The message names the mapping that would "
        "have helped, where there is one.",
        sources=(_RAW_EVENTS.at("Unit identifiers"),),
        policy="refusing it",
    ),
    Rule(
        id="ID-7",
        title="Undeclared ID types",
        summary="If the configuration declares the project's ID types, any other name leaves an issue that points at "
        "a similar spelling. The ID is sent anyway.",
        policy="all of it",
    ),
    Rule(
        id="ID-8",
        title="Placeholders instead of IDs",
        summary="IDs such as undefined, null, 0 or anonymous identify nobody and leave an issue. "
        "They are sent anyway, unless drop_placeholder_ids makes them count as absent.",
        sources=(_POSTHOG,),
        policy="the list, and sending them",
    ),
    Rule(
        id="ID-9",
        title="userID as an ID type",
        summary="An ID type spelled userid, in any letter case, is the user ID itself and never a custom ID. It fills "
        "in where the call has no user ID; where the call has another one, the pair is dropped with an issue.",
        sources=(_STATSIG_SDK.at("evaluator.py, lookup of a unit"),),
        policy="which of the two wins",
    ),
    Rule(
        id="ID-10",
        title="Making the arrays",
        summary="custom_ids_property and custom_property turn a mapping into the arrays of ID-2 and US-1, for "
        "senders. Reading the array back gives the same mapping.",
        policy="all of it",
    ),
)

_USER: Final = (
    Rule(
        id="US-1",
        title="Custom fields of the user",
        summary="properties.statsigCustom holds names at even positions and values at odd ones, like ID-2, for the "
        "user's custom fields. What Statsig cannot hold becomes JSON text with an issue.",
        sources=(_INTEGRATION.at("Custom Properties"),),
        policy="types and malformed cases",
    ),
    Rule(
        id="US-2",
        title="User fields from the context",
        summary="The context's ip, userAgent and locale are copied to the user, and nothing else is. "
        "A table in the configuration replaces these three.",
        sources=(_CONSOLE.at("event details"),),
        policy="copying nothing more",
    ),
    Rule(
        id="US-3",
        title="The event's environment",
        summary="The tier of properties.statsigEnvironment becomes the user's environment, with its spelling. "
        "A bare string is taken with an issue, and any other shape is ignored with one.",
        sources=(_INTEGRATION.at("Environments"),),
        policy="other shapes",
    ),
    Rule(
        id="US-4",
        title="The default environment",
        summary="An event without a tier takes the configured default. Without a default none is sent, and Statsig "
        "counts the event as production.",
        sources=(_INTEGRATION.at("Environments"),),
        policy="a configured default",
    ),
    Rule(
        id="US-5",
        title="The prefix",
        summary="An event's name is a prefix, segment:: unless configured, followed by the call's own name.",
        sources=(_INTEGRATION.at("Working with Segment Metrics"), _CONSOLE.at("log stream")),
    ),
    Rule(
        id="US-6",
        title="Names of page, screen and group calls",
        summary="Nobody documents how these calls are named today, so templates decide. The default follows Segment's "
        "classic wording, and a preset follows Segment's Statsig page of 2021. Numbers count as names; a name in "
        "properties counts only if you ask for it.",
        sources=(_DESTINATION.at("as of 2021, for the preset"), _FACADE.at("names of pages")),
        policy="the default, and names in properties",
    ),
    Rule(
        id="US-7",
        title="Properties become metadata",
        summary="Properties, or a group's traits, become metadata, without the control keys. Every value becomes text "
        "as JavaScript prints it, and nulls are left out. Objects become JSON text, or one entry for each leaf.",
        sources=(_CONSOLE.at("event details"),),
        policy="numbers, nesting and added keys",
    ),
    Rule(
        id="US-8",
        title="The event's value",
        summary="A string or finite number in the property value becomes the event's value. The configuration may "
        "name another property, several of which the first usable one counts, or none.",
        policy="all of it",
    ),
    Rule(
        id="US-9",
        title="Statsig's limits",
        summary="What Statsig would silently drop or cut leaves an issue, and is sent unchanged.",
        sources=(_LOGGING, _RAW_EVENTS),
        policy="choosing 128 over 64",
    ),
    Rule(
        id="US-10",
        title="Custom fields from other places",
        summary="custom_fields copies fields of the call, by path, to the user's custom fields. statsigCustom wins. "
        "By default nothing is copied.",
        policy="all of it",
    ),
    Rule(
        id="US-11",
        title="Metadata from other places",
        summary="metadata_fields copies fields of the call, by path, to the metadata, where it has no such key. "
        "By default the context stays where it is.",
        policy="all of it",
    ),
)

_FILTERS: Final = (
    Rule(
        id="FL-1",
        title="Choosing inbound events",
        summary="Events are included or excluded by their exact name without the prefix, and narrowed by call type. "
        "By default everything passes.",
        sources=(_FILTERING, _CONSOLE.at("event filtering")),
        policy="call types",
    ),
    Rule(
        id="FL-2",
        title="Choosing outbound events",
        summary="Exposures, config changes, named events and new events are switched as in the console's outgoing "
        "panel. Statsig's other internal events never leave.",
        sources=(_CONSOLE.at("outgoing event filtering"),),
        policy="internal events",
    ),
    Rule(
        id="FL-3",
        title="What filtering returns",
        summary="apply_filters returns the event itself, or None if it is filtered. You may apply it twice, and "
        "before or after ID mapping, with the same outcome.",
        policy="all of it",
    ),
    Rule(
        id="FL-4",
        title="The integrations object",
        summary="An entry Statsig decides whether a call may be sent. Without one, All decides, in any letter case. "
        "Only false turns Statsig off.",
        sources=(_COMMON.at("Integrations"), _FACADE.at("enabled")),
        policy="odd values",
    ),
    Rule(
        id="FL-5",
        title="The inbound loop guard",
        summary="A call whose library is named statsig came out of Statsig's own export. It is skipped, unless the "
        "configuration lets it pass.",
        policy="all of it",
    ),
    Rule(
        id="FL-6",
        title="Nothing disappears",
        summary="Every payload comes out of translate_many as exactly one outcome, in order. Those skipped or "
        "rejected carry their position and the payload itself.",
        policy="all of it",
    ),
    Rule(
        id="FL-7",
        title="The outbound loop guard",
        summary="An event whose name begins with segment:: or whose SDK type is segment came from Segment. export "
        "skips it, so that it is not counted and billed twice, unless the configuration lets it pass.",
        policy="all of it",
    ),
)

_AUDIENCES: Final = (
    Rule(
        id="AU-1",
        title="Identify calls are not events",
        summary="An identify call serves only to sync Engage audiences with ID lists. Any other one is skipped.",
        sources=(_INTEGRATION.at("Supported Segment Event Types"),),
    ),
    Rule(
        id="AU-2",
        title="What a membership is",
        summary="A call is a membership when its context names an audience or journey step and a key; the boolean "
        "under that key says whether the user is in. Anything unclear is an error, never a removal.",
        sources=(_INTEGRATION.at("Syncing Statsig Segment ID Lists with Segment Engage Audiences"), _ENGAGE),
        policy="unclear values",
    ),
    Rule(
        id="AU-3",
        title="Whose membership it is",
        summary="A membership carries the IDs that an event would carry, mappings applied. Without any it is an error.",
        policy="all of it",
    ),
    Rule(
        id="AU-4",
        title="Track and group calls of audiences",
        summary="translate makes memberships of identify calls only. audience_update also reads the track calls of "
        "audiences and the group calls of account audiences.",
        sources=(_INTEGRATION.at("Supported Segment Event Types"),),
        policy="track and group calls",
    ),
    Rule(
        id="AU-5",
        title="Folding memberships",
        summary="Memberships fold into one patch for each ID list, and the latest update for each ID wins. Updates "
        "without the wanted ID type come back separately.",
        sources=(_SEGMENTS_API.at("limits"),),
        policy="the order",
    ),
    Rule(
        id="AU-6",
        title="Ids that an ID list cannot have",
        summary="A key that cannot be the id of an ID list leaves an issue.",
        sources=(_SEGMENTS_API,),
    ),
)

_WIRE: Final = (
    Rule(
        id="WI-1",
        title="The log event",
        summary="to_log_event gives an event in Statsig's log_event form. A field without a value has no key; "
        "metadata is always there.",
        sources=(_LOG_EVENT,),
    ),
    Rule(
        id="WI-2",
        title="The log_event body",
        summary="to_log_event_request wraps events with the name and version of this library.",
        sources=(_LOG_EVENT,),
    ),
    Rule(
        id="WI-3",
        title="The event webhook body",
        summary="to_event_webhook gives one event in the form of Statsig's event webhook.",
        sources=(_WEBHOOK.at("Incoming"),),
    ),
)

_OUTBOUND: Final = (
    Rule(
        id="OU-1",
        title="Reading a Statsig event",
        summary="An exported event needs a name. A config change becomes a ConfigChange, and anything else an "
        "ExportedEvent. A time that is present and cannot be read leaves an issue.",
        sources=(_WEBHOOK.at("Event Format"), _LOG_EVENT),
        policy="malformed fields",
    ),
    Rule(
        id="OU-2",
        title="Splitting exports",
        summary="An array, a data envelope, the body of log_event or one event becomes single events. The "
        "registration handshake yields none, and its code can be read.",
        sources=(_WEBHOOK, _LOG_EVENT),
        policy="odd envelopes",
    ),
    Rule(
        id="OU-3",
        title="The documented track call",
        summary="The default profile is Statsig's published schema to the letter. An undefined field has no key, "
        "and an explicit null stays null.",
        sources=(_INTEGRATION.at("Outbound event schema"),),
        policy="which ID field comes first",
    ),
    Rule(
        id="OU-4",
        title="The deliverable track call",
        summary="The deliverable profile is what Segment's API accepts: an ISO time, an anonymousId, a message id for "
        "safe retries, a userId only where it is an ID, and an error instead of a call without an ID.",
        sources=(_STATSIG_SOURCE, _HTTP_API, _STATSIG_SDKS_RUN),
        policy="refusing a call without an ID",
    ),
    Rule(
        id="OU-5",
        title="Private attributes stay",
        summary="A user's privateAttributes never leave, in any profile.",
        policy="all of it",
    ),
    Rule(
        id="OU-6",
        title="Config changes as calls",
        summary="A config change becomes the documented call without a type. The deliverable profile adds the type, "
        "an ISO time, everything else that the source says, and a user ID of your choice where there is none.",
        sources=(_INTEGRATION.at("Outbound event schema"),),
        policy="the deliverable form",
    ),
    Rule(
        id="OU-7",
        title="Five shapes of config change",
        summary="All five public shapes are read. The author is the user's name, else the email, else the userID.",
        sources=(_INTEGRATION.at("Outbound event schema"), _WEBHOOK.at("config changes, now and earlier")),
        policy="the author",
    ),
    Rule(
        id="OU-8",
        title="Batches within Segment's limits",
        summary="Track calls are packed into bodies within Segment's limits. A call too large for any body comes back "
        "rejected. No body has a sentAt.",
        sources=(_HTTP_API.at("Batch"),),
        policy="leaving sentAt out",
    ),
    Rule(
        id="OU-9",
        title="Rows of the warehouse export",
        summary="A row of Statsig's warehouse export, with event_name and its other columns, is read like an exported "
        "event. Its objects may be JSON text, as Snowflake has them.",
        sources=(_WAREHOUSE,),
        policy="malformed columns",
    ),
)

_TRUST: Final = (
    Rule(
        id="TR-1",
        title="Statsig's signature",
        summary="The signature is v0= and a hexadecimal HMAC-SHA256 over version, time and raw body. A stale time is "
        "refused if you pass the current one.",
        sources=(_WEBHOOK.at("signatures"),),
        policy="staleness",
    ),
    Rule(
        id="TR-2",
        title="Segment's signature",
        summary="The signature is a hexadecimal HMAC-SHA1 over the raw body. For an array it covers the exact bytes "
        "of the first element, or the whole body.",
        sources=(_SEGMENT_WEBHOOKS,),
        policy="accepting the whole body of an array",
    ),
    Rule(
        id="TR-3",
        title="Messages hold no data",
        summary="Messages and the repr of errors and outcomes hold codes, paths and types, and never a value of a "
        "payload.",
        policy="all of it",
    ),
    Rule(
        id="TR-4",
        title="Hostile input",
        summary="Any input gives a result or one of our errors, in time linear in its size.",
        policy="all of it",
    ),
    Rule(
        id="TR-5",
        title="Bounded depth",
        summary="Anything nested over 100 levels deep in a payload reads as null, with an issue where it would "
        "have been sent. A path over 100 steps long is a ConfigError.",
        policy="all of it",
    ),
)

_CONFIGURATION: Final = (
    Rule(
        id="CF-1",
        title="One structure in TOML, JSON and Python",
        summary="load_config reads the same structure from TOML text, JSON text or a mapping. Empty text is the "
        "default configuration.",
        policy="all of it",
    ),
    Rule(
        id="CF-2",
        title="Every problem at once",
        summary="Unknown keys, wrong types and contradictions are one ConfigError that lists each problem with its "
        'path. Nothing is converted silently: "false" is not a boolean.',
        policy="all of it",
    ),
)

_PREVIEW: Final = (
    Rule(
        id="CO-1",
        title="What is counted",
        summary="preview counts calls read, translated, skipped and rejected, and their issues, for all calls and for "
        "each event name. The sums add up. At most 1,000 names are counted one by one; the rest count together.",
        policy="all of it",
    ),
    Rule(
        id="CO-2",
        title="The share of an ID type",
        summary="Preview.share gives the share of translated events that an experiment on this ID type can use.",
        policy="all of it",
    ),
    Rule(
        id="CO-3",
        title="What a mapping would gain",
        summary="For each likely mapping that the configuration lacks, Preview.gains says how many rejected calls it "
        "would save and how many events would gain an ID. Both are measured, not estimated.",
        policy="the table of likely mappings",
    ),
    Rule(
        id="CO-4",
        title="Merging counts",
        summary="a.merge(b) is the preview of both inputs together, so that processes and Spark can share the work.",
        policy="all of it",
    ),
    Rule(
        id="CO-5",
        title="A preview holds no data",
        summary="The only values of payloads in it are event names and ID types.",
        policy="all of it",
    ),
)

_COMPARISON: Final = (
    Rule(
        id="CM-1",
        title="Which call belongs to which event",
        summary="A call and an exported event are a pair when their times agree to the millisecond and an ID agrees. "
        "Ambiguous ones are counted but not compared.",
        policy="all of it",
    ),
    Rule(
        id="CM-2",
        title="What is compared",
        summary="For each aspect of an event, findings say how many pairs agree, how many differ and which rule is "
        "behind it, with up to five examples as positions and paths, never values.",
        policy="all of it",
    ),
    Rule(
        id="CM-3",
        title="The proposed configuration",
        summary="The proposal is the configuration that agrees with the most pairs. Where the examples cannot tell two "
        "settings apart, the default stays and the key is listed as undecided.",
        policy="all of it",
    ),
    Rule(
        id="CM-4",
        title="A hidden configuration is found",
        summary="For calls translated under any configuration made of these settings, the proposal translates the same "
        "calls to the same output.",
        policy="all of it",
    ),
    Rule(
        id="CM-5",
        title="From policy to observed",
        summary="Comparing your own calls with what Statsig holds of them turns a rule marked policy into one that you "
        "have observed.",
        policy="all of it",
    ),
)

_COMMAND_LINE: Final = (
    Rule(
        id="CL-1",
        title="Records without line breaks",
        summary="JSON values that follow one another without a line break, or after a record separator, are one record "
        "each. A broken one does not harm its neighbors.",
        policy="all of it",
    ),
    Rule(
        id="CL-2",
        title="A terminal gets lines, a pipe gets JSON",
        summary="At a terminal, inbound and outbound print one readable line for each call. Into a pipe or a file, or "
        "with --json, they write JSON.",
        policy="all of it",
    ),
    Rule(
        id="CL-3",
        title="Output fits the terminal",
        summary="What people read fits the width of their terminal. Progress goes to standard error, and never into "
        "the same terminal as the output.",
        policy="all of it",
    ),
    Rule(
        id="CL-4",
        title="preview and compare",
        summary="preview prints what files would become, and compare prints findings and the proposal. Both also write "
        "JSON; preview writes HTML, and compare a configuration.",
        policy="all of it",
    ),
    Rule(
        id="CL-5",
        title="explain takes many files",
        summary="explain takes many files and can be narrowed by position, number and outcome. Places are file and "
        "line, counted from 1.",
        policy="all of it",
    ),
    Rule(
        id="CL-6",
        title="Problems of a configuration",
        summary="A problem names its file, and its line where that is known. check-config also warns of settings that "
        "work but are probably not what you want.",
        policy="all of it",
    ),
    Rule(
        id="CL-7",
        title="Input of the wrong kind",
        summary="Input for the other direction, or compressed in a way that is not read, is pointed out once, with "
        "what to do.",
        policy="all of it",
    ),
)

FAMILIES: Final = (
    Family(slug="parsing", title="Parsing Segment calls", rules=_PARSING),
    Family(slug="identity", title="Identity", rules=_IDENTITY),
    Family(slug="user", title="User, environment, properties", rules=_USER),
    Family(slug="filters", title="Filters", rules=_FILTERS),
    Family(slug="audiences", title="Engage audiences", rules=_AUDIENCES),
    Family(slug="wire", title="To Statsig", rules=_WIRE),
    Family(slug="outbound", title="From Statsig to Segment", rules=_OUTBOUND),
    Family(slug="trust", title="Trust", rules=_TRUST),
    Family(slug="configuration", title="Configuration", rules=_CONFIGURATION),
    Family(slug="preview", title="Preview", rules=_PREVIEW),
    Family(slug="comparison", title="Comparison", rules=_COMPARISON),
    Family(slug="command_line", title="Command line", rules=_COMMAND_LINE),
)
"""The rules by family, in the order of the contract."""

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.id: rule for family in FAMILIES for rule in family.rules})
"""Every rule by its id, in the order of the contract."""
