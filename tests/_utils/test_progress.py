from sigkit._utils import listing, progress


def test_progress_yields_items_and_reports_the_end(capsys):
    batches = [[1, 2], [3]]
    assert list(progress(iter(batches), 3, "reading", verbose=1)) == batches
    assert "reading: 3 of 3" in capsys.readouterr().err


def test_progress_is_silent_by_default(capsys):
    assert list(progress(range(3), 3, "reading", verbose=0)) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_short_lists_are_written_out():
    assert listing(["a", "b"]) == "a, b"
    assert listing("abcdefg") == "a, b, c, d, e and 2 more"
