"""Which pages of a list are still to be read, as far as the newest answers tell."""

from math import ceil

from sync.domain.clinic import PAGE_SIZE, Page


class Pages:
    """Hands out the numbers after the first. A list may grow or shrink while it is read, and may be miscounted."""

    def __init__(self, first: Page) -> None:
        self._taken = 1
        self.last = 1
        self.learn(1, first)

    def next(self) -> int | None:
        """A page that nobody reads yet; None at the end."""
        if self._taken >= self.last:
            return None
        self._taken += 1
        return self._taken

    def learn(self, number: int, page: Page) -> None:
        """A full page may have a next one whatever the total says, and an empty page ends the list."""
        if not page.rows:
            self.last = min(self.last, number)
        elif page.continues(number) or is_full(page):
            self.last = max(self.last, number + 1, ceil(page.total / PAGE_SIZE))


def is_full(page: Page) -> bool:
    """True when there may be more where this came from."""
    return len(page.rows) >= PAGE_SIZE
