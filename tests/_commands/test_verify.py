"""The command `sigkit verify`, on synthetic signatures."""

import functools
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sigkit._commands import _verify as command
from sigkit._commands import main
from sigkit._commands._arguments import make_parser
from sigkit.datasets import make_signatures


@pytest.fixture(scope="module", autouse=True)
def few_synthetic_writers():
    """Fewer synthetic writers, made once for preprocessors with the same parameters."""
    known, make_development_set = {}, command.make_development_set

    def make_once(preprocessor):
        key = repr(preprocessor)
        if key not in known:
            known[key] = make_development_set(preprocessor)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"N_SYNTHETIC": 8, "N_GENUINE": 7, "N_FORGED": 2}.items():
            patch.setattr(command, name, value)
        patch.setattr(command, "make_development_set", make_once)
        patch.setattr(command, "make_signatures", functools.cache(make_signatures))
        yield


def verify(*arguments):
    assert main(["verify", *map(str, arguments)]) == 0


def refused(capsys, *arguments):
    """Return the line that the command writes to the standard error stream."""
    assert main(["verify", *map(str, arguments)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five signatures each of ada (1.png to 5.png) and of writer 007."""
    folder = tmp_path_factory.mktemp("verify")
    scans, _ = make_signatures(n_writers=2, n_genuine=5, n_skilled=0, random_state=1)
    for row, scan in enumerate(scans):
        path = folder / "customers" / ("ada", "007")[row // 5] / f"{row % 5 + 1}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scan).save(path)
    return folder


def scores(text):
    return {Path(name).name: float(score) for name, score in re.findall(r"^(\S+): score (\S+),", text, flags=re.M)}


def test_references_of_one_person(folder, capsys):
    ada, other = ([str(folder / "customers" / name / f"{n}.png") for n in range(1, 6)] for name in ("ada", "007"))
    query = folder / "other.png"
    query.write_bytes(Path(other[0]).read_bytes())
    verify("--references", *ada[:4], "--query", ada[4], str(query), "--threshold", "0.1")
    printed = capsys.readouterr().out
    assert "4 references of one person; negatives: 56 synthetic signatures." in printed
    assert scores(printed)["5.png"] > scores(printed)["other.png"]
    assert "other.png: score -" in printed
    assert "Scores of at least 0.1 are accepted." in printed
    assert "5.png: score " in printed
    assert ", accepted; log10 LR " in printed
    assert "support for a forgery" in printed
    assert "FAR of skilled forgeries at most 5 %: threshold " in printed
    assert "Set on 8 development writers with 4 references" in printed


def test_customers_in_folders(folder, capsys):
    query = str(folder / "customers" / "ada" / "1.png")
    verify("--customers", str(folder / "customers"), "--claim", "007", "--query", query)
    printed = capsys.readouterr().out
    assert "5 references of 007; negatives: 56 synthetic signatures, and 5 of other customers." in printed
    assert "1.png: score -" in printed
    assert ", rejected" in printed


def test_without_arguments_it_makes_customers(capsys):
    verify("--far", "0.1")
    printed = capsys.readouterr().out
    assert "5 references of ada; negatives: 56 synthetic signatures, and 15 of other customers." in printed
    assert scores(printed)["by_ada.png"] > scores(printed)["by_bob.png"]
    assert scores(printed).keys() == {"by_ada.png", "by_bob.png", "forged.png"}
    assert "FAR of skilled forgeries at most 10 %" in printed


def test_errors_name_what_is_wrong(folder, capsys):
    customers, text = str(folder / "customers"), folder / "text.png"
    query = str(folder / "customers" / "ada" / "1.png")
    text.write_text("no image")
    found = refused(capsys, "--references", "nowhere.png", text, "--query", query)
    assert re.search(r"2 of 2 images.*nowhere\.png: no such file.*text\.png: not an image", found)
    found = refused(capsys, "--customers", customers, "--claim", "eve", "--query", query)
    assert re.search(r"--claim eve: no such customer in .*; found 007, ada\.", found)
    found = refused(capsys, "--references", query, "--query", query, "--weights", "sythetic")
    assert re.search(r"FileNotFoundError: .*'sythetic'\..*'synthetic'", found)
    assert "pass --references and --query; or" in refused(capsys, "--references", query)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--far", "1"], "--far must be at least 0 and below 1, such as 0.05 for 5 %; found 1."),
        (["--far", "-0.1"], "found -0.1."),
        (["--far", "nan"], "found nan."),
        (["--threshold", "nan"], "--threshold must be a number"),
    ],
)
@pytest.mark.parametrize("has_query", [False, True])
def test_arguments_are_checked_before_the_long_work(folder, capsys, monkeypatch, arguments, message, has_query):
    for name in ("make_preprocessor", "make_customers", "make_development_set"):
        monkeypatch.setattr(command, name, lambda *options: pytest.fail("the long work has begun"))
    path = str(folder / "customers" / "ada" / "1.png")
    given = ["--references", path, "--query", path] if has_query else []
    assert message in refused(capsys, *given, *arguments)


class Begun(Exception):
    """The long work has begun."""


@pytest.mark.parametrize(("numbers", "is_said"), [((1,), True), ((1, 1), True), ((1, 2), False)])
def test_one_reference_is_said_before_the_long_work(folder, capsys, monkeypatch, numbers, is_said):
    def begin(preprocessor):
        raise Begun

    monkeypatch.setattr(command, "make_development_set", begin)
    references = [str(folder / "customers" / "ada" / f"{number}.png") for number in numbers]
    with pytest.raises(Begun):
        main(["verify", "--references", *references, "--query", str(folder / "customers" / "ada" / "4.png")])
    assert ("one person has one reference only" in capsys.readouterr().err) == is_said


@pytest.fixture(scope="module")
def poor_scans(folder):
    """Three poor scans of ada's second signature: with a shadow, a frame, and inverted."""
    scan = np.asarray(Image.open(folder / "customers" / "ada" / "2.png"))
    shadow, frame = scan.copy(), scan.copy()
    shadow[:, : scan.shape[1] // 3] //= 2
    frame[[6, -7], 6:-6] = frame[6:-6, [6, -7]] = 20
    paths = []
    for name, poor in (("shadow", shadow), ("frame", frame), ("inverted", 255 - scan)):
        paths.append(str(folder / f"{name}.png"))
        Image.fromarray(poor).save(paths[-1])
    return paths


def test_poor_queries_are_inconclusive(folder, poor_scans, capsys):
    references = [str(folder / "customers" / "ada" / f"{n}.png") for n in (1, 3, 4, 5)]
    good, unreadable = str(folder / "customers" / "ada" / "2.png"), str(folder / "nowhere.png")
    verify("--references", *references, "--query", *poor_scans, good, unreadable)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(str(folder))]
    shadow, frame, inverted, judged, missing = (line.partition(".png: ")[2] for line in lines)
    assert shadow.startswith("inconclusive: Found a shadow")
    assert frame.startswith("inconclusive: Found straight lines")
    assert inverted.startswith("inconclusive: Found dark paper")
    assert judged.startswith("score ")
    assert missing.startswith("inconclusive: ")


@pytest.mark.parametrize("name", ["a\nb.png: score 9.99, accepted", "a\rb.png", "a\x1b[2Kb.png"])
def test_names_of_files_cannot_write_lines_of_their_own(folder, tmp_path, capsys, name):
    query = tmp_path / name
    query.write_bytes((folder / "customers" / "ada" / "5.png").read_bytes())
    empty = tmp_path / f"empty {name}"
    empty.write_bytes(b"")
    verify(
        "--references",
        *(folder / "customers" / "ada" / f"{number}.png" for number in range(1, 5)),
        "--query",
        query,
        empty,
    )
    out = capsys.readouterr().out
    assert not set("\r\x1b") & set(out)
    (line, other) = [line for line in out.splitlines() if str(tmp_path) in line]
    assert re.search(r": score -?\d+\.\d\d, (accepted|rejected); log10 LR", line)
    assert ": inconclusive: " in other


def test_poor_references_are_refused(folder, poor_scans, capsys):
    good = [str(folder / "customers" / "ada" / f"{n}.png") for n in (1, 3)]
    found = refused(capsys, "--references", *good, *poor_scans, "--query", good[0])
    assert re.search(r"dark paper in 1 of 5.*inverted\.png.*a shadow.*shadow\.png.*lines.*frame\.png", found)


@pytest.mark.parametrize(("rows", "columns", "scale"), [(1530, 2178, 0.5), (400, 569, 1.0)])
def test_synthetic_negatives_are_on_the_canvas_of_the_scans(rows, columns, scale):
    widths = []
    for arguments in ([], ["--rows", str(rows), "--columns", str(columns)]):
        preprocessor = command.make_preprocessor(make_parser().parse_args(["verify", *arguments]))
        images, target = command.make_development_set(preprocessor)
        assert len(target) == len(images) == 8 * 9
        widths.append(np.median([np.ptp(np.nonzero(image)[1]) for image in images]))
    assert widths[1] == pytest.approx(scale * widths[0], rel=0.05)


def test_scans_of_another_resolution(tmp_path, capsys):
    queries = []
    for dpi in (300, 200, 400):
        for number, scan in enumerate(make_signatures(1, 6, 0, random_state=1, resolution=dpi)[0]):
            queries.append(str(tmp_path / f"{dpi}-{number}.png"))
            Image.fromarray(scan).save(queries[-1], dpi=(dpi, dpi))
    references, *queries = queries[:5], queries[5], queries[11], queries[17]
    judged = []
    for arguments in ([], ["--resolution", "file"]):
        verify("--references", *references, "--query", *queries, *arguments)
        judged.append(capsys.readouterr().out)
    assert scores(judged[0]).keys() == {"300-5.png"}
    assert judged[0].count("inconclusive: Found a resolution in the file other than resolution=300:") == 2
    by_file = scores(judged[1])
    assert by_file["300-5.png"] == scores(judged[0])["300-5.png"]
    assert by_file.keys() == {"300-5.png", "200-5.png", "400-5.png"}
    assert np.ptp(list(by_file.values())) < 0.5
    found = refused(capsys, "--references", *references, "--query", *queries, "--resolution", "200")
    assert "other than resolution=200 in 5 of 5 scans" in found


def test_without_a_query_the_other_options_count_too(monkeypatch):
    seen = []
    monkeypatch.setattr(command, "verify", seen.append)
    verify("--threshold", "0.5", "--rows", "900", "--resolution", "200")
    [options] = seen
    assert (options.threshold, options.rows, options.resolution) == (0.5, 900, 200)
    assert (options.claim, len(options.query)) == ("ada", 3)


def test_a_resolution_that_is_no_number_is_named(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["verify", "--resolution", "abc"])
    assert "a number of dpi or \"file\" is expected, found 'abc'" in capsys.readouterr().err
