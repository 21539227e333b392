"""Log the events that stand in JSON on the standard input with Statsig's server SDK in Python."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
import sys

from statsig import StatsigEvent, StatsigOptions, StatsigUser
from statsig.statsig_server import StatsigServer

job = json.load(sys.stdin)
api: str = job["host"] + "/v1/"
options = StatsigOptions(
    api=api,
    api_for_download_config_specs=api,
    api_for_get_id_lists=api,
    api_for_log_event=api,
    disable_diagnostics=True,
)
server = StatsigServer()
server.initialize(job["key"], options)
for one in job["events"]:
    user = StatsigUser(**one["user"], _statsig_environment=one["environment"])
    server.log_event(StatsigEvent(user, one["name"], one["value"], one["metadata"], _time=one["time"]))
server.flush()
server.shutdown()
