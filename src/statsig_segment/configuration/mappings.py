"""ID mappings: which field of a call becomes which custom ID; it reads no call."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

import attrs

from statsig_segment._json.paths import FieldPath
from statsig_segment.configuration.validators import FILLED_TEXT, PATH, by_type, checked, derived, read_path
from statsig_segment.segment.calls import spelled_id_type


def _cut(mapping: Any) -> tuple[str, FieldPath]:
    return spelled_id_type(mapping.id_type), read_path(mapping)


@attrs.frozen(kw_only=True, slots=False, field_transformer=by_type)
class IdMapping:
    """One row of the console's "Map Identifier": copy `field` of a call to the custom ID `id_type` (ID-4).

    Raises:
        ConfigError: Code `wrong_type` or `wrong_value`.

    Rules: ID-4, ID-9.
    Source: Statsig's page on Segment, "Mapping anonymous users"; dotted paths are our policy.

    """

    field: str = attrs.field(validator=PATH)
    """A top-level field (`anonymousId`), or a dotted path into objects (`context.device.id`) and into arrays
    (`context.externalIds[type=phone].id`). A path only counts where no top-level field has that exact name. It is
    case-sensitive."""
    id_type: str = attrs.field(validator=FILLED_TEXT)
    """The ID type, case-sensitive; `userID`, in any letter case, fills the user ID itself."""
    _checked: None = checked()
    _cut: tuple[str, FieldPath] = derived(_cut)


cut_row: Final[Callable[[IdMapping], tuple[str, FieldPath]]] = attrgetter("_cut")
"""Returns the ID type of a row, in the one spelling of the user ID (ID-9), and where its value is in a call."""
