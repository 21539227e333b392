"""The settings: environment variables, read once at start."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from statsig_segment import IntegrationConfig, load_config


@attrs.frozen(kw_only=True)
class Settings:
    """All settings. Each field is read from the variable of the same name in capitals."""

    segment_webhook_secret: str = attrs.field(repr=False)  # signs what Segment's webhook posts to `/segment`
    segment_source_write_key: str = attrs.field(repr=False)  # what Segment's own libraries show at `/v1/batch`
    statsig_webhook_secret: str = attrs.field(repr=False)  # signs what Statsig posts to `/statsig`
    statsig_server_key: str = attrs.field(repr=False)  # sent to Statsig in the header `statsig-api-key`
    segment_write_key: str = attrs.field(repr=False)  # sent to Segment as the user name of Basic authentication
    database: Path = Path("webhook_service.sqlite3")
    integration: IntegrationConfig = attrs.field(factory=IntegrationConfig)  # a TOML or JSON file for `load_config`
    statsig_api: str = "https://events.statsigapi.net/v1"
    segment_api: str = "https://api.segment.io/v1"
    host: str = "127.0.0.1"
    port: int = 8000  # 0 picks a free port; the log says which
    request_timeout_s: float = 20.0  # for a body to arrive, and for a request to Statsig or Segment
    batch_events: int = 500  # the most events in a request to Statsig or Segment
    first_backoff_s: float = 0.5  # the wait after a first error; each one in a row doubles it
    max_backoff_s: float = 120.0
    work_timeout_s: float = 10.0  # processor time for one body; a body that takes more becomes a dead letter
    work_memory_bytes: int = 300_000_000  # of the process; a body that takes it beyond becomes a dead letter
    keep_days: float = 30.0  # how long keys are remembered; a message that comes again later is sent again


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; end the program if any is wrong, and show no value of one."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for field in attrs.fields(Settings):
        name = field.name.upper()
        if text := environment.get(name):
            try:
                values[field.name] = _READERS[field.type](text)
            except (ValueError, OSError) as error:
                wrong.append(f"{name} cannot be used: {type(error).__name__}")
        elif field.default is attrs.NOTHING:
            wrong.append(f"{name} is not set")
    if wrong:
        raise SystemExit(f"webhook_service: {'; '.join(wrong)}")
    return Settings(**values)


def _integration(path: str) -> IntegrationConfig:
    config = load_config(Path(path).read_text(encoding="utf-8"))
    return attrs.evolve(config, outbound=attrs.evolve(config.outbound, profile="deliverable"))


_READERS: Final[Mapping[Any, Callable[[str], Any]]] = {
    str: str,
    int: int,
    float: float,
    Path: Path,
    IntegrationConfig: _integration,
}
