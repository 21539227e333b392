"""Log the events that stand in JSON on the standard input with Statsig's server core SDK for Python."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
import sys

from statsig_python_core import Statsig, StatsigOptions, StatsigUser

job = json.load(sys.stdin)
api: str = job["host"] + "/v1/"
options = StatsigOptions(
    specs_url=api + "download_config_specs",
    log_event_url=api + "log_event",
    id_lists_url=api + "get_id_lists",
    enable_id_lists=False,
    disable_country_lookup=True,
    disable_disk_access=True,
)
sdk = Statsig(job["key"], options)
sdk.initialize().wait()
for one in job["events"]:
    user = StatsigUser(**one["user"], statsig_environment=one["environment"])
    sdk.log_event(user, one["name"], one["value"], one["metadata"])
sdk.flush_events().wait()
sdk.shutdown().wait()
