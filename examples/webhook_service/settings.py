"""Settings from environment variables; reads nothing else, and opens no file but the integration's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from statsig_segment import IntegrationConfig, load_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class SettingsError(ValueError):
    """A variable is missing or cannot be read; the message names the variable and never its value."""


@attrs.frozen(kw_only=True)
class Settings:
    """All that can be set. A field is the variable of the same name in capitals; those without a default are needed."""

    segment_webhook_secret: str = attrs.field(repr=False)
    """Signs what Segment's webhook destination sends to `/segment`."""
    segment_source_write_key: str = attrs.field(repr=False)
    """What Segment's own libraries give to `/v1/batch`."""
    statsig_webhook_secret: str = attrs.field(repr=False)
    """Signs what Statsig sends to `/statsig`."""
    statsig_server_key: str = attrs.field(repr=False)
    """Goes to Statsig in the header `statsig-api-key`."""
    segment_write_key: str = attrs.field(repr=False)
    """Goes to Segment as the user of Basic authentication."""
    database: Path = Path("webhook_service.sqlite3")
    integration: IntegrationConfig = attrs.field(factory=IntegrationConfig)
    """Given as the path of a TOML or JSON file, as `load_config` reads it. Its outbound profile is `deliverable`."""
    statsig_api: str = "https://events.statsigapi.net/v1"
    segment_api: str = "https://api.segment.io/v1"
    host: str = "127.0.0.1"
    port: int = 8000
    """0 lets the operating system choose; the log says which it is."""
    max_body_bytes: int = 8_000_000
    """After decompression; a larger body is answered 413."""
    batch_events: int = 500
    """Messages that are taken from the database, and events that are sent, at a time."""
    max_attempts: int = 24
    """After so many failed deliveries a message becomes a dead letter."""
    first_backoff_s: float = 0.5
    max_backoff_s: float = 300.0
    request_timeout_s: float = 20.0
    tolerance_ms: int = 300_000
    """How far the timestamp of a Statsig webhook may be from now."""
    keep_days: int = 30
    """How long the keys of sent messages are remembered; what comes again later is sent again."""


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; `SettingsError` lists every variable that is wrong."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for field in attrs.fields(Settings):
        text = environment.get(field.name.upper(), "")
        if text:
            try:
                values[field.name] = _READERS.get(field.name, str)(text)
            except (ValueError, OSError) as error:
                wrong.append(f"{field.name.upper()} cannot be read: {type(error).__name__}")
        elif field.default is attrs.NOTHING:
            wrong.append(f"{field.name.upper()} is not set")
    if wrong:
        raise SettingsError("; ".join(wrong))
    settings = Settings(**values)
    outbound = attrs.evolve(settings.integration.outbound, profile="deliverable")  # the other one is not for sending
    return attrs.evolve(settings, integration=attrs.evolve(settings.integration, outbound=outbound))


def _integration(path: str) -> IntegrationConfig:
    return load_config(Path(path).read_text(encoding="utf-8"))


_READERS: Mapping[str, Callable[[str], Any]] = {
    "database": Path,
    "integration": _integration,
    "port": int,
    "max_body_bytes": int,
    "batch_events": int,
    "max_attempts": int,
    "first_backoff_s": float,
    "max_backoff_s": float,
    "request_timeout_s": float,
    "tolerance_ms": int,
    "keep_days": int,
}
