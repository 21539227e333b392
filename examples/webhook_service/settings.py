"""Settings from environment variables: read, and refused where they cannot work."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from statsig_segment import IntegrationConfig, load_config

DEFAULT_DATABASE: Final = "webhook_service.sqlite3"
_ADDRESS: Final = re.compile(r"[^\s?#]+").fullmatch


class SettingsError(ValueError):
    """A variable is missing or cannot work; the message names the variable and never its value."""


class _UnusableError(ValueError):
    """What is wrong with a value, in words that do not hold it."""


def _secret(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _UnusableError("is not valid UTF-8") from None
    return text


def _header(text: str) -> str:
    if not (text.isascii() and text.isprintable() and text == text.strip()):
        raise _UnusableError("cannot be sent in a header: use printable ASCII, without spaces around it")
    return text


def _basic_user(text: str) -> str:
    if ":" in _header(text):
        raise _UnusableError("cannot be the user of Basic authentication: it contains a colon")
    return text


def _address(text: str) -> str:
    try:
        url = urlsplit(text)
        _ = url.port  # which has to be a number
    except ValueError:
        raise _UnusableError("is not a URL") from None
    if url.scheme not in {"http", "https"} or not url.hostname or "@" in url.netloc or not _ADDRESS(text):
        raise _UnusableError("is not of the form https://host/path")
    return text.rstrip("/")


def _file(text: str) -> Path:
    path = Path(text)
    if not path.parent.is_dir() or path.is_dir():
        raise _UnusableError("is not the path of a file in a folder that exists")
    return path


def _integration(path: str) -> IntegrationConfig:
    return load_config(Path(path).read_text(encoding="utf-8"))


def _port(text: str) -> int:
    if not 0 <= int(text) <= 65_535:  # noqa: PLR2004 - of TCP
        raise _UnusableError("is not between 0 and 65535")
    return int(text)


def _status_port(text: str) -> int | None:
    return None if text == "off" else _port(text)


def _count(text: str) -> int:
    if int(text) < 1:
        raise _UnusableError("is less than 1")
    return int(text)


def _positive(text: str) -> float:
    if not (float(text) > 0 and math.isfinite(float(text))):
        raise _UnusableError("is not a positive number")
    return float(text)


def _not_negative(text: str) -> float:
    return 0.0 if float(text) == 0 else _positive(text)


@attrs.frozen(kw_only=True)
class Settings:
    """All settings. A field is the variable of the same name in capitals; those without a default are required."""

    segment_webhook_secret: str = attrs.field(repr=False)
    """Signs what Segment's webhook destination sends to `/segment`."""
    segment_source_write_key: str = attrs.field(repr=False)
    """The write key that Segment's own libraries give to `/v1/batch`."""
    statsig_webhook_secret: str = attrs.field(repr=False)
    """Signs what Statsig sends to `/statsig`."""
    statsig_server_key: str = attrs.field(repr=False)
    """Goes to Statsig in the header `statsig-api-key`."""
    segment_write_key: str = attrs.field(repr=False)
    """Goes to Segment as the user of Basic authentication."""
    database: Path = Path(DEFAULT_DATABASE)
    integration: IntegrationConfig = attrs.field(factory=IntegrationConfig)
    """Given as the path of a TOML or JSON file, as `load_config` reads it. Its outbound profile is `deliverable`."""
    statsig_api: str = "https://events.statsigapi.net/v1"
    segment_api: str = "https://api.segment.io/v1"
    host: str = "127.0.0.1"
    port: int = 8000
    """0 lets the operating system choose; the log says which it is."""
    status_host: str = "127.0.0.1"
    status_port: int | None = 8001
    """Serves `/healthz` and `/counters`, apart from the requests of senders. `off` closes it."""
    max_body_bytes: int = 2_000_000
    """After decompression; a larger body is answered 413. Segment's own limit is 500 KB."""
    max_body_values: int = 50_000
    """Objects, arrays and their elements in a body, about; one with more is answered 413."""
    max_body_events: int = 5_000
    """Segment's own limit is 2,500."""
    max_messages_bytes: int = 4_000_000
    """Of all messages of a body together, each with its share of the envelope."""
    max_held_bytes: int = 64_000_000
    """Of all bodies under way; what comes on top is answered 503, and comes again."""
    max_connections: int = 500
    head_timeout_s: int = 10
    """How long a connection may go without a complete request head."""
    body_timeout_s: float = 30.0
    batch_events: int = 500
    """Messages that are taken from the database, and events that are sent, at a time."""
    batch_bytes: int = 4_000_000
    """Bytes that are taken from the database at a time; a single message may have more."""
    first_backoff_s: float = 0.5
    max_backoff_s: float = 300.0
    request_timeout_s: float = 20.0
    """For a whole request to a collector."""
    tolerance_ms: int = 300_000
    """How far the timestamp of a Statsig webhook may be from now."""
    keep_days: float = 30.0
    """How long the keys of sent messages are remembered; what comes again later is sent again."""
    replay_hours: float = 24.0
    """How long signatures are remembered; 0 remembers none."""

    @property
    def keep_ms(self) -> int:
        """Give `keep_days` in milliseconds."""
        return int(self.keep_days * 86_400_000)

    @property
    def replay_ms(self) -> int:
        """Give `replay_hours` in milliseconds."""
        return int(self.replay_hours * 3_600_000)


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; `SettingsError` lists every variable that is wrong."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for field in attrs.fields(Settings):
        name = field.name.upper()
        text = environment.get(name, "")
        if text:
            try:
                values[field.name] = _READERS.get(field.name, str)(text)
            except _UnusableError as error:
                wrong.append(f"{name} {error}")
            except (ValueError, OverflowError, OSError) as error:
                wrong.append(f"{name} cannot be read: {type(error).__name__}")
        elif field.default is attrs.NOTHING:
            wrong.append(f"{name} is not set")
    if wrong:
        raise SettingsError("; ".join(wrong))
    return _with_deliverable_profile(Settings(**values))


def _with_deliverable_profile(settings: Settings) -> Settings:
    outbound = attrs.evolve(settings.integration.outbound, profile="deliverable")  # the other one is not for sending
    return attrs.evolve(settings, integration=attrs.evolve(settings.integration, outbound=outbound))


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "segment_webhook_secret": _secret,
    "segment_source_write_key": _secret,
    "statsig_webhook_secret": _secret,
    "statsig_server_key": _header,
    "segment_write_key": _basic_user,
    "database": _file,
    "integration": _integration,
    "statsig_api": _address,
    "segment_api": _address,
    "port": _port,
    "status_port": _status_port,
    "max_body_bytes": _count,
    "max_body_values": _count,
    "max_body_events": _count,
    "max_messages_bytes": _count,
    "max_held_bytes": _count,
    "max_connections": _count,
    "head_timeout_s": _count,
    "body_timeout_s": _positive,
    "batch_events": _count,
    "batch_bytes": _count,
    "first_backoff_s": _positive,
    "max_backoff_s": _positive,
    "request_timeout_s": _positive,
    "tolerance_ms": _count,
    "keep_days": _positive,
    "replay_hours": _not_negative,
}
