"""The sources of the documentation: links, tables of contents, names and lessons, without building it."""

import ast
import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path

import pytest

import sigkit

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# The gallery writes its running times next to the pages.
PAGES = {path.stem: path.read_text() for path in sorted(DOCS.glob("*.rst")) if path.stem != "sg_execution_times"}
LESSONS = sorted((ROOT / "examples").glob("plot_*.py"))
GENERATED = {"auto_examples/index"} | {f"auto_examples/{path.stem}" for path in LESSONS}
ROOMS = [room.name for room in pkgutil.iter_modules(sigkit.__path__) if room.ispkg and not room.name.startswith("_")]
SEARCHED = {
    "install": "install",
    "verify": "getting_started",
    "threshold": "operating_points",
    "equal error rate": "error_rates",
    "enroll": "verifying",
    "forgery": "data",
    "likelihood ratio": "operating_points",
    "serving": "serving",
    "synthetic signatures": "drawn_signatures",
}
"""What people search for, and the page whose main index entry it is: such entries are the first results."""


def entries(text):
    """Return the pages that the tables of contents of a page name."""
    blocks = re.findall(r"^\.\. toctree::\n((?: +.*\n|\n)+)", text + "\n", flags=re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def test_every_page_is_in_one_table_of_contents():
    listed = [entry for text in PAGES.values() for entry in entries(text)]
    assert sorted(listed) == sorted({*PAGES, "auto_examples/index"} - {"index"})


@pytest.mark.parametrize("page", PAGES)
def test_links_to_pages_and_sections_exist(page):
    labels = set(re.findall(r"^\.\. _([\w-]+):$", "\n".join(PAGES.values()), flags=re.MULTILINE))
    lessons = "\n".join(path.read_text() for path in LESSONS)
    for text in (PAGES[page], lessons) if page == "index" else (PAGES[page],):
        pages = re.findall(r":doc:`(?:[^`<]*<)?/?([\w/]+)>?`", text) + re.findall(r"^ +:link: (.*)$", text, flags=re.M)
        assert [name for name in pages if name not in {*PAGES, *GENERATED}] == []
        assert [name for name in re.findall(r":ref:`(?:[^`<]*<)?([\w-]+)>?`", text) if name not in labels] == []


def test_pictures_of_lessons_exist():
    for name, number in re.findall(r"sphx_glr_(plot_\w+?)_(\d{3})\.png", "\n".join(PAGES.values())):
        lesson = ROOT / "examples" / f"{name}.py"
        assert lesson.read_text().count("plt.show()") >= int(number)


def test_scripts_that_are_named_exist():
    documents = [*PAGES.values(), (ROOT / "README.md").read_text()]
    documents += [path.read_text() for folder in ("reproduce", "benchmarks") for path in (ROOT / folder).glob("*.py")]
    named = set(re.findall(r"\b(?:examples|reproduce|benchmarks|tests)/[\w/]+\.py\b", "\n".join(documents)))
    assert len(named) > 30
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_room_is_in_the_reference():
    # The page of a room has all names of its `__all__`: docs/_templates/autosummary/module.rst.
    assert sorted(re.findall(r"^   (\w+)$", PAGES["api"], flags=re.MULTILINE)) == sorted(ROOMS)


def test_references_to_names_exist():
    for page, text in PAGES.items():
        for target in re.findall(r":(?:class|func|data|mod|meth):`[~.]?(sigkit\.[\w.]+)`", text):
            room, *names = target.removeprefix("sigkit.").split(".")
            thing = importlib.import_module(f"sigkit.{room}")
            assert not names or names[0] in thing.__all__, (page, target)
            for name in names:
                thing = getattr(thing, name)


@pytest.mark.parametrize(("words", "page"), SEARCHED.items())
def test_words_that_people_search_lead_to_one_page(words, page):
    main = [
        name
        for name, text in PAGES.items()
        for line in re.findall(r"^\.\. index:: (.*)$", text, flags=re.MULTILINE)
        for entry in line.split(",")
        if entry.strip().lower() == f"! {words}"
    ]
    assert main == [page]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_lessons_are_cells_with_a_title_that_use_public_names(lesson):
    text = lesson.read_text()
    tree = ast.parse(text)
    title, line = ast.get_docstring(tree).splitlines()[:2]
    assert line == "=" * len(title)
    assert text.count("# %%\n") >= 2
    assert '__name__ == "__main__"' not in text
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("sigkit"):
            assert {name.name for name in node.names} <= set(importlib.import_module(node.module).__all__)


def test_the_gallery_has_an_order_for_every_lesson():
    listed = re.findall(r'^    "(plot_\w+\.py)",$', (DOCS / "conf.py").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == [path.name for path in LESSONS]


def test_the_check_of_the_site_finds_dead_links_names_without_a_link_and_warnings(tmp_path):
    spec = importlib.util.spec_from_file_location("check_site", DOCS / "check_site.py")
    check_site = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check_site)
    (tmp_path / "other.html").write_text('<h1 id="there">Other</h1><pre><code>WriterSplit</code></pre>')
    sound = '<a href="other.html#there"><code>WriterSplit</code></a><code>fit</code><a href="https://example.org">e</a>'
    sound += '<div class="sphx-glr-script-out highlight-none"><pre>score 1\n</pre></div><p>Warning: of the text'
    (tmp_path / "page.html").write_text(sound)
    assert check_site.check(tmp_path) == (2, [])
    faulty = '<a href="gone.html">a</a><img src="gone.png"><a href="other.html#gone">b</a><p><code>WriterSplit</code>'
    faulty += (
        '<div class="sphx-glr-script-out highlight-none"><pre>1\nlesson.py:2: UserWarning: poor scan\n2</pre></div>'
    )
    (tmp_path / "page.html").write_text(faulty)
    assert check_site.check(tmp_path)[1] == [
        "page.html: gone.html: no such file",
        "page.html: gone.png: no such file",
        "page.html: other.html#gone: no such anchor",
        "page.html: lesson.py:2: UserWarning: poor scan",
        "page.html: WriterSplit is no link",
    ]
