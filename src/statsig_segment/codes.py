"""The one table of codes: who carries each, the rule behind it, and what it means; imports nothing of ours."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import attrs


@attrs.frozen(kw_only=True)
class Code:
    """What a code means: who gives it, the rule it comes from, and the message that goes with it."""

    kinds: tuple[str, ...]
    """Names of the error classes that carry it, `issue`, or `skipped`."""
    rule: str
    meaning: str


def _codes(rows: Iterable[tuple[str, str, str, str]]) -> Mapping[str, Code]:
    return MappingProxyType(
        {code: Code(kinds=tuple(kinds.split()), rule=rule, meaning=meaning) for code, kinds, rule, meaning in rows}
    )


CODES: Final = _codes(
    (
        # Input that cannot be read.
        ("invalid_json", "SegmentEventError StatsigEventError ConfigError", "IN-1", "no readable JSON"),
        (
            "number_too_long",
            "SegmentEventError StatsigEventError TranslationError",
            "IN-1",
            "a number has too many digits",
        ),
        ("not_an_object", "SegmentEventError StatsigEventError", "IN-1", "a JSON object was expected"),
        ("missing_type", "SegmentEventError", "IN-2", "the call has no type"),
        ("unsupported_type", "SegmentEventError", "IN-2", "the type is not track, page, screen, group or identify"),
        ("missing_event", "SegmentEventError StatsigEventError", "IN-3", "the event has no name"),
        ("batch_not_array", "SegmentEventError", "IN-8", "batch is not an array"),
        # Input that can be read but not translated.
        ("no_identifier", "TranslationError", "ID-6", "neither a user ID nor a custom ID"),
        ("audience_membership", "TranslationError", "AU-2", "the membership of an audience is no boolean"),
        ("identify_without_event", "TranslationError", "AU-1", "an identify call makes no event"),
        ("event_too_large", "TranslationError", "OU-8", "the event is over 32 KB as JSON"),
        # Reasons for which a call or event is passed over.
        ("duplicate_message", "skipped", "IN-9", "a message with this messageId was seen before"),
        ("statsig_origin", "skipped", "FL-5", "the call was made by Statsig's own export"),
        ("integration_disabled", "skipped", "FL-4", "the integrations object disables Statsig"),
        ("filtered", "skipped", "FL-1", "the configured filter leaves it out"),
        ("identify_without_audience", "skipped", "AU-1", "an identify call that is no audience membership"),
        # Issues: reading.
        ("id_invalid", "issue", "IN-4", "not usable as an ID: a non-empty string or a whole number was expected"),
        ("time_unreadable", "issue", "IN-5", "not readable as a time"),
        ("object_expected", "issue", "IN-7", "not an object: read as empty"),
        ("name_invalid", "issue", "US-6", "not a string: read as missing"),
        ("non_finite_number", "issue", "US-7", "NaN and infinities cannot be sent"),
        # Issues: even/odd arrays.
        ("custom_id_name", "issue", "ID-2", "the name of an ID type is a non-empty string: the pair is dropped"),
        ("custom_id_value", "issue", "ID-2", "not usable as an ID: the pair is dropped"),
        ("custom_id_unpaired", "issue", "ID-2", "the last name has no value"),
        ("custom_id_repeated", "issue", "ID-2", "the ID type was named before: this value wins"),
        ("custom_ids_not_array", "issue", "ID-2", "statsigCustomIDs is not an array: nothing is read"),
        ("custom_name", "issue", "US-1", "the name of a custom property is a non-empty string: the pair is dropped"),
        ("custom_value", "issue", "US-1", "null cannot be sent: the pair is dropped"),
        ("custom_value_json", "issue", "US-1", "not a string, bool, number or list of strings: sent as JSON text"),
        ("custom_unpaired", "issue", "US-1", "the last name has no value"),
        ("custom_repeated", "issue", "US-1", "the custom property was named before: this value wins"),
        ("custom_not_array", "issue", "US-1", "statsigCustom is not an array: nothing is read"),
        # Issues: user.
        ("environment_string", "issue", "US-3", "a bare string is taken as the tier"),
        ("environment_invalid", "issue", "US-3", "an object with a tier was expected: ignored"),
        ("user_field_invalid", "issue", "US-2", "not usable as a field of the user: left out"),
        ("unknown_id_type", "issue", "ID-7", "the ID type is not among the declared ones"),
        # Issues: limits of Statsig's.
        ("name_too_long", "issue", "US-9", "the event name is over 128 characters"),
        ("name_forbidden_character", "issue", "US-9", "the event name holds a character that Statsig forbids"),
        ("id_too_long", "issue", "US-9", "the ID is over 128 characters"),
        ("value_too_long", "issue", "US-9", "the value is over 128 characters"),
        ("metadata_too_large", "issue", "US-9", "the metadata is over 4096 characters of JSON"),
        ("metadata_key_dot", "issue", "US-9", "a metadata key holds a dot"),
        # Issues: audiences.
        ("audience_membership_string", "issue", "AU-2", "the membership is a string: read as a boolean"),
        ("id_list_invalid", "issue", "AU-6", "no ID list can have this id"),
        # Signatures.
        ("signature_argument", "SignatureError", "TR-1", "an argument is not of the kind that a signature is made of"),
        ("signature_mismatch", "SignatureError", "TR-1", "the signature does not match the body"),
        ("signature_stale", "SignatureError", "TR-1", "the timestamp is too far from now"),
        # Configuration.
        ("invalid_toml", "ConfigError", "section 11", "no readable TOML"),
        ("not_a_table", "ConfigError", "section 11", "a table was expected"),
        ("unknown_key", "ConfigError", "section 11", "no such key"),
        ("missing_key", "ConfigError", "section 11", "a key is missing"),
        ("wrong_type", "ConfigError", "section 11", "the value is of the wrong type"),
        ("wrong_value", "ConfigError", "section 11", "the value is none of the allowed ones"),
        ("unknown_placeholder", "ConfigError", "US-6", "the template names an unknown placeholder"),
        ("contradiction", "ConfigError", "section 11", "this contradicts another rule or entry"),
    )
)
"""Every code of the library."""
