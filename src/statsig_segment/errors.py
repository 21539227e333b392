"""The error family, issues, and the one table of their codes; imports nothing of ours.

The class of an error says whose fault it is. A code is stable, a message is for people and may change. Neither a code,
a path nor a message ever holds a value of the payload (TR-3); a path may contain names of keys.
"""

from collections.abc import Iterable
from json.encoder import encode_basestring as quote
from typing import Any

import attrs

from statsig_segment.rulebook import CODES


def _meaning(issue: Any) -> str:
    return CODES[issue.code].meaning


@attrs.frozen(kw_only=True)
class Issue:
    """Something about the input that its sender should know; it never changes what is sent.

    >>> Issue(code="id_invalid", path="$.userId").message
    'not usable as an ID: expected a non-empty string or a whole number'
    """

    code: str
    """One of the issue codes; stable."""
    path: str
    """The wire path of the source, such as `$.properties.statsigCustomIDs[3]`."""
    message: str = attrs.field(default=attrs.Factory(_meaning, takes_self=True))
    """For people, and may change; by default the meaning of the code."""


def add_issue(issues: list[Issue], code: str, path: str, message: str | None = None) -> None:
    """Add an issue to a list, with a message of its own where that of the code does not say enough."""
    issues.append(Issue(code=code, path=path, message=message or CODES[code].meaning))


class StatsigSegmentError(ValueError):
    """The root of every error that this library raises.

    `code` is stable, `path` is the wire path of the place or `None`, and `str(error)` is the message. Errors compare by
    value and can be pickled.
    """

    def __init__(self, code: str, path: str | None = None, message: str | None = None) -> None:
        """Make an error from its code; the message is the meaning of the code unless another is given."""
        super().__init__(message or CODES[code].meaning)
        self.code = code
        self.path = path

    def _facts(self) -> tuple[Any, ...]:
        return (self.code, self.path, str(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, path={self.path!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._facts() == self._facts()

    def __hash__(self) -> int:
        return hash((type(self), *self._facts()))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), self._facts())


class SegmentEventError(StatsigSegmentError):
    """The input is not a Segment call that this library supports (IN-1 to IN-3, IN-8)."""


class StatsigEventError(StatsigSegmentError):
    """The input is not a Statsig event (OU-1, OU-2)."""


class TranslationError(StatsigSegmentError):
    """A readable event that cannot be translated (ID-6, AU-2, OU-4, OU-8)."""


class SignatureError(StatsigSegmentError):
    """A signature that cannot be trusted (TR-1, TR-2)."""


class ConfigError(StatsigSegmentError):
    """A configuration that cannot be used; `issues` lists every problem, each with its path."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        """Make one error of all problems found; `code` and `path` are those of the first."""
        self.issues = tuple(issues)
        first = self.issues[0]
        super().__init__(first.code, first.path, "\n".join(f"{issue.path}: {issue.message}" for issue in self.issues))

    def _facts(self) -> tuple[Any, ...]:
        return (self.issues,)


def join_path(path: str, key: str) -> str:
    """Return the wire path of `key` inside the object at `path`.

    >>> join_path("$.properties", "plan"), join_path("$.properties", "cart value")
    ('$.properties.plan', '$.properties["cart value"]')
    """
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{quote(key)}]"
