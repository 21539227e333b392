"""Input from the field that only the command line reads; every other case from the field is a vector."""

from __future__ import annotations

import io
import json
import sys

import pytest

from statsig_segment.cli import main

JOINED = (
    '{"type":"track","event":"One","userId":"user-71"}'
    '{"type":"track","event":}'
    '{"type":"track","event":"Three","userId":"user-73"}\n'
)


class TestCL1JoinedRecords:
    """Values that follow one another without a line break are a record each; a broken one costs itself alone."""

    def test_a_broken_record_between_two_others_costs_itself_alone(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(JOINED.encode())))

        main(["inbound"])

        captured = capsys.readouterr()
        events = [json.loads(line)["eventName"] for line in captured.out.splitlines()]
        assert events == ["segment::One", "segment::Three"]
        assert "invalid_json" in captured.err
