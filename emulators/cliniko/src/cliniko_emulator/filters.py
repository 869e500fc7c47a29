"""Cliniko's `q[]=column:<operator><value>`: read one condition, and tell whether a value meets it."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any

Test = Callable[[Any], bool]
# A comparison and what it compares with: (">=", 1735689600.0).
Bound = tuple[str, float]


class Kind(Enum):
    """A column's type in Cliniko's OpenAPI file; the value lists the operators it takes."""

    DATE = ("=", ">=", ">", "<=", "<", "?", "!?")
    DATETIME = (">=", ">", "<=", "<", "?", "!?", "*")
    INTEGER = ("=", "!=", ">=", ">", "<=", "<", "?", "!?")
    STRING = ("=", "!=", "~", "~~", "?", "!?")
    BOOLEAN = ("=", "!=")
    ARRAY = ("~",)


class QueryError(Exception):
    """The query string asks for what Cliniko refuses with a 400; the text is its message."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One `q[]`, equal to another by its text; `test` is None when any value will do (`*`).

    `bound` and `among` say the same as `test` where an index can answer: a range, or a list of ids.
    """

    text: str
    column: str = field(compare=False)
    test: Test | None = field(compare=False)
    bound: Bound | None = field(default=None, compare=False)
    among: frozenset[int] | None = field(default=None, compare=False)


_OPERATOR = re.compile(r"(>=|<=|!=|!\?|~~|[><=~?*])(.*)", re.DOTALL)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}
_NULL_TESTS: dict[str, Test | None] = {
    "?": lambda held: held is not None,
    "!?": lambda held: held is None,
    "*": None,
}


def parse(text: str, columns: Mapping[str, Kind]) -> Condition:
    """Raises QueryError with Cliniko's own words where they are known."""
    column, _, rest = text.partition(":")
    kind = columns.get(column)
    if kind is None:
        raise QueryError(f"{column} is not filterable")
    match = _OPERATOR.fullmatch(rest)
    if match is None or match[1] not in kind.value:
        raise QueryError(f"Filter operator for {column} is not supported")
    sign, value = match.groups()
    return Condition(
        text, column, _test(column, kind, sign, value), _bound(kind, sign, value), _among(kind, sign, value)
    )


def _bound(kind: Kind, sign: str, text: str) -> Bound | None:
    read = {Kind.INTEGER: _number, Kind.DATETIME: _moment}.get(kind)
    return (sign, read(text)) if read and sign in {">", ">=", "<", "<="} else None


def _among(kind: Kind, sign: str, text: str) -> frozenset[int] | None:
    return frozenset(map(_number, text.split(","))) if kind is Kind.INTEGER and sign == "=" else None


def _test(column: str, kind: Kind, sign: str, text: str) -> Test | None:
    if sign in _NULL_TESTS:
        return _NULL_TESTS[sign]
    try:
        meets = _TESTS[kind](sign, text)
    except (KeyError, ValueError) as error:
        raise QueryError(_COMPLAINTS[kind].format(column=column)) from error
    # As in SQL, a comparison with null is never true, not even `!=`.
    return lambda held: held is not None and meets(held)


def _compare(sign: str, wanted: object) -> Test:
    holds = _COMPARE[sign]
    return lambda held: holds(held, wanted)


def _integer(sign: str, text: str) -> Test:
    if among := _among(Kind.INTEGER, sign, text):
        return among.__contains__
    return _compare(sign, _number(text))


def _number(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]+", text):
        raise ValueError(text)
    return int(text)


def _datetime(sign: str, text: str) -> Test:
    return _compare(sign, _moment(text))


def _moment(text: str) -> float:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text):
        raise ValueError(text)
    return datetime.fromisoformat(text).timestamp()


def _date(sign: str, text: str) -> Test:
    if sign == "=" and re.fullmatch(r"[\d*]{4}-[\d*]{2}-[\d*]{2}", text) and "*" in text:
        pattern = re.compile(text.replace("*", r"\d"))
        return lambda held: pattern.fullmatch(held) is not None
    return _compare(sign, date.fromisoformat(text).isoformat())


def _string(sign: str, text: str) -> Test:
    if sign == "~":
        return lambda held: text.casefold() in held.casefold()
    if sign == "~~":
        pattern = re.compile(".*".join(map(re.escape, text.split("%"))), re.IGNORECASE | re.DOTALL)
        return lambda held: pattern.fullmatch(held) is not None
    return _compare(sign, text)


def _boolean(sign: str, text: str) -> Test:
    return _compare(sign, {"true": True, "false": False}[text])


def _array(_sign: str, text: str) -> Test:
    wanted = _number(text)
    return lambda held: wanted in held


_TESTS: dict[Kind, Callable[[str, str], Test]] = {
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.INTEGER: _integer,
    Kind.STRING: _string,
    Kind.BOOLEAN: _boolean,
    Kind.ARRAY: _array,
}
_COMPLAINTS = {
    Kind.DATE: "Filter value for {column} must be a date",
    Kind.DATETIME: "Timestamp needs to be in UTC format.",
    Kind.INTEGER: "Filter value for {column} must be a number",
    Kind.BOOLEAN: "Filter value for {column} must be true or false",
    Kind.ARRAY: "Filter value for {column} must be a number",
}
