"""One block of input -> its preview; any process can do any block, without I/O."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from statsig_segment.cli.blocks import CALLS, Block, Payloads, is_statsig
from statsig_segment.configuration.models import IntegrationConfig
from statsig_segment.insight.preview import EventPreview, Preview, preview
from statsig_segment.outcomes import Rejected


@attrs.frozen(kw_only=True)
class Covered:
    """What a block would become."""

    preview: Preview
    misdirected: int
    """So many payloads look like input of the other direction."""


@attrs.define
class _Odd:
    """What is counted on the way, beside the preview."""

    undecoded: Counter[str] = attrs.field(factory=Counter[str])
    """Code -> payloads that could not be decoded."""
    misdirected: int = 0

    def pass_sound(self, payloads: Iterable[Any]) -> Iterator[Any]:
        """Give what could be decoded, and count the rest."""
        for payload in payloads:
            if payload.__class__ is Rejected:
                self.undecoded[payload.error.code] += 1
                self.misdirected += is_statsig(payload.payload)
            else:
                self.misdirected += is_statsig(payload)
                yield payload


def cover_block(config: IntegrationConfig, block: Block) -> Covered:
    """Count what a block of Segment calls would become; no payload lives longer than its turn."""
    return cover_payloads(config, Payloads(block, CALLS))


def cover_payloads(config: IntegrationConfig, payloads: Iterable[Any]) -> Covered:
    """Count what payloads would become, `Rejected` among them for what could not be decoded."""
    odd = _Odd()
    found = preview(odd.pass_sound(payloads), config)
    if odd.undecoded:
        found = found.merge(Preview(events=(EventPreview(rejected=odd.undecoded),)))
    return Covered(preview=found, misdirected=odd.misdirected)
