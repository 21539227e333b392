"""Sphinx: a Segment call beside the Statsig event it becomes, field by field, translated at build time."""

import json
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from statsig_segment import Row, StatsigEvent, explain, load_config, to_log_event
from statsig_segment.rulebook import RULES


class Example(SphinxDirective):
    """A call as JSON; what `explain` says of it comes out."""

    has_content: ClassVar[bool] = True
    option_spec: ClassVar[dict[str, Any]] = {"map": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Write call and event beside each other, and below them where each field comes from."""
        self.env.note_reread()  # the library may have changed
        text = "\n".join(self.content)
        explanation = explain(text, load_config({"inbound": {"id_mappings": list(self._mappings())}}))
        if not isinstance(explanation.result, StatsigEvent):
            raise self.error(f"the call becomes no event: {explanation.result!r}")
        event = json.dumps(to_log_event(explanation.result), indent=2, ensure_ascii=False)
        pair = nodes.container("", *_titled("A Segment call", text), classes=["example-side"])
        result = nodes.container("", *_titled("becomes a Statsig event", event), classes=["example-side"])
        rows = [_row(row) for row in explanation.rows]
        table = "\n".join(("| Field | Comes from | Rule |", "|---|---|---|", *rows))
        return [nodes.container("", pair, result, classes=["example"]), *self.parse_text_to_nodes(table)]

    def _mappings(self) -> Any:
        """Read `anonymousId -> segmentAnonymousId`."""
        for line in self.options.get("map", "").splitlines():
            field, _, id_type = line.partition("->")
            yield {"field": field.strip(), "id_type": id_type.strip()}


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.add_directive("example", Example)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _titled(title: str, text: str) -> list[nodes.Node]:
    block = nodes.literal_block(text, text, language="json")
    return [nodes.paragraph("", title, classes=["example-title"]), block]


def _row(row: Row) -> str:
    source = f"`{row.source}`" if row.source else "the configuration"
    return f"| `{row.target}` | {source} | {row.rule} {RULES[row.rule].title} |"
