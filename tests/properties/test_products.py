"""No product of two dimensions of an input: work grows with one plus the other, never with both at once (TR-4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.counting import count

from statsig_segment import SegmentEventError, StatsigEventError, split_segment_batch, split_statsig_export

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.values import JsonObject

SMALL = 40


def envelope(shared: int, items: int) -> JsonObject:
    """Items without a context, in an envelope whose context has many small parts."""
    return {"context": {f"k{index}": [] for index in range(shared)}, "batch": [{} for _ in range(items)]}


def merged_envelope(shared: int, items: int) -> JsonObject:
    """Items with a context of their own, which is merged with that of the envelope."""
    batch = [{"context": {"app": {"name": "a"}}} for _ in range(items)]
    return {"context": {"app": {f"k{index}": [] for index in range(shared)}}, "batch": batch}


def log_event_body(shared: int, items: int) -> JsonObject:
    """Events without a user, in a body whose user has many small parts."""
    user: JsonObject = {"custom": {f"k{index}": [] for index in range(shared)}}
    return {"user": user, "events": [{"eventName": "e"} for _ in range(items)]}


BODIES = [
    (split_segment_batch, envelope),
    (split_segment_batch, merged_envelope),
    (split_statsig_export, log_event_body),
]


LARGE: JsonObject = {"text": "x" * 350_000}
DEEP: JsonObject = {"array": json.loads("[" * 101 + "]" * 101)}
ITEMS: list[JsonObject] = [{} for _ in range(500)]
TOO_LARGE: list[tuple[Any, JsonObject, type[Exception]]] = [
    (split_segment_batch, {"context": LARGE, "batch": ITEMS}, SegmentEventError),
    (split_statsig_export, {"user": LARGE, "events": ITEMS}, StatsigEventError),
    (split_statsig_export, {"statsigMetadata": LARGE, "events": ITEMS}, StatsigEventError),
    (split_statsig_export, {"user": DEEP, "events": ITEMS}, StatsigEventError),
]


class TestTR4WhatAnEnvelopeShares:
    """
    Hostile input gives a result or a `StatsigSegmentError`, in time linear in its size.

    So what the items of an envelope share is read once and not once an item, and what is copied into each is small.
    """

    @pytest.mark.parametrize(("split", "make"), BODIES)
    @pytest.mark.parametrize("as_text", [False, True])
    def test_the_work_is_no_product_of_parts_and_items(
        self, split: Callable[[Any], Any], make: Callable[[int, int], JsonObject], as_text: bool
    ) -> None:
        def work(shared: int, items: int) -> float:
            body = make(shared, items)
            given = json.dumps(body) if as_text else body
            return count(lambda: list(split(given))).bytecodes

        one = work(SMALL, SMALL)
        more_shared, more_items, both = work(4 * SMALL, SMALL), work(SMALL, 4 * SMALL), work(4 * SMALL, 4 * SMALL)

        # Were the work a product, the last would be sixteen times the first, and twelve of them above the sum.
        assert both - one <= 1.1 * ((more_shared - one) + (more_items - one))

    @pytest.mark.parametrize(("split", "body", "error"), TOO_LARGE)
    def test_what_is_too_large_for_a_copy_in_each_item_is_refused(
        self, split: Callable[[Any], Any], body: JsonObject, error: type[Exception]
    ) -> None:
        for form in (body, json.dumps(body)):
            with pytest.raises(error) as caught:
                split(form)
            assert getattr(caught.value, "code", None) == "envelope_too_large"

    def test_a_number_that_cannot_be_printed_is_refused(self) -> None:
        with pytest.raises(StatsigEventError) as caught:
            split_statsig_export({"user": {"n": 10**5_000}, "events": [{}]})
        assert caught.value.code == "number_too_long"

    def test_copies_keep_every_value(self) -> None:
        context = {"n": 1.0, "i": 10**30, "t": "\ud800é", "b": [True, None, {"e": -0.0}], "f": float("inf")}

        (item,) = split_segment_batch({"context": context, "batch": [{}]})

        assert repr(item) == repr({"context": context})

    def test_a_handshake_is_looked_for_without_reading_the_events(self) -> None:
        def work(items: int) -> float:
            body = json.dumps({"data": [{"eventName": "e", "metadata": {"a": [1]}} for _ in range(items)]})
            return count(lambda: split_statsig_export(body)).bytecodes

        work(1)  # since Python 3.12, opcodes of a function are traced only from its second time on
        assert work(100) == work(1)


class Liar:
    """An object that does not say what it is."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        raise RuntimeError


class TestTR4ObjectsThatLie:
    """Hostile input gives a result or a `StatsigSegmentError`, never another exception."""

    def test_a_body_of_no_known_kind_is_refused(self) -> None:
        liar: Any = Liar()
        with pytest.raises(SegmentEventError):
            split_segment_batch(liar)
        with pytest.raises(StatsigEventError):
            split_statsig_export(liar)

    @pytest.mark.parametrize("where", ["item", "context", "sentAt", "detail-type"])
    def test_one_inside_of_a_body_harms_nothing(self, where: str) -> None:
        liar: Any = Liar()
        bodies: dict[str, Any] = {
            "item": [liar],
            "context": {"batch": [{"context": liar}], "context": {"a": liar}},
            "sentAt": {"batch": [{}], "sentAt": liar},
            "detail-type": {"detail-type": liar, "detail": {}},
        }
        assert len(list(split_segment_batch(bodies[where]))) == 1

    def test_one_inside_of_an_export_harms_nothing(self) -> None:
        liar: Any = Liar()
        assert len(list(split_statsig_export({"events": [liar, {"user": liar}], "user": {"userID": liar}}))) == 2
        assert len(list(split_statsig_export({"data": {"event": liar, "verification_code": liar}}))) == 1
