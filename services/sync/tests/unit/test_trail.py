"""What need not be followed to another list again."""

from sync.domain.trail import KEPT, Trail

ROW = {"id": "1", "updated_at": "2026-01-01T00:00:00Z", "notes": None}


def test_a_row_shown_again_in_the_same_words_is_not_new() -> None:
    trail = Trail()
    trail.follow([ROW])
    again = Trail(trail.kept)
    assert again.new([ROW, {**ROW, "notes": "Bring a mat"}, {**ROW, "id": "2"}]) == [
        {**ROW, "notes": "Bring a mat"},
        {**ROW, "id": "2"},
    ]


def test_within_one_run_everything_is_followed() -> None:
    trail = Trail()
    trail.follow([ROW])
    assert trail.new([ROW]) == [ROW]


def test_the_newest_rows_are_kept() -> None:
    trail = Trail()
    for day in range(1, 4):
        rows = [{"id": f"{day}-{number}", "updated_at": f"2026-01-0{day}"} for number in range(60)]
        trail.follow(rows)
    assert len(trail.kept) == KEPT
    assert Trail(trail.kept).new(rows) == []


def test_text_that_is_no_unicode_is_no_obstacle() -> None:
    trail = Trail()
    trail.follow([{"id": "1", "notes": "\ud800"}])
    assert len(trail.kept) == 1
