"""How JavaScript prints numbers and trees (US-7); no rule of translation."""

import re
from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring as _quote
from math import isfinite
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final, cast

from statsig_segment.errors import TranslationError

_SURROGATE: Final = re.compile(f"[{chr(0xD800)}-{chr(0xDFFF)}]")  # mypyc takes no surrogate in a literal


def json_text(value: Any) -> tuple[str, bool]:
    """Write a tree of exact JSON values as `JSON.stringify` does, and return whether all its numbers were finite.

    The text is compact, with the order of keys and non-ASCII characters kept. A number that is not finite becomes
    null, and a lone surrogate is escaped.

    Raises:
        TranslationError: With code `number_too_long`, for an integer that Python refuses to print.

    >>> json_text({"a": [1.0, True, None], "é": float("nan")})
    ('{"a":[1,true,null],"é":null}', False)

    """
    unprintable: list[float] = []
    return well_formed(_written(value, unprintable)), not unprintable


def property_texts(properties: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Write properties as text, and return with them the keys of those with a number that is not finite (US-7).

    A string stays the same, an object or array becomes JSON text, and anything else prints as JavaScript prints it.
    Null and a number that is not finite have no text.

    >>> property_texts({"a": "x", "b": 1.0, "c": [1, "a"], "d": None, "e": float("inf")})
    ({'a': 'x', 'b': '1', 'c': '[1,"a"]'}, ['e'])
    """
    texts: dict[str, str] = {}
    odd: list[str] = []
    for key, value in properties.items():
        if type(value) is str:
            texts[key] = value
        elif value is not None:
            text, is_finite = (_TEXTS[type(value)](value), True) if type(value) in _TEXTS else json_text(value)
            if text is not None:
                texts[key] = text
            if text is None or not is_finite:
                odd.append(key)
    return texts, odd


def _written(value: Any, unprintable: list[float]) -> str:
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value).items()
        return f"{{{','.join([f'{_quote(key)}:{_written(item, unprintable)}' for key, item in entries])}}}"
    if isinstance(value, (list, tuple)):
        return f"[{','.join([_written(item, unprintable) for item in cast('Iterable[Any]', value)])}]"
    if value is None:
        return "null"
    text = scalar_text(value)
    if text is None:
        unprintable.append(value)
    return text or "null"


def sorted_text(value: Any) -> str:
    """Write a tree as `json_text` does, but with keys in order of code points and lone surrogates as they are.

    >>> sorted_text({"b": 1.0, "a": [{"d": None, "c": "é"}]})
    '{"a":[{"c":"é","d":null}],"b":1}'
    """
    return _written(_sorted(value), [])


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in sorted(cast("dict[str, Any]", value).items(), key=itemgetter(0))}
    return [_sorted(item) for item in cast("Iterable[Any]", value)] if isinstance(value, list) else value


def well_formed(text: str) -> str:
    """Escape lone surrogates, as `JSON.stringify` does."""
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def scalar_text(value: str | float) -> str | None:
    """Return a string unchanged, and a number or boolean as JavaScript prints it; `None` if it is not finite.

    >>> [scalar_text(x) for x in ("x", True, 1.0, 1e21, 1e-7, 12345678901234567890, float("inf"))]
    ['x', 'true', '1', '1e+21', '1e-7', '12345678901234567890', None]
    """
    return _TEXTS[type(value)](value)


def integer_text(number: int) -> str:
    """Print all digits of an integer.

    Raises:
        TranslationError: With code `number_too_long`, where Python refuses to.

    """
    try:
        return str(number)
    except ValueError:
        pass
    raise TranslationError("number_too_long")


def float_text(number: float) -> str | None:
    """Print a float by Number::toString of ECMA-262; Python has the same digits, but other exponents (US-7)."""
    if not isfinite(number):
        return None
    if number == 0:
        return "0"
    text = repr(number)
    if "e" not in text:
        return text.removesuffix(".0")
    mantissa, _, exponent = text.removeprefix("-").partition("e")
    # The value is 0.digits x 10^point, the `n` of the standard.
    return ("-" if number < 0 else "") + _shifted(mantissa.replace(".", ""), int(exponent) + 1)


def _shifted(digits: str, point: int) -> str:
    """Write a number for which Python needs an exponent, by the bounds of ECMA-262, Number::toString: 21 and -6."""
    if 0 < point <= 21:  # noqa: PLR2004 - the standard's own number
        return digits.ljust(point, "0")
    if -6 < point <= 0:  # noqa: PLR2004 - the standard's own number
        return f"0.{'0' * -point}{digits}"
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"


_TEXTS: Final[Mapping[type, Callable[[Any], str | None]]] = MappingProxyType(
    {str: str, bool: {True: "true", False: "false"}.__getitem__, int: integer_text, float: float_text}
)
"""Exact type of a scalar -> how its values are printed."""
