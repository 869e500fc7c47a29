"""Which of the forms an answer can take suits the asker best."""

from collections.abc import Sequence
from itertools import product

JSON, CSV = "application/json", "text/csv"


def preferred(accept: str, offered: Sequence[str]) -> str:
    """The form `accept` gives the highest quality; of equals, and when it accepts none, the first offered."""
    ranges = [_range(part) for part in (accept or "*/*").split(",")]
    return max(offered, key=lambda form: _quality(form, ranges))


def _quality(form: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Of the ranges that fit, the most specific one counts."""
    kind = form.partition("/")[0]
    for pattern, (name, quality) in product((form, f"{kind}/*", "*/*"), ranges):
        if name == pattern:
            return quality
    return 0.0


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    given = next((value for key, _, value in map(_pair, parameters) if key == "q"), "1")
    try:
        return name, min(max(float(given), 0.0), 1.0)
    except ValueError:
        return name, 0.0


def _pair(parameter: str) -> tuple[str, str, str]:
    return parameter.partition("=")
