"""How many records a run may let go of by itself."""

MOST_SHARE, ALWAYS_ALLOWED = 0.20, 10


def holds_back(missing: int, known: int) -> bool:
    """True when so much is missing at once that a person should look first."""
    return missing > ALWAYS_ALLOWED and missing > MOST_SHARE * known


def note(kind: str, missing: int, known: int) -> str:
    """What to tell that person."""
    return (
        f"{missing} of {known} {kind} are no longer found in Cliniko. That is more than a run removes by itself: "
        "look at Cliniko, and if they are really gone, start a comprehensive sync that confirms removals."
    )
