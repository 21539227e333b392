"""Learn how events are named: a prefix, and a template for each type of call, from names that Statsig holds (US-6).

A name is cut where it holds the parts of its call; each way to cut it is a template that may be meant. Each of these
templates is then held against all names, by naming the calls with it, and the one that gives the most of them stays.
Which space a missing part takes along depends on where the template begins, so the prefix is chosen first: among what
comes before a part in some name, and what all names have in common.

A template without a placeholder gives all calls of a type one name. Where no template fits (names in snake_case, say)
the commonest name would win like that, so it counts only where it fits nearly all pairs, and for tracks those of
several names.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, permutations
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.values import EMPTY, FrozenDict
from statsig_segment.configuration.event_names import TEMPLATE_PARTS, EventNaming
from statsig_segment.insight.comparison.archive import Json, object_of
from statsig_segment.insight.comparison.likeness import is_trimmed
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.segment.calls import Track, name_part

KINDS: Final = ("track", "page", "screen", "group")
"""The types of call that have names."""
_VIEWS: Final = ("page", "screen")
"""The types that have another name where no part is there."""
_READERS: Final[Mapping[str, Callable[[Any], str | None]]] = FrozenDict(
    {segment.EVENT: str, segment.GROUP_ID: coerce_id, segment.NAME: name_part, segment.CATEGORY: name_part}
)
"""Part of a name -> what reads it from the field of that name."""
_NEARLY_ALL: Final = 0.95
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

    parts: Mapping[str, str]
    names: Counter[str]
    """Name -> pairs."""


class Samples:
    """Names by type of call and parts, in bounded memory: with and without parts from properties (US-6)."""

    def __init__(self) -> None:
        """Start empty."""
        self._held: defaultdict[tuple[bool, str], dict[tuple[Any, ...], Sample]] = defaultdict(dict)

    def add(self, call: Json, here: Json, held: Json) -> None:
        """Add the name that Statsig holds of a call, unless it is trimmed: that would look like another template."""
        name, kind = held[statsig.EVENT_NAME], call[segment.TYPE]
        if is_trimmed(here[statsig.EVENT_NAME], name):
            return
        for way in (False, True):
            samples, parts = self._held[way, kind], _parts(call, from_properties=way)
            key = tuple(parts.items())
            if key not in samples and len(samples) < _MAX_SAMPLES:
                samples[key] = Sample(parts, Counter())
            if key in samples:
                samples[key].names[name] += 1

    def by_kind(self, *, from_properties: bool) -> "_Kinds":
        """Return the samples of each type of call that has any."""
        found = {kind: list(self._held[from_properties, kind].values()) for kind in KINDS}
        return {kind: samples for kind, samples in found.items() if samples}


def _parts(call: Json, *, from_properties: bool) -> dict[str, str]:
    kind = call[segment.TYPE]
    more = object_of(call.get(segment.PROPERTIES)) if from_properties and kind in _VIEWS else EMPTY
    parts = {part: _READERS[part](call.get(part)) or name_part(more.get(part)) for part in TEMPLATE_PARTS[kind]}
    return {part: text for part, text in parts.items() if text}


class Naming(NamedTuple):
    """A naming that was learned."""

    naming: EventNaming
    agree: int
    """Pairs whose name it gives."""
    undecided: tuple[str, ...]
    """Keys that the names cannot decide."""
    unfit: tuple[str, ...]
    """The types of call whose names follow no template."""


def learn_naming(samples: Samples, current: EventNaming) -> Naming:
    """Return the prefix and the templates that fit the most names; the current ones win a tie (US-5, US-6)."""
    own = _learn(samples, current)
    other = _learn(samples, attrs.evolve(current, from_properties=not current.from_properties))
    if own.agree == other.agree:
        return own._replace(undecided=(*own.undecided, "from_properties"))
    return max(own, other, key=lambda each: each.agree)


class _Fit(NamedTuple):
    """How well a template gives the names of one type of call."""

    text: str
    unnamed: str | None
    """The name of calls without parts, `None` if none was seen."""
    agree: int
    """Pairs whose name it gives."""


_Kinds: TypeAlias = Mapping[str, Sequence[Sample]]
_Fits: TypeAlias = Mapping[str, Sequence[_Fit]]
"""Type of call -> the templates that fit equally well, the preferred one first."""


def _learn(samples: Samples, current: EventNaming) -> Naming:
    kinds = samples.by_kind(from_properties=current.from_properties)
    _, naming, fits = max(_trials(kinds, current), key=itemgetter(0))
    chosen = {kind: equals[0] for kind, equals in fits.items()}
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
        unfit=tuple(kind for kind, fit in chosen.items() if fit.agree < _NEARLY_ALL * _pairs(kinds[kind])),
    )


def _trials(kinds: _Kinds, current: EventNaming) -> Iterator[tuple[Any, EventNaming, _Fits]]:
    """Yield each prefix with the templates that fit best under it, and its rank."""
    own = {kind: getattr(current, kind) for kind in kinds}
    before = {kind: _held_against(found, kind, own[kind], current).agree for kind, found in kinds.items()}
    for prefix in _prefixes(kinds, current):
        naming = attrs.evolve(current, prefix=prefix)
        fits = {kind: _best_fits(found, kind, naming) for kind, found in kinds.items()}
        agree = sum(equals[0].agree for equals in fits.values())
        # A prefix must not cost one type of call what another gains.
        is_worse = any(before[kind] > equals[0].agree for kind, equals in fits.items())
        kept = sum(equals[0].text == own[kind] for kind, equals in fits.items())
        yield (not is_worse, agree, prefix == current.prefix, kept, -len(prefix)), naming, fits
        # Nothing can beat a current prefix that explains every name, which is the usual case.
        if prefix == current.prefix and agree == sum(map(_pairs, kinds.values())):
            return


def _pairs(samples: Iterable[Sample]) -> int:
    return sum(sample.names.total() for sample in samples)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _prefixes(kinds: _Kinds, naming: EventNaming) -> Iterator[str]:
    """Yield the prefixes to weigh: the current one, the text before parts, and what all names share."""
    few = [sample for samples in kinds.values() for sample in _few(samples)]
    firsts = [(next(iter(sample.names)), sample.parts) for sample in few]
    before = Counter(name[:at] for name, parts in firsts for at, _ in _spots(name, parts))
    every = [name for samples in kinds.values() for sample in samples for name in sample.names]
    first, last = min(every, default=""), max(every, default="")
    common = next(first[:at] for at in range(len(first), -1, -1) if last.startswith(first[:at]))
    likely = (*(prefix for prefix, _ in before.most_common(_MAX_PREFIXES)), common, "")
    yield from dict.fromkeys((naming.prefix, *(prefix for prefix in likely if "{" not in prefix and "}" not in prefix)))


# -- The template of one type of call ---------------------------------------------------------------------------------


def _best_fits(samples: Sequence[Sample], kind: str, naming: EventNaming) -> list[_Fit]:
    """Return the templates that give the most names under a prefix: the current one, then the most general one first.

    A template is the more general, the more placeholders it has, and the less text of its own.
    """
    current = getattr(naming, kind)
    best: list[_Fit] = []
    is_one_name_likely = kind != Track.type or len(samples) >= _SEVERAL
    enough = _NEARLY_ALL * _pairs(samples)
    for text in dict.fromkeys([current, *_candidates(samples, kind, naming.prefix.format())]):
        fit = _held_against(samples, kind, text, naming, best[0].agree if best else 0)
        if text != current and not _placeholders(text) and not (is_one_name_likely and fit.agree >= enough):
            continue
        if not best or fit.agree > best[0].agree:
            best = [fit]
        elif fit.agree == best[0].agree:
            best.append(fit)
    return sorted(best, key=lambda fit: (fit.text != current, -_placeholders(fit.text), len(fit.text)))


def _placeholders(template: str) -> int:
    return template.count("{") - template.count("{{") * 2


def _held_against(samples: Sequence[Sample], kind: str, text: str, naming: EventNaming, least: int = 0) -> _Fit:
    """Return how many names a template gives; stop early once it must be fewer than `least`."""
    changes: dict[str, Any] = {kind: text} | ({f"{kind}_unnamed": _UNNAMED} if kind in _VIEWS else {})
    meant, start = attrs.evolve(naming, **changes), naming.prefix.format()
    left, agree = _pairs(samples), 0
    others: Counter[str] = Counter()
    for sample in samples:
        name = start + meant.filled(kind, sample.parts)
        if name == start + _UNNAMED:
            others.update(sample.names)
            continue
        agree += sample.names[name]
        left -= sample.names.total() - sample.names[name]
        if left < least:
            return _Fit(text, None, -1)
    unnamed = next((name for name, _ in others.most_common() if name.startswith(start)), None)
    if unnamed is None:
        return _Fit(text, None, agree)
    return _Fit(text, _escaped(unnamed.removeprefix(start)), agree + others[unnamed])


def _few(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield a few samples for each combination of parts."""
    seen: Counter[tuple[str, ...]] = Counter()
    for sample in samples:
        kind = tuple(sample.parts)
        seen[kind] += 1
        if seen[kind] <= _FEW:
            yield sample


def _candidates(samples: Sequence[Sample], kind: str, start: str) -> Iterator[str]:
    """Yield the templates that may be meant."""
    few = list(_few(samples))
    for sample in few:
        if sample.parts or kind not in _VIEWS:  # a view without parts has a name of its own
            yield from islice(_cuts(sample, start), _MAX_TEMPLATES)
    # When no call has both parts: a template of one, with the other inserted anywhere.
    firsts = {tuple(sample.parts): sample for sample in reversed(few)}
    for part, other in permutations(TEMPLATE_PARTS[kind], 2):
        if TEMPLATE_PARTS[kind] not in firsts and {(part,), (other,)} <= firsts.keys():
            for text in islice(_cuts(firsts[part,], start), _FEW):
                yield from _with(text, f"{{{other}}}")


def _spots(name: str, parts: Mapping[str, str]) -> list[tuple[int, str]]:
    """Return the positions at which a name holds its parts."""
    found = {part: re.finditer(f"(?={re.escape(text)})", name) for part, text in parts.items()}
    return sorted((spot.start(), part) for part, spots in found.items() for spot in islice(spots, _MAX_SPOTS))


def _cuts(sample: Sample, start: str) -> Iterator[str]:
    """Yield the templates that give the commonest name of a sample, those with the most parts first."""
    [(whole, _)] = sample.names.most_common(1)
    if not whole.startswith(start) or len(whole) > _MAX_CUT:
        return
    name, parts = whole.removeprefix(start), sample.parts
    spots = _spots(name, parts)

    def cut(at: int, spot: int) -> Iterator[str]:
        for following in range(spot, len(spots)):
            place, part = spots[following]
            if place >= at:
                head = f"{_escaped(name[at:place])}{{{part}}}"
                yield from (head + rest for rest in cut(place + len(parts[part]), following + 1))
        yield _escaped(name[at:])

    yield from cut(0, 0)


def _with(template: str, placeholder: str) -> Iterator[str]:
    """Yield a template with a placeholder inserted at each position, with and without the space that goes with it."""
    for at in range(len(template) + 1):
        head, tail = template[:at], template[at:]
        # Only outside the other placeholder.
        if head.count("{") == head.count("}"):
            yield f"{head} {placeholder}{tail}"
            yield f"{head}{placeholder}{tail}"
    yield f"{placeholder} {template}"
