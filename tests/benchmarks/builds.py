"""The builds that are measured side by side, in one process: the library that is imported, and a compiled one.

Both come from the same sources. The compiled one is imported from a folder of its own, and then stands aside again.
"""

import sys
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import attrs

import statsig_segment


@attrs.frozen(kw_only=True)
class Build:
    """A build: the public names of its library, and how its figures are told from those of others."""

    name: str
    library: Any
    config: Any
    """The configuration that every section measures with."""

    @property
    def label(self) -> str:
        """Give what follows the label of a figure."""
        return "" if self is BUILDS[0] else f", {self.name}"

    def key(self, key: str) -> str:
        """Give the key of a figure."""
        return key if self is BUILDS[0] else f"{key}_{self.name}"


def _build(package: ModuleType) -> Build:
    library = SimpleNamespace(**{name: getattr(package, name) for name in package.__all__})  # the lazy ones too
    rows = {"anonymousId": "segmentAnonymousId", "groupId": "companyID", "context.device.id": "deviceID"}
    inbound = library.InboundConfig(
        default_environment="production",
        id_types=["companyID", "stableID", "workspaceID", "deviceID", "segmentAnonymousId"],
        id_mappings=[library.IdMapping(field=field, id_type=id_type) for field, id_type in rows.items()],
        filters=library.InboundFilter(exclude=["Heartbeat"]),
    )
    config = library.IntegrationConfig(inbound=inbound)
    return Build(name="compiled" if library.COMPILED else "pure", library=library, config=config)


BUILDS = [_build(statsig_segment)]
"""All that are measured, the imported one first."""


def add_compiled(folder: str) -> None:
    """Import the compiled build in a folder, beside the one that is there."""
    kept = {name: module for name, module in sys.modules.items() if name.split(".")[0] == statsig_segment.__name__}
    for name in kept:
        del sys.modules[name]
    sys.path.insert(0, folder)
    try:
        build = _build(import_module(statsig_segment.__name__))
    finally:
        sys.path.remove(folder)
        sys.modules.update(kept)
    if build.name != "compiled":
        raise SystemExit(f"{folder} holds no compiled build")
    BUILDS.append(build)
