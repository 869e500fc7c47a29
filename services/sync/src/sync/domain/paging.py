"""Whether a list goes on: what Cliniko's `links.next` says, and whether it may be believed."""

from urllib.parse import SplitResult, parse_qs, urljoin, urlsplit

from sync.domain.clinic import BadAnswer, Json


def names_next(answer: Json, asked: str, number: int) -> bool:
    """Whether the answer to `asked`, page `number` of a list, names the page after it.

    Raises BadAnswer for a link that leads anywhere else: to another host or scheme, to another path, or back, as a
    loop does. No link is ever fetched, pages are asked for by number: so the key goes to no address but ours.
    """
    links = answer.get("links") or {}
    if not isinstance(links, dict):
        raise BadAnswer
    link = links.get("next")
    if not link:
        return False
    if not isinstance(link, str) or not _leads_to(link, asked, number + 1):
        raise BadAnswer
    return True


def _leads_to(link: str, asked: str, number: int) -> bool:
    try:
        home, to = urlsplit(asked), urlsplit(urljoin(asked, link))
        return _place(to) == _place(home) and parse_qs(to.query)["page"] == [str(number)]
    except (ValueError, KeyError):
        return False


def _place(url: SplitResult) -> tuple[object, ...]:
    return url.scheme, url.username, url.hostname, url.port, url.path
