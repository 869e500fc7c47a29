from pathlib import Path

from routiq.logs import Follower, readable


def test_a_json_line_reads_as_a_sentence_with_its_fields() -> None:
    line = '{"timestamp": "2026-01-05T10:00:00Z", "level": "info", "event": "run started", "mode": "basic", "page": 3}'
    shown = readable("sync", line).plain
    assert shown.startswith("sync       | ")
    assert shown.endswith(" info    run started mode=basic page=3")


def test_any_other_line_is_shown_as_it_is() -> None:
    assert readable("postgres", "LOG:  ready").plain == "postgres   | LOG:  ready"
    assert readable("sync", "[1, 2]").plain == "sync       | [1, 2]"


def test_a_follower_tells_each_complete_line_once(tmp_path: Path) -> None:
    log = tmp_path / "sync.log"
    log.write_text("before\n")
    follower = Follower(tmp_path)
    with log.open("a") as file:
        file.write("first\nhal")
        file.flush()
        assert list(follower.look()) == [("sync", "first")]
        file.write("f\n")
    assert list(follower.look()) == [("sync", "half")]
    assert list(follower.look()) == []
