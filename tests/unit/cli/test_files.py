"""Reading input as it comes: lines, arrays and documents in pieces of any size, and the codec that decodes them."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import sys
import time
import tracemalloc
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.sizes import small_and_large
from tests.unit.cli.program import Run

from statsig_segment import IntegrationConfig, SegmentEventError
from statsig_segment.cli import blocks as blocks_module
from statsig_segment.cli.blocks import CALLS as CALLS_IN
from statsig_segment.cli.blocks import Block, Payloads, RecentIds, translate_block
from statsig_segment.cli.codec import FAST, STANDARD, best_codec
from statsig_segment.cli.files import FIRST_BYTES, read_blocks
from statsig_segment.cli.records import Window, documents
from statsig_segment.insight.preview import Counts, GrowingCounts
from statsig_segment.outcomes import Rejected
from statsig_segment.testing import json_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path


zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


class Pieces(io.BytesIO):
    """A stream that gives so many bytes at a time, as a slow pipe does."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self.size = size

    def read1(self, size: int | None = -1) -> bytes:
        return super().read1(min(self.size, size or self.size))


def payloads(data: bytes | str, size: int = 1 << 20) -> list[Any]:
    """What is read from these bytes, in pieces of this size: payloads, and the texts of broken ones."""
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(Pieces(data, size)))
        blocks = list(read_blocks("-", CALLS_IN))
    return [shown(payload) for block in blocks for payload in Payloads(block, CALLS_IN)]


def shown(payload: Any) -> Any:
    if not isinstance(payload, Rejected):
        return payload
    text = payload.payload
    return (payload.error.code, text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text)


CALLS = [{"type": "track", "event": f"e{at}", "properties": {"n": at, "list": [1, {"a": "é]"}]}} for at in range(5)]
SIZES = st.sampled_from((1, 2, 3, 7, 64, 1 << 20))


SCRAPS = (
    *"{}[],\n \\é1",
    '"',
    '"a":',
    '"b"',
    '{"c":1}',
    '{"d":\n',
    "\n  ",
    "]\n[",
    "NaN",
    "}{",
    "},{",
    "\x1e",
    "\ufeff",
)
"""What broken input is made of."""


class TestTheShapesOfInput:
    @pytest.mark.parametrize("size", [1, 2, 5, 17, 1000])
    @pytest.mark.parametrize(
        "text",
        [
            "".join(f"{json.dumps(call)}\n" for call in CALLS),
            "\r\n".join(map(json.dumps, CALLS)),
            "\n \n" + "\n\n\t\n".join(json.dumps(call, ensure_ascii=False) for call in CALLS),
            "\ufeff" + "\n".join(map(json.dumps, CALLS)),
            json.dumps(CALLS),
            json.dumps(CALLS, indent=2),
            json.dumps(CALLS, indent=2, ensure_ascii=False),
            "[\n" + ",\n".join(map(json.dumps, CALLS)) + "\n]\n",
            "[" + "\n,".join(map(json.dumps, CALLS)) + "]",
            "\ufeff" + json.dumps(CALLS, indent="\t"),
            "\n".join(json.dumps(call, indent=2) for call in CALLS),
            "\n".join(json.dumps(part, indent=4) for part in (CALLS[:2], CALLS[2], CALLS[3:])),
            "\n".join(json.dumps(part) for part in (CALLS[:2], CALLS[2], CALLS[3:])),
            json.dumps({"batch": CALLS}),
            json.dumps({"batch": CALLS, "writeKey": "k"}, indent=2),
            json.dumps(CALLS[:3], indent=2) + "\n" + "\n".join(map(json.dumps, CALLS[3:])),
        ],
    )
    def test_each_gives_the_same_calls(self, text: str, size: int) -> None:
        assert payloads(text, size) == CALLS

    @pytest.mark.parametrize("data", [b"", b"\n", b" \n\t\r\n", b"[]", b"[\n]", b'{"batch": [\n]}', b"\xef\xbb\xbf"])
    def test_what_holds_no_call_gives_none(self, data: bytes) -> None:
        assert payloads(data) == []

    def test_an_envelope_fills_in_its_items(self) -> None:
        text = json.dumps({"batch": [{"type": "page"}], "context": {"ip": "192.0.2.1"}}, indent=1)

        assert payloads(text) == [{"type": "page", "context": {"ip": "192.0.2.1"}}]

    def test_elements_of_an_array_are_not_taken_apart_again(self) -> None:
        for text in ('[[1], {"batch": [2]}]', '[\n[1],\n{"batch": [2]}\n]'):
            assert payloads(text) == [[1], {"batch": [2]}]

    @pytest.mark.parametrize("text", ["5", '"x"', "null", "true\n"])
    def test_a_line_that_is_no_object_is_rejected(self, text: str) -> None:
        assert payloads(text) == [("not_an_object", text.strip())]

    @pytest.mark.parametrize("text", ['{"batch": 1}', '{\n"batch": 1}'])
    def test_an_envelope_without_an_array_is_rejected_by_its_code(self, text: str) -> None:
        [(code, _)] = payloads(text)

        assert code == "batch_not_array"

    def test_one_long_line_is_read_element_by_element(self) -> None:
        text = json.dumps([{"at": at, "text": "x" * 900} for at in range(2_000)])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(Pieces(text.encode(), 1 << 16)))
            blocks: list[Any] = [block.data for block in read_blocks("-", CALLS_IN)]

        assert [len(block) for block in blocks] == [500] * 4
        assert [payload["at"] for block in blocks for _, payload in block] == list(range(2_000))

    @given(st.lists(st.dictionaries(st.text(max_size=3), json_values(max_leaves=4), max_size=3), max_size=6), SIZES)
    def test_how_it_is_printed_and_cut_makes_no_difference(self, objects: list[Any], size: int) -> None:
        objects = [value for value in objects if "batch" not in value]
        for text in (
            "\n".join(map(json.dumps, objects)),
            json.dumps(objects, ensure_ascii=False),
            json.dumps(objects, indent=1),
            "\n".join(f"{{\n{json.dumps(value, ensure_ascii=False)[1:]}" for value in objects),
        ):
            assert payloads(text, size) == objects

    def test_long_strings_may_be_cut_anywhere(self) -> None:
        text = f'[\n"{"x" * 100}",\n{{"y": "{"z" * 100}"}}]'

        assert all(payloads(text, size) == ["x" * 100, {"y": "z" * 100}] for size in range(1, len(text)))

    @pytest.mark.parametrize("size", [1, 3, 1000])
    def test_numbers_and_words_are_cut_nowhere(self, size: int) -> None:
        text = "[\n12345, -1.5e10, true,\nnull, NaN, -Infinity, 1\n, false]"

        assert repr(payloads(text, size)) == "[12345, -15000000000.0, True, None, nan, -inf, 1, False]"


SPOILED: list[tuple[str, list[Any]]] = [
    # Lines.
    ('{"a":1}\n{"b":\n{"c":1}', [{"a": 1}, '{"b":', {"c": 1}]),
    ('{"b":\n{"c":1}\n{"d":1}', ['{"b":', {"c": 1}, {"d": 1}]),
    ('{"b":1,\n{"c":1}', ['{"b":1,', {"c": 1}]),
    ('{"b":"x\n{"c":1}', ['{"b":"x', {"c": 1}]),
    ('{"b": tru\n{"c":1}', ['{"b": tru', {"c": 1}]),
    ('{"a":1} {"b":}\n{"c":1}', [{"a": 1}, '{"b":}', {"c": 1}]),
    ('oops\n[1\n{"c":1}\n', ["oops", "[1", {"c": 1}]),
    ('}\n{"c":1}', ["}", {"c": 1}]),
    ('{"b":', ['{"b":']),
    ('{"c":1}\n{"b":', [{"c": 1}, '{"b":']),
    # Values that follow one another on a line.
    ('{"a":1}{"b":}{"c":1}', [{"a": 1}, '{"b":}', {"c": 1}]),
    ('{"a":1}{"b":{"x":1}{"c":1}', [{"a": 1}, '{"b":{"x":1}', {"c": 1}]),
    ('{"a":1}{"b":"x}{"c":"y"}', [{"a": 1}, '{"b":"x}', {"c": "y"}]),
    ('{"a":1}{"b":[{"x":1},{"y":2}],}{"c":1}', [{"a": 1}, '{"b":[{"x":1},{"y":2}],}', {"c": 1}]),
    ('{"a":1}oops{"c":1}', [{"a": 1}, "oops", {"c": 1}]),
    ('{"a":1},{"b":1}', [{"a": 1}, ",", {"b": 1}]),
    ('{"a":1}"{" {"b":1}', [{"a": 1}, '"{"', {"b": 1}]),
    ('{"a":1}"{"b":1}', [{"a": 1}, '"{"b":1}']),
    ('[INFO] {"a":1}', ["[INFO]", {"a": 1}]),
    ('{"a":1}[{"b":}]{"c":1}', [{"a": 1}, '{"b":}', {"c": 1}]),
    ('\x1e{"a":1}\n\x1e{"b":\x1e{"c":1}\n', [{"a": 1}, '{"b":', {"c": 1}]),
    ('\x1e{"a":"x\x1e{"c":1}\n', ['{"a":"x', {"c": 1}]),
    # What was cut off before its bracket ends where the next one begins as the first did.
    ('{"a":1}{"a":2{"a":3}', [{"a": 1}, '{"a":2', {"a": 3}]),
    ('{"a":1}{"a":"x {"a":3}{"a":4}', [{"a": 1}, '{"a":"x', {"a": 3}, {"a": 4}]),
    ('{"a":1}{"a":{"b":[2 {"a":3}', [{"a": 1}, '{"a":{"b":[2', {"a": 3}]),
    ('{"a":1}{"a{"a":3}', [{"a": 1}, '{"a', {"a": 3}]),
    ('{"a":1}{{"a":3}', [{"a": 1}, "{", {"a": 3}]),
    ('{"a":1}{"b":2,"x":[{"a":3}, {"a":4},{"a":5}', [{"a": 1}, '{"b":2,"x":[{"a":3}, {"a":4},{"a":5}']),
    # Arrays.
    ('[{"a":1},{"b":},{"c":1}]\n{"d":1}', [{"a": 1}, '{"b":}', {"c": 1}, {"d": 1}]),
    ('[{"a":1},{"b":{"x":1},{"c":1}]', [{"a": 1}, '{"b":{"x":1}', {"c": 1}]),
    ('[{"a":1},{"b":"x},{"c":"y"},{"d":1}]', [{"a": 1}, '{"b":"x}', {"c": "y"}, {"d": 1}]),
    ('[{"a":1},{"b":"x},{"a":"}y"},{"a":2}]', [{"a": 1}, '{"b":"x}', {"a": "}y"}, {"a": 2}]),
    ('[{"a":1},tru,{"c":1}]', [{"a": 1}, "tru", {"c": 1}]),
    ('[{"a":1} {"b":[{"x":1}, y]}, {"c":1}]', [{"a": 1}, '{"b":[{"x":1}, y]}', {"c": 1}]),
    ('[{"a":1},{"b\n{"c":1}', [{"a": 1}, '{"b', {"c": 1}]),
    ('[{"a":1},{"b":\n{"c":1}\n{"d":1}', [{"a": 1}, '{"b":', {"c": 1}, {"d": 1}]),
    ('[\n{"a":1},\n{"b":},\n{"c":1}\n]\n{"d":1}', [{"a": 1}, '{"b":}', {"c": 1}, {"d": 1}]),
    ('[\n{"a":1}\n{"b":1},\n{"c":1}\n]', [{"a": 1}, '{"b":1}', {"c": 1}]),
    ('[\n{"a":1},\n]', [{"a": 1}, "]"]),
    ('[\n,{"a":1}]', [",", {"a": 1}]),
    ('[\n{"a":1},\n', [{"a": 1}, ""]),
    ('[\n{"a":1}\n', [{"a": 1}, ""]),
    ("[\n", [""]),
    ('[\n{"a":1},\n{"b"', [{"a": 1}, '{"b"']),
    ('[\n  {\n    "a": x\n  },\n  {\n    "b": [\n    ]\n  }\n]', ['{\n    "a": x', {"b": []}]),
    ('[{\n  "a": x,\n  "z": {\n  }\n}, {\n  "b": 1\n}]', ['{\n  "a": x,\n  "z": {\n  }', {"b": 1}]),
    ('[\n  {"a": x,\n\n      "z"\n  {"b": 1}\n]', ['{"a": x,\n\n      "z"', {"b": 1}]),
    ('[\n  {"a": x,\n"z" \n  \n  {"b": 1}\n  , y\n\n{"c": 1}\n]', ['{"a": x,\n"z"', {"b": 1}, "y", {"c": 1}]),
    ('[\n  {"a": x,\n    "y": 1,\n    "z": 2\n  {"b": 1}\n]', ['{"a": x,\n    "y": 1,\n    "z": 2', {"b": 1}]),
    ('[\n\n  {"a": x\n   {"b":1},\n  {"c":1}\n]', ['{"a": x\n   {"b":1},', {"c": 1}]),
    ('[\n {"a":1}, {"b": x\n   {"b":1},\n {"c":1}\n]', [{"a": 1}, '{"b": x\n   {"b":1},', {"c": 1}]),
    ('[{"a":1},{"b"', [{"a": 1}, '{"b"']),
    ('[\n{"b":},\n{"c":1} X\n]', ['{"b":}', {"c": 1}, "X"]),
    # Other documents.
    ('{\n  "a": x,\n  "b": {\n  }\n}\n{"c":1}', ['{\n  "a": x,\n  "b": {\n  }', {"c": 1}]),
    ('{\n"a": x,\n {"b":1}\n{"c":1}', ['{\n"a": x,\n {"b":1}', {"c": 1}]),
    ('{\n  "a": 1\n}\n{\n  "b"\n}\n{\n  "c": 1\n}', [{"a": 1}, '{\n  "b"', {"c": 1}]),
    # Envelopes.
    ('{\n  "batch": [\n    {"a": 1},\n    {"b"\n  ]\n}\n', [{"a": 1}, '{"b"']),
    ('{"batch":[{"a":1},{"b":},{"c":1}],"sentAt":"s"}', [{"a": 1, "sentAt": "s"}, '{"b":}', {"c": 1, "sentAt": "s"}]),
    (
        '{"sentAt":"s", "batch" : [{"a":1},{"b":},{"c":1}]}',
        [{"a": 1, "sentAt": "s"}, '{"b":}', {"c": 1, "sentAt": "s"}],
    ),
    ('{"batch":[{"a":1},{"b":}],"sentAt":oops}{"c":1}', [{"a": 1}, '{"b":}', '{"sentAt":oops}', {"c": 1}]),
    ('{"batch":[{"a":1},{"b":},{"c":1},{"d', [{"a": 1}, '{"b":}', {"c": 1}, '{"d']),
    ('{"batch":[{"a":1},{"b":}]{"c":1}', [{"a": 1}, '{"b":}', {"c": 1}]),
    ('{"batch":[{"a":1}]{"c":1}', [{"a": 1}, "", {"c": 1}]),
    ('{"batch":[{"a":1}]', [{"a": 1}, ""]),
    ('{"batch":[{"a":1}', [{"a": 1}, ""]),
    ('{"batch":[{"a":1}]]{"c":1}', [{"a": 1}, "]", {"c": 1}]),
    ('{"sentAt":oops,"batch":[{"a":1}]}{"c":1}', ['{"sentAt":oops,"batch":[{"a":1}]}', {"c": 1}]),
    ('{"context":{"batch":[{"a":},1]}}{"c":1}', ['{"context":{"batch":[{"a":},1]}}', {"c": 1}]),
    # Siblings begin alike, and what is inside them does not.
    ('[{"a":1},{"b":1,{"a":2}]', [{"a": 1}, '{"b":1', {"a": 2}]),
    (
        '[{"a":[{"x":1},{"x":2}]},{"a":[{"x":1},{"x":2},{"a":3}]',
        [{"a": [{"x": 1}, {"x": 2}]}, '{"a":[{"x":1},{"x":2}', {"a": 3}],
    ),
]
"""Input, and what is read of it: payloads, and the texts of what is broken."""


class TestBrokenInput:
    """What is broken is rejected, once, and harms no neighbour."""

    @pytest.mark.parametrize(("text", "expected"), SPOILED)
    def test_it_is_rejected_with_its_text(self, text: str, expected: list[Any]) -> None:
        for size in range(1, len(text) + 1):  # wherever it is cut
            found = payloads(text, size)

            assert [item if isinstance(item, dict) else item[1] for item in found] == expected
            assert {item[0] for item in found if isinstance(item, tuple)} == {"invalid_json"}

    @pytest.mark.parametrize("text", ['{"a": %s}', "[\n%s\n]", '{\n"a": %s}'])
    def test_a_number_that_is_too_long_has_its_own_code(self, text: str) -> None:
        [(code, _)] = payloads(text % ("9" * 5_000))

        assert code == "number_too_long"

    def test_a_line_with_such_a_number_ends_with_it(self) -> None:
        found = payloads('{"a": %s}\noops\n{"c":1}' % ("9" * 5_000))

        assert [item if isinstance(item, dict) else item[0] for item in found] == [
            "number_too_long",
            "invalid_json",
            {"c": 1},
        ]

    @pytest.mark.parametrize("text", ["%s\n", '{"a":%s', "{\n%s", "[\n%s"])
    @pytest.mark.parametrize("levels", small_and_large(2_000, 50_000))
    def test_nesting_is_no_crash(self, levels: int, text: str) -> None:
        assert {code for code, _ in payloads(text % ('[{"a":' * levels))} == {"invalid_json"}

    @pytest.mark.parametrize("size", [1, 1000])
    @pytest.mark.parametrize("data", [b'{"a":"\xff"}\n', b'[\n"\xff"]', b'{\n"a":"\xff"}', b'[\n"a\xc3'])
    def test_bytes_that_are_no_utf8_are_rejected(self, data: bytes, size: int) -> None:
        [(code, text)] = payloads(data, size)

        assert code == "invalid_json"
        assert "\\xff" in text or "\\xc3" in text

    @pytest.mark.parametrize("name", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
    @pytest.mark.parametrize("text", ['{"a":1}', "[1]"])
    def test_text_of_other_encodings_is_named(self, text: str, name: str) -> None:
        what = name[:6].upper()
        with pytest.raises(
            OSError, match=f"text in {what}: convert it to UTF-8 first, or pipe it in with iconv -f {what}"
        ):
            payloads(text.encode(name), 1)

    @pytest.mark.parametrize("end", ["", "\n]"])
    @pytest.mark.parametrize("size", small_and_large(300_000, 5_000_000))
    def test_its_text_is_kept_whole(self, size: int, end: str) -> None:
        assert payloads("[\nx" + "y" * size + end, 1 << 16) == [("invalid_json", "x" + "y" * size)]

    @given(st.lists(st.sampled_from(SCRAPS), max_size=30).map("".join) | st.text(max_size=20), SIZES)
    @example("[\n1\n2", 1)
    @example("}\n  }", 1)
    @example("}\n  7", 1)
    def test_the_size_of_pieces_decides_nothing(self, text: str, size: int) -> None:
        assert repr(payloads(text, size)) == repr(payloads(text))

    @given(st.binary(max_size=40).filter(lambda data: not data.startswith(FIRST_BYTES)), SIZES)
    def test_any_bytes_are_read_to_the_end(self, data: bytes, size: int) -> None:
        found = payloads(data, size)

        assert bool(found) or not data.replace(b"\xef\xbb\xbf", b"").strip(b" \t\r\n[]{}\x0b\x0c\x1e")

    @pytest.mark.parametrize("begin", ["[", "", '{"batch": []}['])
    @pytest.mark.parametrize("broken", ['{"a":}', '{"a":{"x":1}', '{"a":"x}'])
    @pytest.mark.parametrize("half", small_and_large(500, 10_000))
    def test_one_broken_element_of_a_long_line_costs_itself(self, half: int, begin: str, broken: str) -> None:
        good = [{"at": at, "text": "x" * 200} for at in range(2 * half)]
        texts = [json.dumps(value) for value in good]
        texts[half:half] = [broken]
        between, end = (",", "]") if begin else ("", "")
        found = payloads(begin + between.join(texts) + end + '\n{"last": 1}\n', 1 << 16)

        assert found == [*good[:half], ("invalid_json", broken), *good[half:], {"last": 1}]

    @pytest.mark.parametrize(
        ("begin", "unit"),
        [
            *(("[", unit) for unit in ('{"a,', '{{"a"},', '{"a":[', "}{", '{"a}{', "[{,", '\x1e{"')),
            *((begin, unit) for begin in ('[{"a" x', '{"a":1}{"a" x') for unit in (" ", ' {"b"', '1{"a"')),
        ],
    )
    @pytest.mark.slow
    def test_what_is_broken_over_and_over_takes_time_in_proportion(self, begin: str, unit: str) -> None:
        def seconds(size: int) -> float:
            """Give the processor time, the least of three, for a busy machine stretches the others."""
            times: list[float] = []
            for _ in range(3):
                start = time.process_time()
                payloads(f"{begin}{unit * (size // len(unit))}", 1 << 16)
                times.append(time.process_time() - start)
            return min(times)

        seconds(1_000)
        assert seconds(160_000) < 25 * max(seconds(20_000), 0.005)  # 8 times as much, and noise


def _call(at: int) -> dict[str, Any]:
    products = [{"id": 1, "name": "a"}, {"id": 2}]
    context = {"ip": "192.0.2.1", "traits": {"a": [1, 2, {"b": 3}]}}
    return {"type": "track", "event": f"e{at}", "properties": {"products": products, "x": {}}, "context": context}


SPOILERS: dict[str, Callable[[str], str]] = {
    "a quote is missing": lambda text: text.replace('"e5"', '"e5', 1),
    "the quote of a key is missing": lambda text: text.replace('"event"', 'event"', 1),
    "a bracket is missing at the end": lambda text: text[: text.rindex("}")] + text[text.rindex("}") + 1 :],
    "a bracket is missing inside": lambda text: text.replace("]", "", 1),
    "there is a comma too many": lambda text: text.replace('"id": 2', '"id": 2,', 1),
    "there is a control character": lambda text: text.replace("e5", "e\x01", 1),
    "there is a word": lambda text: text.replace('"e5"', "tru", 1),
}
SHAPES: dict[str, Callable[[list[str]], str]] = {
    "an array": lambda texts: f"[{','.join(texts)}]\n",
    "a batch": lambda texts: f'{{"batch": [{", ".join(texts)}], "writeKey": "k"}}\n',
    "a later batch": lambda texts: f'{{"batch": []}}\n{{"sentAt": null, "batch": [{",".join(texts)}]}}\n',
    "values that follow one another": "".join,
    "lines": "\n".join,
    "an array over many lines": lambda texts: f"[\n  {',  '.join(texts)}\n]\n",
    "a batch over many lines": lambda texts: f'{{\n  "batch": [\n  {",  ".join(texts)}\n  ]\n}}\n',
}


class TestOneBrokenCallAmongMany:
    """CL-1: a broken one costs itself and not its neighbors."""

    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize(
        ("count", "spoiler"),
        [*((30, spoiler) for spoiler in SPOILERS), pytest.param(20_000, next(iter(SPOILERS)), marks=pytest.mark.slow)],
    )
    def test_it_is_one_reject_and_the_others_come_out_whole(self, count: int, spoiler: str, shape: str) -> None:
        over_lines = "over many lines" in shape
        texts = [f"{json.dumps(_call(at), indent=2)}\n" if over_lines else json.dumps(_call(at)) for at in range(count)]
        texts[5] = SPOILERS[spoiler](texts[5])
        found = payloads(SHAPES[shape](texts), 1 << 16)
        broken: list[tuple[str, str]] = [item for item in found if isinstance(item, tuple)]

        assert [item for item in found if isinstance(item, dict)] == [_call(at) for at in range(count) if at != 5]
        assert [(code, text.startswith("{")) for code, text in broken] == [("invalid_json", True)]

    @pytest.mark.parametrize(
        "text", ['{"a": {"b": [{"c": 1}, {"c": 2}, {"c', '["{"', '{"a": "x, {"type": "track"', "x" * 99]
    )
    def test_a_line_that_cannot_be_taken_apart_is_one_reject_that_holds_it(self, text: str) -> None:
        assert payloads(f'{{"d":1}}\n{text}\n{{"e":1}}\n') == [{"d": 1}, ("invalid_json", text), {"e": 1}]


class TestWhereAPayloadStands:
    @pytest.mark.parametrize("size", [1, 7, 1 << 20])
    def test_it_is_the_line_where_it_begins(self, size: int) -> None:
        text = '\n[\n{"a":\n1},\n\n{"b"},{"c":1}]\n{"d":1}\n\n[{"e":1},{"f":1}]\nx {"g":1}\n'
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(Pieces(text.encode(), size)))
            blocks = list(read_blocks("-", CALLS_IN))
        readers = [Payloads(block, CALLS_IN) for block in blocks]
        found = [(each.line, shown(payload)) for each in readers for payload in each]

        assert found == [
            (3, {"a": 1}),
            (6, ("invalid_json", '{"b"}')),
            (6, {"c": 1}),
            (7, {"d": 1}),
            (9, {"e": 1}),
            (9, {"f": 1}),
            (10, ("invalid_json", "x")),
            (10, {"g": 1}),
        ]


class TestTheWindow:
    def test_what_is_not_taken_comes_back(self) -> None:
        window = Window(Pieces(b'[\n1]\n{"a":\xc3', 9).read1)

        assert list(documents(window, CALLS_IN)) == [(2, 1)]
        assert window.rest() == b'{"a":\xc3'


class TestBlanks:
    """They take no memory, however many there are."""

    @pytest.mark.parametrize("begin", ["", '{"a":1}\n', "[\n1]\n"])
    @pytest.mark.parametrize("megabytes", small_and_large(20, 1_000))
    def test_those_before_a_value_are_dropped(self, megabytes: int, begin: str) -> None:
        class Blanks(io.BytesIO):
            left = megabytes

            def read1(self, _size: int | None = -1) -> bytes:
                if (start := super().read1(-1)) or not self.left:
                    return start
                self.left -= 1
                return b" " * 1_000_000 if self.left else b' {"b":1}\n'

        tracemalloc.start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(Blanks(begin.encode())))
            found = [list(Payloads(block, CALLS_IN)) for block in read_blocks("-", CALLS_IN)]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert found[-1] == [{"b": 1}]
        assert peak < 10_000_000


class TestWhatAnInputLooksLike:
    """CL-7: what holds no payloads is named for what it is, once, with what to do, beside its rejects."""

    @pytest.mark.parametrize(
        ("lines", "what"),
        [
            ("id,event,user_id\n1,Signed Up,u1\n", "CSV: convert it to JSON"),
            ('"id";"event";"properties"\n1;"Signed Up";"{""a"":1}"\n', "CSV: convert it to JSON"),
            (
                json.dumps(json.dumps({"type": "track", "event": "e"})) + "\n",
                "JSON strings that hold JSON: decode them",
            ),
            (json.dumps("H4sIAAAAAAAAA6tWKkktLlGyUlAqS8wpTlWqBQAAAA==") + "\n", "gzip data inside JSON strings"),
            (json.dumps({"data": "H4sIAAAAAAAAA6tWKkktLlGyUlAqS8wp"}) + "\n", "gzip data inside JSON strings"),
            (
                json.dumps({"ID": "1", "RECEIVED_AT": "t", "EVENT_TEXT": "e", "USER_ID": "u"}) + "\n",
                "rows of Segment's own",
            ),
            (json.dumps([{"id": "1", "received_at": "t", "uuid_ts": "u"}], indent=1), "rows of Segment's own"),
        ],
    )
    @pytest.mark.parametrize("command", ["inbound", "outbound", "explain"])
    def test_it_is_named_once_beside_its_rejects(self, run: Run, command: str, lines: str, what: str) -> None:
        ended = run(command, stdin=lines.encode() * 2)

        assert ended.status == 1
        assert ended.err.count(f"note: standard input looks like {what}") == 1

    def test_what_holds_payloads_is_not_named(self, run: Run) -> None:
        assert "note" not in run("inbound", stdin=b'{"type":"page","userId":"u","properties":{"a":"H4sI"}}\n').err
        assert "note" not in run("inbound", stdin=b"oops, well\n[1,\n").err


class TestFiles:
    DATA = b"".join(json.dumps(call).encode() + b"\n" for call in CALLS)

    def read(self, path: Path) -> list[Any]:
        blocks = read_blocks(str(path), CALLS_IN)
        return [payload for block in blocks for payload in Payloads(block, CALLS_IN)]

    @pytest.mark.parametrize("name", ["calls.ndjson", "calls.gz"])
    def test_gzip_is_known_by_its_first_bytes(self, tmp_path: Path, name: str) -> None:
        for data in (
            self.DATA,
            gzip.compress(self.DATA),
            gzip.compress(self.DATA[:50]) + gzip.compress(self.DATA[50:]),
        ):
            (tmp_path / name).write_bytes(data)
            assert self.read(tmp_path / name) == CALLS

    @pytest.mark.parametrize("parts", [[DATA], [DATA[:50], DATA[50:]]], ids=["one frame", "two frames"])
    def test_zstd_is_known_likewise(self, tmp_path: Path, parts: list[bytes]) -> None:
        (tmp_path / "calls").write_bytes(b"".join(map(zstd.compress, parts)))

        assert self.read(tmp_path / "calls") == CALLS
        assert payloads((tmp_path / "calls").read_bytes(), 1) == CALLS

    @pytest.mark.parametrize("data", [zstd.compress(DATA)[:-5], zstd.compress(DATA)[:4] + b"x" * 50])
    def test_damaged_zstd_is_an_error_of_reading(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "calls").write_bytes(data)

        with pytest.raises((OSError, EOFError)):
            self.read(tmp_path / "calls")

    def test_zstd_without_its_module_says_how_to_get_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "calls").write_bytes(zstd.compress(self.DATA))
        for name in ("compression.zstd", "backports.zstd"):
            monkeypatch.setitem(sys.modules, name, None)

        with pytest.raises(OSError, match=r"pip install backports\.zstd"):
            self.read(tmp_path / "calls")

    @pytest.mark.parametrize(
        ("data", "what"),
        [
            (b"PK\x03\x04rest", "a zip archive: unpack it first, or pipe it in with unzip -p"),
            (bz2.compress(DATA), "compressed with bzip2: unpack it first, or pipe it in with bzcat"),
            (lzma.compress(DATA), "compressed with xz: unpack it first, or pipe it in with xzcat"),
            (b"PAR1rest", "a Parquet file: convert it to JSON, one object a line, first"),
            (b"Obj\x01rest", "an Avro file: convert it to JSON, one object a line, first"),
        ],
    )
    @pytest.mark.parametrize("size", [1, 1000])
    def test_what_is_not_read_is_named_with_what_to_do(self, data: bytes, what: str, size: int) -> None:
        with pytest.raises(OSError, match=f"^{re.escape(what)}$"):
            payloads(data, size)

    @pytest.mark.parametrize("size", [1, 1000])
    def test_gzip_is_known_on_standard_input_too(self, size: int) -> None:
        assert payloads(gzip.compress(self.DATA), size) == CALLS

    @pytest.mark.parametrize("data", [b"\x1f\x8b", b"\x1f\x8b\x00garbage", gzip.compress(DATA)[:-20]])
    def test_damaged_gzip_is_an_error_of_reading(self, tmp_path: Path, data: bytes) -> None:
        path = tmp_path / "calls.gz"
        path.write_bytes(data)

        with pytest.raises((OSError, EOFError)):
            self.read(path)

    def test_a_closed_standard_input_is_an_error_of_reading(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", None)

        with pytest.raises(OSError, match="closed"):
            list(read_blocks("-", CALLS_IN))


INTEGERS = ("1", "-0", "18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809")
NUMBERS = (
    "-0.0",
    "1E5",
    "1e400",
    "-1e400",
    "1e-400",
    "1e-7",
    "0.00001",
    "0.1234567890123456789",
    "123456789012345678e5",
)
STRINGS = (r'"\ud800"', r'"\udc00\ud800"', r'"\ud83d\ude00"', '"\x7f\u2028"', '"\x01"', '"\t"', r'"\u0000"')
WRONG = (
    "01",
    "1.",
    ".5",
    "+1",
    "[1,]",
    '{"a":1,}',
    '{"a":1}x',
    "",
    "\ufeff1",
    "\x0c1",
    "nul",
    "'a'",
    "NaN",
    "-Infinity",
)
JSON_TEXTS = st.sampled_from(
    (*INTEGERS, "9" * 30, "9" * 5000, *NUMBERS, *STRINGS, *WRONG, " 1 ", '{"a":1,"b":2,"a":3}')
)


class TestTheTwoCodecs:
    """With orjson and without it the outcome is the same."""

    def decoded(self, codec: Any, data: bytes) -> str:
        try:
            return repr(codec.decode(data, SegmentEventError))
        except SegmentEventError as error:
            return error.code

    @given(
        st.recursive(JSON_TEXTS, lambda inner: st.lists(inner, max_size=3).map(lambda texts: f"[{','.join(texts)}]"))
    )
    def test_they_read_alike(self, text: str) -> None:
        data = text.encode()

        assert self.decoded(FAST, data) == self.decoded(STANDARD, data)

    @given(st.binary(max_size=10) | st.text(max_size=10).map(str.encode))
    def test_they_read_any_bytes_alike(self, data: bytes) -> None:
        assert self.decoded(FAST, data) == self.decoded(STANDARD, data)

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text()
            | st.sampled_from(("\ud800", "e-7,", "0.0000", 2**64)),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(st.text(max_size=3) | st.just("\udfff"), inner, max_size=4)
            ),
        )
    )
    @example(1e-7)
    @example([1.5e-5, 1e-9, 1e-10])
    @example({"a": float("nan"), "b": 1.0})
    @example({"é\ud800": 10**30})
    def test_they_write_alike(self, value: Any) -> None:
        assert FAST.encode(value) == STANDARD.encode(value)

    @given(st.floats(min_value=1e-12, max_value=1e-3))
    def test_they_print_small_numbers_alike(self, value: float) -> None:
        assert FAST.encode([value]) == STANDARD.encode([value])

    @given(json_values())
    def test_what_is_written_can_be_read(self, value: Any) -> None:
        for codec in (FAST, STANDARD):
            assert codec.decode(codec.encode(value), SegmentEventError) == value

    @given(st.lists(JSON_TEXTS, max_size=4))
    def test_what_is_read_quickly_is_read_alike(self, texts: list[str]) -> None:
        block = "\n".join(texts).encode()
        for codec in (FAST, STANDARD):
            decode = codec.quick_decoder(block)
            for text in texts:
                try:
                    found = repr(decode(text.encode()))
                except ValueError:  # the other decoder decides
                    continue
                assert found == self.decoded(STANDARD, text.encode())

    @given(json_values(max_leaves=5))
    def test_what_is_written_quickly_is_written_alike(self, value: Any) -> None:
        text = STANDARD.encode(value)
        for codec in (FAST, STANDARD):
            try:
                found = codec.quick_encode(value)
            except TypeError:  # the other encoder decides
                continue
            assert found == text or re.search(rb"0\.0000|e-0?[5-9]", text)

    @pytest.mark.parametrize("depth", [300, *small_and_large(2_000, 100_000)])
    def test_depth_is_no_crash(self, depth: int) -> None:
        value: Any = 1
        for _ in range(depth):
            value = [value]
        for codec in (FAST, STANDARD):
            assert codec.encode(value) == b"[" * depth + b"1" + b"]" * depth

    @pytest.mark.parametrize("depth", small_and_large(2_000, 100_000))
    def test_deep_objects_are_written_with_their_neighbors(self, depth: int) -> None:
        value: Any = 1
        for _ in range(depth):
            value = {"a": value, "b": [2]}
        for codec in (FAST, STANDARD):
            assert codec.encode(value) == b'{"a":' * depth + b"1" + b',"b":[2]}' * depth

    def test_output_is_compact_and_keeps_its_characters(self) -> None:
        assert STANDARD.encode({"a": ["é", 1, None], "b": "\ud800"}) == '{"a":["é",1,null],"b":"\\ud800"}'.encode()

    def test_without_orjson_there_is_the_standard_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "orjson", None)

        assert best_codec() is STANDARD


class TestABlock:
    def test_a_log_event_that_is_written_already_is_taken_as_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        event = {"eventName": "e", "user": {"userID": "u", "custom": {"x": 1e-7}}, "value": 1e-8, "metadata": {}}

        def written(payloads: Iterable[Any], *_: object, **__: object) -> Iterator[Any]:
            return (event for _ in payloads)

        monkeypatch.setattr(blocks_module, "log_events_or_outcomes", written)
        result = translate_block(IntegrationConfig(), "log-event", Block(data=b'{"type":"page"}\n{"type":"page"}'))

        assert result.events == (STANDARD.encode(event) + b"\n") * 2
        assert result.counts == Counts(translated=2)


class TestWhatIsRemembered:
    def test_the_last_ids_are_known(self) -> None:
        seen = RecentIds(2)
        for message_id in ("a", "b", "c"):
            seen.add(message_id)

        assert [message_id in seen for message_id in ("a", "b", "c")] == [False, True, True]


class TestCounting:
    def test_counts_add_up(self) -> None:
        whole, part = GrowingCounts(), Counts(translated=1, rejected={"a": 1})
        whole.merge(Counts(audiences=1))
        whole.merge(part)
        whole.merge(part)

        assert (whole.read, whole.frozen(Counts)) == (5, Counts(translated=2, audiences=1, rejected={"a": 2}))
