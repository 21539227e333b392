"""Learn how events are named: a prefix, and a template for each type of call, from names that Statsig holds (US-6).

A name is cut where it holds the parts of its call; each way to cut it is a template that may be meant. Each of these
templates is then held against all names, by naming the calls with it, and the one that gives the most of them stays.
Which space a missing part takes along depends on where the template begins, so the prefix is chosen first: among what
comes before a part in some name, and what all names have in common.

A template without a placeholder gives all calls of a type one name. Where no template fits (names in snake_case, say)
the commonest name would win like that, so it counts only where it fits nearly all pairs, and for tracks those of
several names.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import attrs

from statsig_segment import segment
from statsig_segment.configuration.event_names import TEMPLATE_PARTS, EventNaming, Named
from statsig_segment.insight.comparison.archive import Json, object_of
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.segment.calls import Group, Page, Screen, Track, name_part

KINDS: Final = ("track", "page", "screen", "group")
"""The types of call that have names."""
_VIEWS: Final = ("page", "screen")
"""The types that have another name where no part is there."""
NEARLY_ALL: Final = 0.95
"""The share of pairs that a name without a placeholder must fit. A constant name fits its own calls by definition, so
it has to explain nearly all; below this share, the names follow no template."""
_SEVERAL: Final = 3
"""The fewest names from which tracks show a template; with fewer, each may have been renamed individually."""

_UNNAMED: Final = "\x00"
"""Takes the place of the name of a call without parts while a template is compared with names."""
_MAX_SAMPLES: Final = 1000
"""The most different parts that are kept for one type of call. Pages have as many as there are titles, and a thousand
show the template as well as a million."""
_MAX_CUT: Final = 300
"""The longest name that is searched for parts: Statsig trims names at 128 characters, perhaps without the prefix."""
_MAX_SPOTS: Final = 4
"""The most positions at which one part is looked for: a part such as `a` may be at many positions in a name."""
_MAX_TEMPLATES: Final = 128
"""The most templates from one name, those with the most placeholders first; each position doubles their number."""
_FEW: Final = 8
"""The most names that are searched among calls with the same parts. They share a template, so one nearly suffices; more
guard against a name that Statsig trimmed or someone renamed."""
_MAX_PREFIXES: Final = 12
"""The most prefixes that are weighed, the commonest first; each costs a search for all templates."""


class Sample(NamedTuple):
    """Calls of one type with the same parts, and the names that Statsig has for them."""

    event: Named
    parts: Mapping[str, str]
    names: Counter[str]
    """Name -> pairs."""


class Samples:
    """Names by type of call and parts, in bounded memory."""

    def __init__(self, *, from_properties: bool) -> None:
        """Begin with none; parts may come `from_properties` as well (US-6)."""
        self._from_properties = from_properties
        self._held: dict[str, dict[tuple[str | None, ...], Sample]] = {kind: {} for kind in KINDS}

    def add(self, call: Json, name: str) -> None:
        """Add the name that Statsig holds of a call."""
        kind = call[segment.TYPE]
        parts = {part: text for part in TEMPLATE_PARTS[kind] if (text := self._part(call, part)) is not None}
        held, key = self._held[kind], tuple(map(parts.get, TEMPLATE_PARTS[kind]))
        if key not in held:
            if len(held) >= _MAX_SAMPLES:
                return
            held[key] = Sample(_named(kind, parts), parts, Counter())
        held[key].names[name] += 1

    def _part(self, call: Json, part: str) -> str | None:
        value = call.get(part)
        if part == segment.EVENT:
            return str(value)
        if part == segment.GROUP_ID:
            return coerce_id(value)
        own = name_part(value)
        if own is None and self._from_properties:
            return name_part(object_of(call.get(segment.PROPERTIES)).get(part))
        return own

    def of(self, kind: str) -> list[Sample]:
        """Return all samples of one type of call."""
        return list(self._held[kind].values())


def _named(kind: str, parts: Mapping[str, str]) -> Named:
    """Return a call that has some parts and nothing else."""
    if kind == Track.type:
        return Track(event=parts[segment.EVENT])
    if kind == Group.type:
        return Group(group_id=parts.get(segment.GROUP_ID))
    model = Page if kind == Page.type else Screen
    return model(name=parts.get(segment.NAME), category=parts.get(segment.CATEGORY))


class Fit(NamedTuple):
    """How well a template gives the names of one type of call."""

    text: str
    unnamed: str | None
    """The name of calls without parts, `None` if none was seen."""
    agree: int
    """Pairs whose name it gives."""


class Naming(NamedTuple):
    """A naming that was learned."""

    naming: EventNaming
    agree: int
    undecided: tuple[str, ...]
    """Keys that the names cannot decide."""
    unfit: tuple[str, ...]
    """The types of call whose names follow no template."""


def learn(samples: Samples, current: EventNaming) -> Naming:
    """Return the prefix and the templates that fit the most names; the current ones win a tie."""
    kinds = {kind: found for kind in KINDS if (found := samples.of(kind))}
    before = {kind: _held_against(found, kind, getattr(current, kind), current, 0) for kind, found in kinds.items()}
    best: tuple[Any, Naming] | None = None
    total = sum(map(_pairs, kinds.values()))
    for prefix in _prefixes(kinds, current):
        prefixed = attrs.evolve(current, prefix=prefix)
        fits = {kind: _best_fits(found, kind, prefixed) for kind, found in kinds.items()}
        chosen = {kind: _chosen(each, getattr(current, kind)) for kind, each in fits.items()}
        agree = sum(fit.agree for fit in chosen.values())
        is_worse = any(
            before[kind].agree > fit.agree for kind, fit in chosen.items()
        )  # a prefix must not cost one type of call what another gains
        kept = sum(fit.text == getattr(current, kind) for kind, fit in chosen.items())
        rank = (not is_worse, agree, prefix == current.prefix, kept, -len(prefix))
        if best is None or rank > best[0]:
            best = rank, _learned(prefixed, kinds, fits, chosen)
        # Nothing can beat a current prefix that explains every name, which is the usual case.
        if agree == total and prefix == current.prefix:
            break
    assert best is not None  # noqa: S101 - the current prefix is always among them
    return best[1]


def _learned(
    naming: EventNaming,
    kinds: Mapping[str, Sequence[Sample]],
    fits: Mapping[str, Sequence[Fit]],
    chosen: Mapping[str, Fit],
) -> Naming:
    changes: dict[str, Any] = {kind: fit.text for kind, fit in chosen.items()}
    changes |= {f"{kind}_unnamed": fit.unnamed for kind, fit in chosen.items() if fit.unnamed is not None}
    open_keys = [] if Track.type in kinds else ["prefix"]  # by default a track keeps its name, so it shows the prefix
    for kind in KINDS:
        seen = {part for sample in kinds.get(kind, ()) for part in sample.parts}
        is_decided = kind in kinds and len(fits[kind]) == 1 and chosen[kind].agree > 0
        if not is_decided or not seen.issuperset(TEMPLATE_PARTS[kind]):
            open_keys.append(kind)
        if kind in _VIEWS and f"{kind}_unnamed" not in changes:
            open_keys.append(f"{kind}_unnamed")
    return Naming(
        naming=attrs.evolve(naming, **changes),
        agree=sum(fit.agree for fit in chosen.values()),
        undecided=tuple(open_keys),
        unfit=tuple(kind for kind, fit in chosen.items() if fit.agree < NEARLY_ALL * _pairs(kinds[kind])),
    )


def _pairs(samples: Iterable[Sample]) -> int:
    return sum(sum(sample.names.values()) for sample in samples)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


# -- The prefix -------------------------------------------------------------------------------------------------------


def _prefixes(kinds: Mapping[str, Sequence[Sample]], naming: EventNaming) -> Iterator[str]:
    """Return the prefixes to weigh: the current one, the text before parts, and what all names share."""
    every = [name for samples in kinds.values() for sample in samples for name in sample.names]
    before = Counter(
        name[:at]
        for samples in kinds.values()
        for sample in _few(samples)
        for name in islice(sample.names, 1)
        for at, _ in _spots(name, sample.parts)
    )
    likely = [prefix for prefix, _ in before.most_common(_MAX_PREFIXES)]
    plain = [prefix for prefix in (*likely, _common(every), "") if "{" not in prefix and "}" not in prefix]
    yield from dict.fromkeys([naming.prefix, *plain])


def _common(names: Sequence[str]) -> str:
    """Return what all names begin with."""
    first, last = min(names, default=""), max(names, default="")
    shared = next((at for at, (one, two) in enumerate(zip(first, last, strict=False)) if one != two), len(first))
    return first[:shared]


def written(prefix: str) -> str:
    """Return a prefix as names have it: the configuration may have escaped its braces."""
    return EventNaming(prefix=prefix).full_name(Track(event=_UNNAMED)).removesuffix(_UNNAMED)


# -- The template of one type of call ---------------------------------------------------------------------------------


def _best_fits(samples: Sequence[Sample], kind: str, naming: EventNaming) -> list[Fit]:
    """Return the templates that produce the most names under a prefix, the current one first if it is among them."""
    best: list[Fit] = []
    is_one_name_likely = kind != Track.type or len(samples) >= _SEVERAL
    enough = NEARLY_ALL * _pairs(samples)
    for text in dict.fromkeys([getattr(naming, kind), *_candidates(samples, kind, written(naming.prefix))]):
        fit = _held_against(samples, kind, text, naming, best[0].agree if best else 0)
        is_constant = not _generality(text)[0] and text != getattr(naming, kind)
        if is_constant and not (is_one_name_likely and fit.agree >= enough):
            continue
        if not best or fit.agree > best[0].agree:
            best = [fit]
        elif fit.agree == best[0].agree:
            best.append(fit)
    return best


def _chosen(fits: Sequence[Fit], current: str) -> Fit:
    """Return the current template if it is among the best, else the one with the least text of its own."""
    return fits[0] if fits[0].text == current else max(fits, key=lambda fit: _generality(fit.text))


def _generality(template: str) -> tuple[int, int]:
    """Return how general a template is: the number of placeholders, then the shortness of its text."""
    return (template.count("{") - template.count("{{") * 2, -len(template))


def _held_against(samples: Sequence[Sample], kind: str, text: str, naming: EventNaming, least: int) -> Fit:
    """Return how many names a template gives; stop early once it must be fewer than `least`."""
    changes: dict[str, Any] = {kind: text} | ({f"{kind}_unnamed": _UNNAMED} if kind in _VIEWS else {})
    meant = attrs.evolve(naming, **changes)
    start = written(naming.prefix)
    left, agree = _pairs(samples), 0
    others: Counter[str] = Counter()
    for sample in samples:
        name = meant.full_name(sample.event)
        if name == start + _UNNAMED:
            others.update(sample.names)
            continue
        agree += sample.names[name]
        left -= sum(sample.names.values()) - sample.names[name]
        if left < least:
            return Fit(text, None, -1)
    unnamed = next((name for name, _ in others.most_common() if name.startswith(start)), None)
    if unnamed is None:
        return Fit(text, None, agree)
    return Fit(text, _escaped(unnamed.removeprefix(start)), agree + others[unnamed])


def _few(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield a few samples for each combination of parts."""
    seen: Counter[tuple[str, ...]] = Counter()
    for sample in samples:
        kind = tuple(sample.parts)
        seen[kind] += 1
        if seen[kind] <= _FEW:
            yield sample


def _candidates(samples: Sequence[Sample], kind: str, start: str) -> Iterator[str]:
    """Return the templates that may be meant."""
    parts = TEMPLATE_PARTS[kind]
    few = list(_few(samples))
    for sample in few:
        if sample.parts or kind not in _VIEWS:  # a view without parts has a name of its own
            for name in _likely_names(sample, start):
                yield from islice(_cuts(name, sample.parts), _MAX_TEMPLATES)
    if len(parts) > 1 and not any(len(sample.parts) == len(parts) for sample in few):
        yield from _joined(few, parts, start)


def _likely_names(sample: Sample, start: str) -> list[str]:
    """Return the commonest name of a sample without its prefix, if it can be cut at all."""
    name = sample.names.most_common(1)[0][0]
    return [name.removeprefix(start)] if name.startswith(start) and len(name) <= _MAX_CUT else []


def _spots(name: str, parts: Mapping[str, str]) -> list[tuple[int, str]]:
    """Return the positions at which a name holds its parts."""
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
    """Yield the templates that produce a name, one for each choice of positions, those with the most parts first."""
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
    """Yield templates of both parts when no call has both: a template of one, with the other inserted anywhere."""
    for part in parts:
        sample = next((each for each in samples if tuple(each.parts) == (part,)), None)
        other = next(name for name in parts if name != part)
        if sample is None or not any(tuple(each.parts) == (other,) for each in samples):
            return
        for name in _likely_names(sample, start):
            for text in islice(_cuts(name, sample.parts), _FEW):
                yield from _with(text, f"{{{other}}}")


def _with(template: str, placeholder: str) -> Iterator[str]:
    """Yield a template with a placeholder inserted at each position, with and without the space that goes with it."""
    for at in range(len(template) + 1):
        head, tail = template[:at], template[at:]
        # Only outside the other placeholder.
        if head.count("{") == head.count("}"):
            yield f"{head} {placeholder}{tail}"
            yield f"{head}{placeholder}{tail}"
    yield f"{placeholder} {template}"
