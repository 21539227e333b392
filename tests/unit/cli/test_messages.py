"""How the command line shows problems, what a terminal must not obey, and what is long."""

import json

import pytest

from statsig_segment.cli.messages import payload_name, printable, shown


class TestWhatCannotBePrinted:
    @pytest.mark.parametrize(
        ("character", "escaped"),
        [
            ("\x1b", "\\u001b"),
            ("\x7f", "\\u007f"),
            ("\u202e", "\\u202e"),
            ("\ud800", "\\ud800"),
            ("\U000e0001", "\\udb40\\udc01"),
        ],
    )
    def test_it_is_escaped_as_json_escapes_it(self, character: str, escaped: str) -> None:
        assert printable(f"a{character}é") == f"a{escaped}é"
        assert json.loads(f'"{escaped}"') == character


class TestWhatIsLong:
    def test_it_is_cut_to_the_length_that_is_asked_for(self) -> None:
        assert shown("abcd", 6) == '"abcd"'
        assert shown("abcde", 6) == '"abcd…'
        assert shown("a" * 100) == f'"{"a" * 100}"'

    def test_the_name_of_a_call_is(self) -> None:
        assert payload_name({"type": "x" * 100, "event": "e"}) == (f"{'x' * 59}…", '"e"')
