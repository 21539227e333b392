"""Make the calls that stand in JSON on the standard input with Segment's own client, and wait until they are sent."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
import math
import sys
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from segment.analytics.client import Client  # pyright: ignore[reportMissingTypeStubs]
from segment.analytics.version import VERSION  # pyright: ignore[reportMissingTypeStubs]

KINDS = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "decimal": Decimal,
    "nan": lambda _: math.nan,
}


def python_value(tree: dict[str, Any]) -> Any:
    """Make values that JSON does not have: `{"python": "decimal", "text": "4.5"}`."""
    return KINDS[tree["python"]](tree["text"]) if "python" in tree else tree


job = json.load(sys.stdin, object_hook=python_value)
failed: list[str | None] = []


def on_error(_: Exception, batch: list[dict[str, Any]]) -> None:
    """Remember what the client gave up."""
    failed.extend(message.get("messageId") for message in batch)


client: Any = Client(
    job["write_key"],
    host=job["host"],
    gzip=job["gzip"],
    upload_size=job["upload_size"],
    upload_interval=0.1,
    on_error=on_error,
)
for call in job["calls"]:
    getattr(client, call["method"])(**call["fields"])
client.shutdown()
print(json.dumps({"failed": failed, "version": VERSION}))
