"""Configuration models: any object gives a model or a `ConfigError`, and sets show sorted."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, NoReturn

import attrs
import pytest

from statsig_segment import (
    ConfigError,
    EventNaming,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    Issue,
    OutboundConfig,
    OutboundFilter,
    load_config,
)
from statsig_segment.configuration.filters import FieldFilter

MODELS: tuple[Any, ...] = (
    IdMapping,
    FieldFilter,
    InboundFilter,
    OutboundFilter,
    EventNaming,
    InboundConfig,
    OutboundConfig,
    IntegrationConfig,
)


def refuse(*_: object) -> NoReturn:
    raise RuntimeError("this object refuses everything")


class Faceless:
    """Cannot even be asked for its class, as `isinstance` does."""

    __class__ = property(refuse)  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]


class Unhashable(str):
    __slots__ = ()
    __hash__ = refuse  # pyright: ignore[reportAssignmentType]


class Unequal:
    __eq__ = __bool__ = __iter__ = __len__ = refuse  # pyright: ignore[reportAssignmentType]
    __hash__ = object.__hash__


class Unreadable(list[Any]):
    __iter__ = refuse  # pyright: ignore[reportAssignmentType]


class Keyless(dict[Any, Any]):
    __iter__ = keys = items = refuse  # pyright: ignore[reportAssignmentType]


# By name: pytest would look at the objects themselves.
HOSTILE: dict[str, Any] = {
    "faceless": Faceless(),
    "unequal": Unequal(),
    "unreadable": Unreadable(["a"]),
    "keyless": Keyless(a=1),
    "unhashable": Unhashable("a"),
    "list of faceless": [Faceless()],
    "list of unequal": [Unequal()],
    "list of unhashable": [Unhashable("a")],
    "value is faceless": {"a": Faceless()},
    "key is faceless": {Faceless(): "a"},
}


class TestHostileObjects:
    """No constructor lets an exception out that is not a `ConfigError`."""

    @pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.__name__))
    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_constructor_makes_a_model_or_raises_a_config_error(self, model: Any, name: str) -> None:
        needed = {
            key.name: ["a"] if key.name == "matches" else "a"
            for key in attrs.fields(model)
            if key.init and key.default is attrs.NOTHING
        }
        for key in attrs.fields(model):
            if key.init:
                try:
                    made = model(**{**needed, key.name: HOSTILE[name]})
                except ConfigError as error:
                    assert error.path == key.name  # noqa: PT017 - most of them raise, but not all have to
                else:
                    assert type(made) is model

    @pytest.mark.parametrize("name", HOSTILE)
    def test_so_does_the_reader_of_files(self, name: str) -> None:
        for key in attrs.fields(InboundConfig):
            if key.init:
                try:
                    load_config({"inbound": {key.name: HOSTILE[name]}})
                except ConfigError as error:
                    assert all(issue.path.startswith("$.inbound") for issue in error.issues)  # noqa: PT017 - as above

    def test_it_does_not_take_a_strange_object_for_a_missing_key(self) -> None:
        with pytest.raises(ConfigError) as caught:
            load_config({"inbound": Faceless()})

        assert caught.value.code == "wrong_type"


@pytest.mark.parametrize(
    ("model", "key", "value", "expected"),
    [
        (InboundConfig, "honor_integrations", 1, "true or false"),
        (InboundConfig, "default_environment", 5, "a string"),
        (InboundConfig, "value_property", ["a", 1], "a string or a list"),
        (InboundConfig, "user_fields", {1: "context.ip"}, "a table"),
        (InboundConfig, "id_mappings", ["userId"], "a list"),
        (InboundFilter, "types", "track", "a list of strings"),
        (OutboundConfig, "anonymous_id", None, "a string or a list"),
        (IntegrationConfig, "inbound", {}, "an InboundConfig"),
    ],
)
def test_the_type_of_an_attribute_is_what_it_may_hold(model: Any, key: str, value: Any, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        model(**{key: value})

    assert caught.value.issues == (Issue(code="wrong_type", path=key, message=f"expected {expected}"),)


class TestHowTheyShow:
    """Equal models show alike, whatever order a set has in memory."""

    CONFIG = (
        "load_config({'inbound': {'id_types': list('dabc'), 'integration_names': ['Webhooks', 'Statsig'],"
        " 'consent_categories': ['C0003', 'C0002'], 'filters': {'include': list('zyx'), 'exclude': list('qrs'),"
        " 'types': ['track', 'page', 'group']}}})"
    )

    def test_a_set_shows_sorted(self) -> None:
        shown = repr(InboundFilter(include=["b", "a"], exclude=[], types=None))

        assert shown.startswith("InboundFilter(include=frozenset({'a', 'b'}), exclude=frozenset(), types=None")

    def test_they_show_the_same_under_every_hash_seed(self) -> None:
        script = f"import copy, pickle; from statsig_segment import load_config; made = {self.CONFIG}; print(made)\n"
        script += "print(copy.deepcopy(made)); print(pickle.loads(pickle.dumps(made)))"
        lines = {
            line
            for seed in ("0", "1", "2", "3", "2026")
            for line in subprocess.run(  # noqa: S603 - our own interpreter
                [sys.executable, "-c", script],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
                text=True,
            ).stdout.splitlines()
        }

        assert len(lines) == 1
