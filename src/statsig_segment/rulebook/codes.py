"""The one table of codes: who carries each, the rule behind it, what it means and what helps. Imports nothing of ours.

Error messages, the command line, the playground and the page of codes read these rows; none of them has texts of its
own. A code is stable. Its texts are for people and may change.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import attrs


@attrs.frozen(kw_only=True)
class Code:
    """What a code means, and what to do about it.

    >>> CODES["no_identifier"].kinds, CODES["no_identifier"].rule
    (('TranslationError',), 'ID-6')
    """

    kinds: tuple[str, ...]
    """Who carries it: names of error classes, ``skipped``, or ``issue``."""
    rule: str
    """Id of the rule behind it, as in `statsig_segment.rulebook.rules.RULES`."""
    meaning: str
    """What happened: the message, without a capital or a period."""
    advice: str
    """What would change it, in sentences."""
    outbound_advice: str | None = None
    """The same for events on their way from Statsig to Segment, where other advice helps."""
    limit: int | None = None
    """The most that is allowed, where the code is about a limit: characters (code points), or bytes for an event."""
    group: str
    """Heading under which the page of codes lists it."""


_Row = tuple[str, ...]

_LIMITS: Final = MappingProxyType(
    {
        "name_too_long": 128,
        "id_too_long": 128,
        "value_too_long": 128,
        "metadata_too_large": 4096,
        "event_too_large": 32_768,
        "envelope_too_large": 32_768,
    }
)


def _codes(groups: Iterable[tuple[str, Iterable[_Row]]]) -> Mapping[str, Code]:
    return MappingProxyType({row[0]: _code(group, row) for group, rows in groups for row in rows})


def _code(group: str, row: _Row) -> Code:
    code, kinds, rule, meaning, advice, *outbound_advice = row
    limit = _LIMITS.get(code)
    return Code(
        kinds=tuple(kinds.split()),
        rule=rule,
        meaning=meaning if limit is None else meaning.format(characters=limit, kilobytes=limit // 1024),
        advice=advice,
        outbound_advice=outbound_advice[0] if outbound_advice else None,
        limit=limit,
        group=group,
    )


# (code, kinds, rule, meaning, advice, advice for events on their way to Segment where that differs)
_READING: Final[tuple[_Row, ...]] = (
    (
        "invalid_json",
        "SegmentEventError StatsigEventError ConfigError",
        "IN-1",
        "not valid JSON",
        "Check the sender, and anything on the way that may have cut the text short. JSON in UTF-8 is expected.",
    ),
    (
        "number_too_long",
        "SegmentEventError StatsigEventError TranslationError",
        "IN-1",
        "a number has too many digits",
        "Send the number as a string.",
    ),
    (
        "not_an_object",
        "SegmentEventError StatsigEventError",
        "IN-1",
        "expected a JSON object",
        "Send each call as an object: alone, in an array, or in the batch of an envelope.",
        "Send each event as an object: alone, in an array, or in the data of an envelope.",
    ),
    (
        "missing_type",
        "SegmentEventError",
        "IN-2",
        "the call has no type",
        "Give the call its type: track, page, screen, group or identify. Segment's libraries do.",
    ),
    (
        "unsupported_type",
        "SegmentEventError",
        "IN-2",
        "the type is not track, page, screen, group or identify",
        "Nothing to do if you expect these calls. Statsig takes only track, page, screen, group and identify.",
    ),
    (
        "missing_event",
        "SegmentEventError StatsigEventError",
        "IN-3",
        "the event has no name",
        "Give the track call its name, in event.",
        "Give the event its name, in eventName.",
    ),
    ("batch_not_array", "SegmentEventError", "IN-8", "batch is not an array", "Make batch an array of calls."),
    (
        "envelope_too_large",
        "SegmentEventError",
        "IN-8",
        "what the items of the envelope share is over {kilobytes} KB as JSON",
        "Move large values from the envelope's context into the calls that need them.",
    ),
)
_TRANSLATION: Final[tuple[_Row, ...]] = (
    (
        "no_identifier",
        "TranslationError",
        "ID-6",
        "neither a user ID nor a custom ID",
        (
            "Send a userId or statsigCustomIDs, or add a row to [[inbound.id_mappings]] for a field that the call has, "
            "such as anonymousId."
        ),
        'Give the event a userID or a stableID, or choose the profile "documented".',
    ),
    (
        "audience_membership",
        "TranslationError",
        "AU-2",
        "the audience membership is neither true nor false",
        "Let Engage send true or false under the key of the audience.",
    ),
    (
        "identify_without_event",
        "TranslationError",
        "AU-1",
        "an identify call does not become an event",
        "Use translate or audience_update: an identify call can only be an audience membership.",
    ),
    (
        "event_too_large",
        "TranslationError",
        "OU-8",
        "the event is over {kilobytes} KB as JSON",
        "Shorten its metadata, or leave these events out under [outbound.filters].",
    ),
)
_SIGNATURES: Final[tuple[_Row, ...]] = (
    (
        "signature_argument",
        "SignatureError",
        "TR-1",
        "an argument cannot belong to a signature",
        "Pass the raw body as bytes, the headers as text, and a secret that is not empty.",
    ),
    (
        "signature_mismatch",
        "SignatureError",
        "TR-1",
        "the signature does not match the body",
        "Check the secret, and that nothing re-encoded the body. Otherwise refuse the request.",
    ),
    (
        "signature_stale",
        "SignatureError",
        "TR-1",
        "the timestamp is too far from now",
        "Check the clock. Otherwise refuse the request.",
    ),
)
_CONFIGURATION: Final[tuple[_Row, ...]] = (
    ("invalid_toml", "ConfigError", "CF-1", "not valid TOML", "Fix the syntax."),
    ("not_a_table", "ConfigError", "CF-1", "expected a table", "Write [section], or an inline table."),
    ("unknown_key", "ConfigError", "CF-2", "no such key", "Check the spelling."),
    ("missing_key", "ConfigError", "CF-2", "a key is missing", "Add the key."),
    (
        "wrong_type",
        "ConfigError",
        "CF-2",
        "the value has the wrong type",
        'Write the type that the key takes: false, not "false".',
    ),
    ("wrong_value", "ConfigError", "CF-2", "the value is not allowed here", "Choose an allowed value."),
    (
        "unknown_placeholder",
        "ConfigError",
        "US-6",
        "the template names an unknown placeholder",
        "Use {event} in track, {category} and {name} in page and screen, and {groupId} in group.",
    ),
    ("contradiction", "ConfigError", "CF-2", "this contradicts another rule or entry", "Keep one of the two."),
)
_SKIPPED: Final[tuple[_Row, ...]] = (
    (
        "duplicate_message",
        "skipped",
        "IN-9",
        "a call with this messageId came before",
        "Nothing to do: a repeated delivery counts once. Without --deduplicate or seen, each one counts.",
    ),
    (
        "statsig_origin",
        "skipped",
        "FL-5",
        "the call was made by Statsig's own export",
        "Set allow_statsig_origin = true under [inbound], if these events may count twice.",
    ),
    (
        "integration_disabled",
        "skipped",
        "FL-4",
        "the integrations object turns Statsig off",
        (
            'Take "Statsig": false or "All": false out of the integrations of the call, or set '
            "honor_integrations = false under [inbound]."
        ),
    ),
    (
        "filtered",
        "skipped",
        "FL-1",
        "the configured filter leaves it out",
        "Let its name and type pass: include, exclude and types under [inbound.filters].",
        (
            "Let it pass: exposures, config_changes, include_new_events and events under [outbound.filters]. "
            "Statsig's own internal events never leave."
        ),
    ),
    (
        "segment_origin",
        "skipped",
        "FL-7",
        "the event came from Segment",
        "Set allow_segment_origin = true under [outbound], if these events may count twice.",
    ),
    (
        "identify_without_audience",
        "skipped",
        "AU-1",
        "an identify call without an audience membership",
        (
            "Nothing to do, unless it should be a membership: then Engage has to send computation_class and "
            "computation_key in context.personas."
        ),
    ),
)
_READING_ISSUES: Final[tuple[_Row, ...]] = (
    (
        "id_invalid",
        "issue",
        "IN-4",
        "not usable as an ID: expected a non-empty string or a whole number",
        "Send a non-empty string or a whole number, or null.",
    ),
    (
        "id_placeholder",
        "issue",
        "ID-8",
        "a placeholder, not an ID of a person or thing",
        "Send no ID where there is none. To drop placeholders here, set drop_placeholder_ids = true under [inbound].",
    ),
    (
        "time_unreadable",
        "issue",
        "IN-5",
        "not readable as a time",
        "Send ISO 8601, such as 2026-11-03T08:00:00.000Z.",
    ),
    (
        "time_implausible",
        "issue",
        "IN-5",
        "more than 24 hours after receivedAt",
        "Check the clock of the sender, and whether it meant seconds or milliseconds.",
    ),
    ("object_expected", "issue", "IN-7", "not an object: read as empty", "Send an object, or leave the field out."),
    (
        "name_invalid",
        "issue",
        "US-6",
        "neither text nor a number: read as missing",
        "Send the name and the category as text.",
    ),
    (
        "name_in_properties",
        "issue",
        "US-6",
        "the name is in properties, where it is not read",
        "Send the name at the top level, or set from_properties = true under [inbound.naming].",
    ),
    (
        "non_finite_number",
        "issue",
        "US-7",
        "NaN and infinities cannot be sent",
        "Leave the property out if there is no number.",
    ),
    (
        "not_json",
        "issue",
        "IN-10",
        "not a JSON value: left out",
        "Convert it to text or a number before you pass it on.",
    ),
    ("too_deep", "issue", "TR-5", "nested over 100 levels deep: read as null", "Send flatter properties."),
)
_PAIR_ISSUES: Final[tuple[_Row, ...]] = (
    (
        "custom_id_name",
        "issue",
        "ID-2",
        "the name of an ID type has to be a non-empty string: the pair is dropped",
        "Put names at even positions, counted from 0, and values at odd ones.",
    ),
    (
        "custom_id_value",
        "issue",
        "ID-2",
        "not usable as an ID: the pair is dropped",
        "Leave the pair out if there is no ID.",
    ),
    ("custom_id_unpaired", "issue", "ID-2", "the last name has no value", "Add the value, or drop the name."),
    (
        "custom_id_repeated",
        "issue",
        "ID-2",
        "the ID type was named before: this value wins",
        "Name each ID type once.",
    ),
    (
        "custom_id_is_user_id",
        "issue",
        "ID-9",
        "userID is not a custom ID, and the call has another user ID: the pair is dropped",
        "Send the user ID in userId, and only other ID types in statsigCustomIDs.",
    ),
    (
        "custom_ids_not_array",
        "issue",
        "ID-2",
        "statsigCustomIDs is not an array: nothing is read",
        'Send ["name", "value", ...] instead of an object.',
    ),
    (
        "custom_name",
        "issue",
        "US-1",
        "the name of a custom field has to be a non-empty string: the pair is dropped",
        "Put names at even positions, counted from 0, and values at odd ones.",
    ),
    (
        "custom_value",
        "issue",
        "US-1",
        "null cannot be sent: the pair is dropped",
        "Leave the pair out if there is no value.",
    ),
    (
        "custom_value_json",
        "issue",
        "US-1",
        "not a string, boolean, number or list of strings: sent as JSON text",
        "Send a string, a boolean, a number or a list of strings.",
    ),
    ("custom_unpaired", "issue", "US-1", "the last name has no value", "Add the value, or drop the name."),
    (
        "custom_repeated",
        "issue",
        "US-1",
        "the custom field was named before: this value wins",
        "Name each custom field once.",
    ),
    (
        "custom_not_array",
        "issue",
        "US-1",
        "statsigCustom is not an array: nothing is read",
        'Send ["name", value, ...] instead of an object.',
    ),
)
_USER_ISSUES: Final[tuple[_Row, ...]] = (
    (
        "environment_string",
        "issue",
        "US-3",
        "text instead of an object: read as the tier",
        'Send {"tier": "staging"}.',
    ),
    (
        "environment_invalid",
        "issue",
        "US-3",
        "expected an object with a tier: ignored",
        'Send {"tier": "staging"}.',
    ),
    (
        "user_field_invalid",
        "issue",
        "US-2",
        "not usable as a field of the user: left out",
        "Send text or a whole number, or point user_fields at another field.",
    ),
    (
        "unknown_id_type",
        "issue",
        "ID-7",
        "the ID type is not one of the declared ones",
        "Fix the spelling, or declare the type in id_types.",
    ),
)
_LIMIT_ISSUES: Final[tuple[_Row, ...]] = (
    ("name_too_long", "issue", "US-9", "the event name is over {characters} characters", "Shorten the name."),
    (
        "name_forbidden_character",
        "issue",
        "US-9",
        "the event name has a character that Statsig forbids",
        "Take the character out.",
    ),
    ("id_too_long", "issue", "US-9", "the ID is over {characters} characters", "Use a shorter ID, in both systems."),
    (
        "value_too_long",
        "issue",
        "US-9",
        "the value is over {characters} characters",
        "Shorten the value, or leave it in the metadata only.",
    ),
    (
        "metadata_too_large",
        "issue",
        "US-9",
        "the metadata is over {characters} characters of JSON",
        "Send fewer properties.",
    ),
    (
        "metadata_key_dot",
        "issue",
        "US-9",
        "a metadata key has a dot",
        "Use another separator: Statsig reads the dot as a path.",
    ),
    (
        "metadata_key_taken",
        "issue",
        "US-7",
        "an earlier entry has this name: left out",
        "Rename one of the two properties.",
    ),
)
_AUDIENCE_ISSUES: Final[tuple[_Row, ...]] = (
    (
        "audience_membership_string",
        "issue",
        "AU-2",
        "the membership is text: read as a boolean",
        "Nothing is lost. To silence it, let the sender write true and false without quotes.",
    ),
    (
        "id_list_invalid",
        "issue",
        "AU-6",
        "an ID list cannot have this id",
        "Give the audience the id of the ID list as its key.",
    ),
)

CODES: Final = _codes(
    (
        ("Errors in reading", _READING),
        ("Errors in translation", _TRANSLATION),
        ("Signature errors", _SIGNATURES),
        ("Configuration errors", _CONFIGURATION),
        ("Reasons for skipping", _SKIPPED),
        ("Issues in reading", _READING_ISSUES),
        ("Issues in even and odd arrays", _PAIR_ISSUES),
        ("Issues with the user", _USER_ISSUES),
        ("Issues with Statsig's limits", _LIMIT_ISSUES),
        ("Issues with audiences", _AUDIENCE_ISSUES),
    )
)
"""Every code of the library, in the order of the page of codes; reasons in the order in which they apply."""


def limit(code: str) -> int:
    """Give the most that is allowed before an issue or error with this code, in code points or bytes."""
    most = CODES[code].limit
    if most is None:
        raise LookupError(code)
    return most
