"""Where a clinic lies decides its time zone, its names and its telephone numbers."""

from dataclasses import dataclass
from random import Random
from zoneinfo import ZoneInfo

from cliniko_emulator.records import Phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`mobile` and `landline` are how people write them, `#` a digit to draw; both lie in ranges kept for fiction."""

    locale: str
    zone: ZoneInfo
    zone_label: str
    country: str
    country_code: str
    dialling_code: str
    state: str
    mobile: str
    landline: str

    def phone(self, rng: Random, phone_type: str = "Mobile") -> Phone:
        pattern = self.mobile if phone_type == "Mobile" else self.landline
        number = "".join(str(rng.randrange(10)) if letter == "#" else letter for letter in pattern)
        digits = "".join(letter for letter in number if letter.isdigit())
        return Phone(phone_type, number, self.dialling_code + digits.removeprefix("0"))


AUSTRALIA = Place(
    locale="en_AU",
    zone=ZoneInfo("Australia/Melbourne"),
    zone_label="Melbourne",
    country="Australia",
    country_code="AU",
    dialling_code="61",
    state="VIC",
    mobile="0491 57# ###",
    landline="(03) 5550 ####",
)
BRITAIN = Place(
    locale="en_GB",
    zone=ZoneInfo("Europe/London"),
    zone_label="London",
    country="United Kingdom",
    country_code="GB",
    dialling_code="44",
    state="",
    mobile="07700 900###",
    landline="020 7946 0###",
)


def place_of(shard: str) -> Place:
    return BRITAIN if shard.startswith("uk") else AUSTRALIA
