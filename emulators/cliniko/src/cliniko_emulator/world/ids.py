"""Record ids as Cliniko has issued them: eight digits for old rows, eighteen or nineteen for newer ones."""

from random import Random

DAY = 86_400
OPENED_DAYS_AGO = 2_600

_LONG_IDS_SINCE_DAYS_AGO = 1_700
_FIRST_SHORT, _SHORT_PER_DAY = 10_000_000, 60_000
_FIRST_LONG, _LONG_PER_DAY = 800_000_000_000_000_000, 520_000_000_000_000


class Ids:
    """Ids grow with age in days and with nothing else: the same clinic made on another day has the same ids."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._issued: set[int] = set()

    def issue(self, days_ago: int) -> int:
        since_long = _LONG_IDS_SINCE_DAYS_AGO - days_ago
        if since_long < 0:
            number = _FIRST_SHORT + (OPENED_DAYS_AGO - days_ago) * _SHORT_PER_DAY + self._rng.randrange(_SHORT_PER_DAY)
        else:
            number = _FIRST_LONG + since_long * _LONG_PER_DAY + self._rng.randrange(_LONG_PER_DAY)
        while number in self._issued:
            number += 1
        self._issued.add(number)
        return number
