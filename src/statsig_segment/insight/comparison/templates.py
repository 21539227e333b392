"""Learning how events are named: a prefix, and a template for each type of call, from names that Statsig holds (US-6).

A name is cut where it holds the parts of its call; each way to cut it is a template that may be meant. Each of these
templates is then held against all names, by naming the calls with it, and the one that gives the most of them stays.
Which space a missing part takes along depends on where the template begins, so the prefix is chosen first: among what
comes before a part in some name, and what all names have in common.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import attrs

from statsig_segment.configuration.event_names import TEMPLATE_PARTS, EventNaming, Named
from statsig_segment.segment.calls import Track

KINDS: Final = ("track", "page", "screen", "group")
"""The types of call that have names."""
VIEWS: Final = ("page", "screen")
"""The types that have another name where no part is there."""

_UNNAMED: Final = "\x00"
"""Stands for the name of a call without parts, while a template is held against names."""
_MAX_SAMPLES: Final = 1000  # of one type of call
_MAX_CUT: Final = 300  # characters of a name that is cut
_MAX_SPOTS: Final = 4  # at which one part is looked for
_MAX_TEMPLATES: Final = 128  # out of one name
_FEW: Final = 8  # names of one kind that are cut
_MAX_PREFIXES: Final = 12


@attrs.frozen(kw_only=True)
class Sample:
    """Calls of one type with the same parts, and the names that Statsig holds of them."""

    event: Named
    """One of those calls."""
    parts: Mapping[str, str]
    """The parts that are there."""
    names: Counter[str]
    """Name -> pairs."""


@attrs.frozen(kw_only=True)
class Template:
    """What was learned about one type of call."""

    text: str
    unnamed: str | None
    """The name of calls without parts, `None` where none was seen."""
    agree: int
    """How many pairs it names rightly."""
    is_decided: bool


class Samples:
    """Names by type of call and parts, in bounded memory."""

    def __init__(self, naming: EventNaming) -> None:
        """Begin with nothing; `naming` says what counts as a part."""
        self._naming = naming
        self.by_kind: dict[str, dict[tuple[str, ...], Sample]] = {kind: {} for kind in KINDS}

    def add(self, event: Named, name: str) -> None:
        """Add the name that Statsig holds of a call."""
        found = self._naming.parts(event)
        parts = {part: found[part] for part in TEMPLATE_PARTS[event.type] if part in found}
        held, key = self.by_kind[event.type], tuple(parts.get(part, "") for part in TEMPLATE_PARTS[event.type])
        sample = held.get(key)
        if sample is None:
            if len(held) >= _MAX_SAMPLES:
                return
            sample = held[key] = Sample(event=event, parts=parts, names=Counter())
        sample.names[name] += 1

    def of(self, kind: str) -> list[Sample]:
        """Give all samples of one type of call."""
        return list(self.by_kind[kind].values())


@attrs.frozen(kw_only=True)
class Learned:
    """A naming, how many names it gives rightly, and the keys that the names cannot decide."""

    naming: EventNaming
    agree: int
    undecided: tuple[str, ...]


def learn(samples: Samples, naming: EventNaming) -> Learned:
    """Learn prefix and templates; of those that agree as often the current ones stay."""
    total = sum(sum(sample.names.values()) for kind in KINDS for sample in samples.of(kind))
    best: tuple[Any, Learned] | None = None
    for prefix in _prefixes(samples, naming):
        templates = {kind: _template(samples.of(kind), kind, prefix, naming) for kind in KINDS if samples.of(kind)}
        agree = sum(template.agree for template in templates.values())
        kept = sum(template.text == getattr(naming, kind) for kind, template in templates.items())
        rank = (agree, prefix == naming.prefix, kept, -len(prefix))
        if best is None or rank > best[0]:
            best = rank, _learned(naming, prefix, templates)
        if agree == total and prefix == naming.prefix:
            break
    assert best is not None  # noqa: S101 - the current prefix is always among them
    return best[1]


def _learned(naming: EventNaming, prefix: str, templates: Mapping[str, Template]) -> Learned:
    changes: dict[str, Any] = {kind: template.text for kind, template in templates.items()}
    seen = {kind: template.unnamed for kind, template in templates.items() if template.unnamed is not None}
    changes |= {f"{kind}_unnamed": unnamed for kind, unnamed in seen.items()}
    open_keys = [] if "track" in templates else ["prefix"]  # a track keeps its name, so it shows what comes before
    for kind in KINDS:
        if kind not in templates or not templates[kind].is_decided:
            open_keys.append(kind)
        if kind in VIEWS and kind not in seen:
            open_keys.append(f"{kind}_unnamed")
    return Learned(
        naming=attrs.evolve(naming, prefix=prefix, **changes),
        agree=sum(template.agree for template in templates.values()),
        undecided=tuple(open_keys),
    )


def _only(kind: str, template: str, unnamed: str) -> dict[str, Any]:
    """Give the keys of one type of call."""
    return {kind: template, f"{kind}_unnamed": unnamed} if kind in VIEWS else {kind: template}


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


# -- The prefix -------------------------------------------------------------------------------------------------------


def _prefixes(samples: Samples, naming: EventNaming) -> Iterator[str]:
    """List the prefixes that are weighed: the current one, what comes before parts, what all names share."""
    every = [name for kind in KINDS for sample in samples.of(kind) for name in sample.names]
    before = Counter(
        name[:at]
        for kind in KINDS
        for sample in _few(samples.of(kind))
        for name in islice(sample.names, 1)
        for at, _ in _spots(name, sample.parts)
    )
    likely = [prefix for prefix, _ in before.most_common(_MAX_PREFIXES)]
    plain = [prefix for prefix in (*likely, _common(every), "") if "{" not in prefix and "}" not in prefix]
    yield from dict.fromkeys([naming.prefix, *plain])


def _common(names: Iterable[str]) -> str:
    """Give what all names begin with."""
    first, last = min(names, default=""), max(names, default="")
    for at, (one, two) in enumerate(zip(first, last, strict=False)):
        if one != two:
            return first[:at]
    return first[: len(last)]


def _written(prefix: str) -> str:
    """Give a prefix as names have it: the configuration may have escaped its braces."""
    return EventNaming(prefix=prefix).full_name(Track(event=_UNNAMED)).removesuffix(_UNNAMED)


# -- The template of one type of call ---------------------------------------------------------------------------------


def _template(samples: Sequence[Sample], kind: str, prefix: str, naming: EventNaming) -> Template:
    """Learn the template of one type of call under a prefix."""
    start, prefixed = _written(prefix), attrs.evolve(naming, prefix=prefix)
    best: list[Template] = []
    for text in dict.fromkeys([getattr(naming, kind), *_candidates(samples, kind, start)]):
        least = best[0].agree if best else 0
        found = _held_against(samples, kind, text, prefixed, least)
        if found is None:
            continue
        if best and found.agree > best[0].agree:
            best.clear()
        best.append(found)
    parts = TEMPLATE_PARTS[kind]
    # Of what agrees as often: the current one, else the one that says least by itself.
    chosen = best[0] if best[0].text == getattr(naming, kind) else max(best, key=lambda each: _generality(each.text))
    seen = {part for sample in samples for part in sample.parts}
    return attrs.evolve(chosen, is_decided=len(best) == 1 and chosen.agree > 0 and seen.issuperset(parts))


def _generality(template: str) -> tuple[int, int]:
    return (template.count("{") - template.count("{{") * 2, -len(template))


def _held_against(samples: Sequence[Sample], kind: str, text: str, naming: EventNaming, least: int) -> Template | None:
    """Count how many names a template gives, `None` where fewer than `least`."""
    meant = attrs.evolve(naming, **_only(kind, text, _UNNAMED))
    start = _written(naming.prefix)
    unnamed = start + _UNNAMED
    left = sum(sum(sample.names.values()) for sample in samples)
    agree = 0
    others: Counter[str] = Counter()
    for sample in samples:
        name = meant.full_name(sample.event)
        if name == unnamed:
            others.update(sample.names)
            continue
        agree += sample.names[name]
        left -= sum(sample.names.values()) - sample.names[name]
        if left < least:
            return None
    found = next(((name, pairs) for name, pairs in others.most_common() if name.startswith(start)), None)
    if found is not None:
        agree += found[1]
    rest = None if found is None else _escaped(found[0].removeprefix(start))
    return None if agree < least else Template(text=text, unnamed=rest, agree=agree, is_decided=False)


def _few(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Choose some samples of each kind: which parts are there makes a kind."""
    seen: Counter[tuple[str, ...]] = Counter()
    for sample in samples:
        kind = tuple(sample.parts)
        seen[kind] += 1
        if seen[kind] <= _FEW:
            yield sample


def _candidates(samples: Sequence[Sample], kind: str, start: str) -> Iterator[str]:
    """List the templates that may be meant."""
    parts = TEMPLATE_PARTS[kind]
    few = list(_few(samples))
    for sample in few:
        if sample.parts or kind not in VIEWS:  # a view without parts has a name of its own
            for name in _likely_names(sample, start):
                yield from islice(_cuts(name, sample.parts), _MAX_TEMPLATES)
    if len(parts) > 1 and not any(len(sample.parts) == len(parts) for sample in few):
        yield from _joined(few, parts, start)


def _likely_names(sample: Sample, start: str) -> list[str]:
    """Give the commonest name of a sample without its prefix, if it can be cut at all."""
    name = sample.names.most_common(1)[0][0]
    return [name.removeprefix(start)] if name.startswith(start) and len(name) <= _MAX_CUT else []


def _spots(name: str, parts: Mapping[str, str]) -> list[tuple[int, str]]:
    """List where a name holds its parts."""
    found: list[tuple[int, str]] = []
    for part, text in parts.items():
        at = name.find(text)
        for _ in range(_MAX_SPOTS):
            if at < 0:
                break
            found.append((at, part))
            at = name.find(text, at + 1)
    return sorted(found)


def _cuts(name: str, parts: Mapping[str, str]) -> Iterator[str]:
    """List the templates that give a name: every choice of places that hold a part, the fullest first."""
    spots = _spots(name, parts)

    def cut(at: int, spot: int) -> Iterator[str]:
        for following in range(spot, len(spots)):
            place, part = spots[following]
            if place >= at:
                head = f"{_escaped(name[at:place])}{{{part}}}"
                yield from (head + rest for rest in cut(place + len(parts[part]), following + 1))
        yield _escaped(name[at:])

    return cut(0, 0)


def _joined(samples: Sequence[Sample], parts: Sequence[str], start: str) -> Iterator[str]:
    """List templates of both parts where no call has both: one of either part, with the other put in anywhere."""
    for part in parts:
        sample = next((each for each in samples if tuple(each.parts) == (part,)), None)
        other = next(name for name in parts if name != part)
        if sample is None or not any(tuple(each.parts) == (other,) for each in samples):
            return
        for name in _likely_names(sample, start):
            for text in islice(_cuts(name, sample.parts), _FEW):
                yield from _with(text, f"{{{other}}}")


def _with(template: str, placeholder: str) -> Iterator[str]:
    """Put a placeholder in at every place of a template, with the space that it takes along where it is missing."""
    for at in range(len(template) + 1):
        head, tail = template[:at], template[at:]
        if head.count("{") == head.count("}"):
            yield f"{head} {placeholder}{tail}"
            yield f"{head}{placeholder}{tail}"
    yield f"{placeholder} {template}"
