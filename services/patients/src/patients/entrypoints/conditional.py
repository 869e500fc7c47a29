"""Whether the asker has it already.

A validator covers all that an answer says of patients and of syncs: it is made of the version of the clinic's lists. A
document that ceased to be true is made anew before that is read, so time passing changes the version exactly when it
changes a document. What it does not cover is `timestamp`, hence it is a weak one. `priority` and the hours and days
until an appointment follow the clock by themselves: with them, a validator holds until the minute is over.
Appointments begin on a whole minute, so nothing passes 72 or 24 hours, or a tenth of an hour, within one.

It covers who asks, too. A 304 shows nobody any record, and so is not announced as a read; but whoever is told 304 has
been sent the same records at this address before, and that was announced.
"""

import re
from base64 import urlsafe_b64encode
from hashlib import blake2b

from starlette.responses import Response

from contracts.timestamps import http_date
from patients.domain.listing import Version
from patients.entrypoints.parameters import Asking

_TAG = re.compile(r'(?:W/)?("[^"]*")')

Headers = dict[str, str]


def validators(asking: Asking, version: Version, media_type: str, *, by_the_minute: bool = False) -> Headers:
    """The headers of an answer of this version. `Last-Modified` is how old the data are: the end of the last sync."""
    covered = (
        asking.http.url.path,
        asking.http.url.query,
        media_type,
        asking.reader.user_id,
        str(version.changes),
        f"{asking.now:%Y%m%d%H%M}" if by_the_minute else "",
    )
    digest = blake2b("\0".join(covered).encode(errors="surrogatepass"), digest_size=12).digest()
    headers = {
        "ETag": f'W/"{urlsafe_b64encode(digest).decode()}"',
        "Cache-Control": "private, no-cache",
        "Vary": "Accept",
    }
    if version.synced_at:
        headers["Last-Modified"] = http_date(version.synced_at)
    return headers


def unchanged(asking: Asking, headers: Headers) -> Response | None:
    """304 when the asker names the validator in `headers`; If-None-Match compares weakly."""
    named = asking.header("if-none-match")
    if named.strip() == "*" or headers["ETag"].removeprefix("W/") in _TAG.findall(named):
        return Response(status_code=304, headers=headers)
    return None
