"""What a user sets: the models, their checks, and the files they are read from; translates nothing.

Here are the words that a setting may be; the models are in the modules below.
"""

from typing import Final

DOCUMENTED: Final = "documented"
DELIVERABLE: Final = "deliverable"
PROFILES: Final = (DOCUMENTED, DELIVERABLE)
"""The form of calls for Segment: Statsig's published schema (OU-3), or what Segment's API accepts (OU-4)."""

TIME_UUID: Final = "time_uuid"
CONTENT: Final = "content"
"""What the message ID of an event without a `timeUUID` is made of: nothing, or its content (OU-4)."""

JSON: Final = "json"
FLATTEN: Final = "flatten"
"""What becomes of a property that is an object: JSON text, or an entry for each of its leaves (US-7)."""
