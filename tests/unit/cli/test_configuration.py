"""The configuration of a run: its problems stand where they are, and what is hardly meant is warned of."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cli.program import CONFIG, GOOD, Run, ndjson

from statsig_segment.cli.places import Stretch, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

TOML = '''\
# A comment: x = 1
title = """
[inbound]
x = 1
""" # [no table]
[inbound]
"odd key" = 1
naming.track = "a = [b"
id_types = ["a", 'b,]', # c
  "d"]
id_mappings = [
    {field = "x", id_type = "y"},
    {field = "z", other = {a = [1, {b = 2}]}},
]
[[rows]]
a = 1.5
[[rows]]
a = 2026-11-03T07:32:00Z
[rows.b]
c = -1
[outbound . filters]
events = {checkout = true, "a.b" = 1}
'''


def named(text: str, path: str) -> str | None:
    """The text at the place of a path."""
    place = place_of(text, path)
    return None if place is None else text.splitlines()[place.line - 1][place.column :][: place.length]


def paths(value: Any, path: str = "$") -> Iterator[tuple[str, str]]:
    """Every path of a tree, and how its last step is written."""
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            step = f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key, ensure_ascii=False)}]"
            yield step, json.dumps(key, ensure_ascii=False)
            yield from paths(item, step)
    elif isinstance(value, list):
        for at, item in enumerate(cast("Iterable[Any]", value)):
            yield from paths(item, f"{path}[{at}]")


class TestPlaces:
    @pytest.mark.parametrize(
        ("path", "line", "column", "text"),
        [
            ("$.title", 2, 0, "title"),
            ("$.inbound", 6, 1, "inbound"),
            ('$.inbound["odd key"]', 7, 0, '"odd key"'),
            ("$.inbound.naming", 8, 0, "naming"),
            ("$.inbound.naming.track", 8, 7, "track"),
            ("$.inbound.id_types[1]", 9, 17, "'b,]'"),
            ("$.inbound.id_types[2]", 10, 2, '"d"'),
            ("$.inbound.id_mappings[0].id_type", 12, 18, "id_type"),
            ("$.inbound.id_mappings[1]", 13, 4, "{"),
            ("$.inbound.id_mappings[1].other.a[1].b", 13, 36, "b"),
            ("$.rows[0].a", 16, 0, "a"),
            ("$.rows[1].a", 18, 0, "a"),
            ("$.rows[1].b.c", 20, 0, "c"),
            ("$.outbound.filters.events.checkout", 22, 10, "checkout"),
            ('$.outbound.filters.events["a.b"]', 22, 27, '"a.b"'),
            ("$.outbound.filters.missing", 21, 12, "filters"),
        ],
    )
    def test_each_is_found_in_toml(self, path: str, line: int, column: int, text: str) -> None:
        assert tomllib.loads(TOML)
        assert place_of(TOML, path) == Stretch(line=line, column=column, length=len(text))
        assert named(TOML, path) == text

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        ).filter(lambda value: isinstance(value, dict)),
        st.sampled_from((None, 1)),
    )
    def test_each_is_found_in_json(self, value: Any, indent: int | None) -> None:
        text = json.dumps(value, indent=indent, ensure_ascii=False).replace("\x85", " ").replace("\u2028", " ")
        text = "".join(character if character.isprintable() or character == "\n" else "_" for character in text)
        for path, key in paths(json.loads(text)):
            assert named(text, path) == key

    @pytest.mark.parametrize("text", ["", "[", "a", "= 1", '"', "{", '{"a"', "[[a]", "a = [1, {b"])
    def test_there_may_be_none(self, text: str) -> None:
        assert place_of(text, "$.x.y[0]") is None

    def test_the_file_itself_has_none(self) -> None:
        assert place_of("a = 1", "$") is None


class TestProblems:
    def check(self, run: Run, path: Path, text: str) -> list[str]:
        path.write_text(text, encoding="utf-8")
        ended = run("check-config", path)
        assert (ended.status, ended.out) == (2, b"")
        return [line.replace(str(path), "FILE") for line in ended.err.splitlines()]

    @pytest.mark.parametrize(
        ("name", "text", "lines"),
        [
            ("c.toml", "[inbound]\nx = = 1\n", ["FILE:2: $: ", "   2 | x = = 1", "     |     ^"]),
            ("c.json", '{\n  "inbound": {,}\n}', ["FILE:2: $: ", '   2 |   "inbound": {,}', "     |               ^"]),
        ],
    )
    def test_broken_text_is_marked_where_its_reader_stopped(
        self, run: Run, tmp_path: Path, name: str, text: str, lines: list[str]
    ) -> None:
        found = self.check(run, tmp_path / name, text)

        assert found[0].startswith(lines[0])
        assert found[1:] == lines[1:]

    def test_a_problem_without_a_place_names_the_file(self, run: Run, tmp_path: Path) -> None:
        deep = '{"a":' + "[" * 100_000

        [line] = self.check(run, tmp_path / "c.json", deep)
        assert line.startswith("FILE: $: ")

    def test_a_long_line_is_cut_around_the_mark(self, run: Run, tmp_path: Path) -> None:
        line = f'naming = {{track = "{"x" * 500}", colour = 1}}'
        found = self.check(run, tmp_path / "c.toml", f"[inbound]\n{line}\n")

        assert len(found[1]) <= 110
        assert found[1][found[2].index("^") :].startswith("colour")

    def test_nothing_in_the_file_steers_the_terminal(self, run: Run, tmp_path: Path) -> None:
        found = self.check(run, tmp_path / "c.toml", '"\u202eodd\x9b" = 1\n')

        assert all(line.isprintable() for line in found)
        assert found[2].count("^") == len('"\u202eodd\x9b"')

    @pytest.mark.parametrize("command", ["inbound", "outbound", "explain"])
    def test_they_end_every_command(self, run: Run, tmp_path: Path, command: str) -> None:
        (tmp_path / "c.toml").write_text("x = 1", encoding="utf-8")
        ended = run(command, "--config", tmp_path / "c.toml", stdin=ndjson(GOOD))

        assert (ended.status, ended.out) == (2, b"")
        assert ended.err.splitlines()[1:] == ["   1 | x = 1", "     | ^"]


class TestWarnings:
    """CL-6: what can be used but hardly is meant is warned of, and the status stays 0."""

    def check(self, run: Run, path: Path, text: str) -> list[str]:
        path.write_text(text, encoding="utf-8")
        ended = run("check-config", path)
        assert ended.status == 0
        assert b"can be used." in ended.out
        return [line.replace(str(path), "FILE") for line in ended.err.splitlines()]

    def test_an_id_type_that_differs_from_a_declared_one_only_in_case(self, run: Run, tmp_path: Path) -> None:
        message = "differs from the declared ID type 'companyID' only in its letter case"
        text = '[inbound]\nid_types = ["companyID"]\nid_mappings = [{field = "groupId", id_type = "companyId"}]\n'

        assert self.check(run, tmp_path / "c.toml", text) == [
            f"warning: FILE:3: $.inbound.id_mappings[0].id_type: {message}",
            '   3 | id_mappings = [{field = "groupId", id_type = "companyId"}]',
            "     |                                    ^^^^^^^",
        ]

    def test_a_name_both_included_and_excluded(self, run: Run, tmp_path: Path) -> None:
        text = '{"inbound": {"filters": {"include": ["a", "b"], "exclude": ["b", "c"]}}}'

        assert self.check(run, tmp_path / "c.json", text)[0] == (
            "warning: FILE:1: $.inbound.filters.exclude: 'b' is both included and excluded, and so never sent"
        )

    @pytest.mark.parametrize("key", ["include", "exclude"])
    def test_an_asterisk_in_a_name(self, run: Run, tmp_path: Path, key: str) -> None:
        text = f'[inbound.filters]\n{key} = ["Viewed *", "Heartbeat"]\n'

        assert self.check(run, tmp_path / "c.toml", text)[0] == (
            f"warning: FILE:2: $.inbound.filters.{key}: 'Viewed *' means an event of exactly this name: "
            "* is not a wildcard here"
        )

    @pytest.mark.parametrize("id_type", ["userID", "userid"])
    def test_a_mapping_that_can_never_win(self, run: Run, tmp_path: Path, id_type: str) -> None:
        text = f'[[inbound.id_mappings]]\nfield = "userId"\nid_type = "{id_type}"\n'

        assert self.check(run, tmp_path / "c.toml", text)[0].startswith(
            "warning: FILE:1: $.inbound.id_mappings[0]: this mapping can never win"
        )

    def test_there_is_none_without_a_reason(self, run: Run, tmp_path: Path) -> None:
        assert self.check(run, tmp_path / "c.toml", CONFIG.read_text(encoding="utf-8")) == []

    def test_they_are_only_for_those_who_check(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "c.toml").write_text('[[inbound.id_mappings]]\nfield = "userId"\nid_type = "userID"\n')

        assert "warning" not in run("inbound", "--config", tmp_path / "c.toml", stdin=ndjson(GOOD)).err
