"""`preview`: what the calls would become, which units experiments could use, and what would help (CL-4)."""

import argparse
import sys
from contextlib import closing
from functools import partial
from typing import Any, Final

from statsig_segment.cli.arguments import add_deduplicate, add_file_argument, add_inputs, add_jobs, add_json, remembered
from statsig_segment.cli.blocks import CALLS, preview_block
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.configuration import read_config
from statsig_segment.cli.preview_facts import Shown, preview_record
from statsig_segment.cli.preview_html import preview_page
from statsig_segment.cli.processes import in_order
from statsig_segment.cli.run import Run
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.errors import ConfigError
from statsig_segment.insight.preview import Preview, preview


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_inputs(parser, CALLS.what)
    parser.add_argument(
        "--try",
        dest="tried",
        action="append",
        default=[],
        type=_mapping,
        metavar="FIELD=TYPE",
        help="measure what this ID mapping would add, such as traits.companyId=companyID; may be repeated",
    )
    add_deduplicate(parser)
    add_json(parser)
    add_file_argument(parser, "--html", "write the preview as one HTML page to this file")
    add_jobs(parser)


_JOINED: Final = 32
"""How many blocks are joined at once: each join copies all names."""


def run(arguments: Any) -> int:
    """Show the preview, and return the exit status."""
    seen = remembered(arguments)
    config = read_config(arguments.config)
    with Run(arguments, CALLS) as task:
        task.outputs.open(html=arguments.html)
        work = partial(preview_block, config, arguments.tried, seen=seen)
        empty = preview((), config, candidates=arguments.tried)
        with closing(in_order(work, task.blocks(), arguments.jobs)) as results:
            found = _joined(task, empty, results)
        shown = Shown(found, config, tried=arguments.tried, inputs=task.files, config_file=arguments.config)
        task.outputs.write("html", preview_page(shown).encode())
        if arguments.json:
            task.write(FAST.encode(preview_record(found)) + b"\n")
        else:
            from statsig_segment.cli.preview_text import shown_preview  # noqa: PLC0415 - only terminals need it
            from statsig_segment.cli.screen import Screen  # noqa: PLC0415 - likewise

            screen = Screen(sys.stdout)
            task.show(screen.text(shown_preview(shown, screen.width)))
        return task.finish(with_summary=arguments.json)


def _joined(task: Run, found: Preview, results: Any) -> Preview:
    """Count every block apart, and join the counts, many at once."""
    parts: list[Preview] = []
    for part, misdirected in results:
        task.count(part, misdirected)
        parts.append(part)
        if len(parts) == _JOINED:
            found = found.merge(*parts)
            parts.clear()
    return found.merge(*parts)


def _mapping(text: str) -> IdMapping:
    field, _, id_type = text.rpartition("=")
    try:
        return IdMapping(field=field, id_type=id_type)
    except ConfigError:
        raise argparse.ArgumentTypeError(f"expected FIELD=TYPE, not {text!r}") from None
