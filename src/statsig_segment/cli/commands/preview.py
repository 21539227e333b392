"""`preview`: what the calls would become, which units experiments could use, and what would help (CL-4)."""

import argparse
import sys
from contextlib import closing
from functools import partial
from typing import Any, Final

from statsig_segment.cli.arguments import add_file_argument, add_inputs, add_jobs, add_json
from statsig_segment.cli.blocks import CALLS
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.configuration import read_config
from statsig_segment.cli.covered import cover_block
from statsig_segment.cli.preview_facts import preview_record, tally_of
from statsig_segment.cli.preview_html import preview_page
from statsig_segment.cli.processes import in_order
from statsig_segment.cli.run import Run
from statsig_segment.configuration.models import IntegrationConfig
from statsig_segment.insight.preview import Preview, preview


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_inputs(parser, CALLS.what)
    add_json(parser)
    add_file_argument(parser, "--html", "write the preview as one HTML page to this file")
    add_jobs(parser)


_JOINED: Final = 32
"""So many blocks are joined at once: each join copies all names."""


def run(arguments: Any) -> int:
    """Show the preview, and give the exit status."""
    config = read_config(arguments.config)
    with Run(arguments, CALLS) as task:
        task.outputs.open(html=arguments.html)
        found = _previewed(task, config, arguments.jobs)
        task.outputs.write("html", preview_page(found).encode())
        if task.shows_lines:
            task.show(_text(found))
        else:
            task.write(FAST.encode(preview_record(found)) + b"\n")
        return task.finish(with_summary=not task.shows_lines)


def _previewed(task: Run, config: IntegrationConfig, jobs: int) -> Preview:
    """Count every block apart, and join the counts, many at once."""
    found = preview((), config)
    parts: list[Preview] = []
    with closing(in_order(partial(cover_block, config), task.blocks(), jobs)) as results:
        for result in results:
            task.count(tally_of(result.preview), result.misdirected)
            parts.append(result.preview)
            if len(parts) == _JOINED:
                found = found.merge(*parts)
                parts.clear()
    return found.merge(*parts)


def _text(found: Preview) -> str:
    from statsig_segment.cli.preview_text import shown_preview  # noqa: PLC0415 - only terminals need it
    from statsig_segment.cli.screen import Screen  # noqa: PLC0415 - only terminals need it

    screen = Screen(sys.stdout)
    return screen.text(shown_preview(found, screen.width))
