"""Topic patterns: `*` is one word, `#` any number of words, none included."""


def topic_matches(pattern: str, routing_key: str) -> bool:
    """Follows all the places in the pattern the key can have reached, so its cost stays linear in both."""
    wanted = _words(pattern)
    reached = _past_hashes({0}, wanted)
    for word in _words(routing_key):
        stays = {place for place in reached if wanted[place : place + 1] == ["#"]}
        steps = {place + 1 for place in reached if wanted[place : place + 1] in (["*"], [word])}
        reached = _past_hashes(stays | steps, wanted)
    return len(wanted) in reached


def _words(text: str) -> list[str]:
    """RabbitMQ counts no word in the empty key, where `split` counts one."""
    return text.split(".") if text else []


def _past_hashes(places: set[int], wanted: list[str]) -> set[int]:
    """`places` and those behind a run of `#`, which may stand for no word at all."""
    reached = set(places)
    for place in places:
        while wanted[place : place + 1] == ["#"]:
            place += 1
            reached.add(place)
    return reached
