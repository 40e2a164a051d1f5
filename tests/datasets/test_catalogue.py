"""The catalogue of corpora: an entry is all that a new corpus needs."""

import importlib
import inspect
from pathlib import Path

import numpy as np
import pytest
from numpydoc.docscrape import FunctionDoc

from sigkit import datasets
from sigkit.datasets import _corpora, list_corpora, load_corpus
from sigkit.datasets._corpora import add_corpus
from sigkit.datasets._layout import Corpus, Series

ROOT = Path(__file__).parents[2]


@pytest.fixture
def load_two_scripts(monkeypatch):
    """Return the loader of a small invented corpus, which is in the catalogue during one test."""
    monkeypatch.setattr(_corpora, "CATALOGUE", dict(_corpora.CATALOGUE))

    @add_corpus(
        Corpus(
            name="Two-Scripts",
            series=(
                Series(0, "Greek/{writer}-g{number}.png", range(1, 3), range(1, 4), writer_id="G{writer}"),
                Series(2, "Greek/{writer}-s{number}.png", range(1, 3), range(1, 2), writer_id="G{writer}"),
                Series(0, "Cyrillic/{writer}-g{number}.png", range(1, 4), range(1, 3), writer_id="C{writer}"),
            ),
            n_writers=5,
            canvas_size=(300, 500),
            summary="Five invented writers.",
            notes="",
            access="It exists in this test only.",
            reference="A. Nobody, Signatures in two scripts, 2026.",
            scripts={"greek": 2, "cyrillic": 3},
        )
    )
    def load_two_scripts(folder, script="both", *, on_error="raise"):
        return load_corpus("two_scripts", folder, script=script, on_error=on_error)

    return load_two_scripts


@pytest.fixture
def folder(tmp_path, draw):
    greek = [f"Greek/{writer}-{name}.png" for writer in (1, 2) for name in ("g1", "g2", "g3", "s1")]
    draw(tmp_path, [*greek, *(f"Cyrillic/{writer}-g{number}.png" for writer in (1, 2, 3) for number in (1, 2))])
    return tmp_path


def test_a_corpus_is_one_entry(load_two_scripts, folder):
    assert "two_scripts" in list_corpora()
    bunch = load_corpus("two_scripts", folder)
    assert bunch.target[:, 0].tolist() == ["C1"] * 2 + ["C2"] * 2 + ["C3"] * 2 + ["G1"] * 4 + ["G2"] * 4
    assert bunch.target[-4:, 1].tolist() == [0, 0, 0, 2]
    assert bunch.canvas_size == (300, 500)
    assert bunch.DESCR.startswith("Two-Scripts: Five invented writers.")
    assert "A. Nobody" in bunch.DESCR
    by_loader = load_two_scripts(str(folder), on_error="skip")
    np.testing.assert_array_equal(by_loader.images, bunch.images)
    assert set(load_two_scripts(folder, "greek").target[:, 0]) == {"G1", "G2"}
    assert set(load_corpus("two_scripts", folder, script="cyrillic").target[:, 0]) == {"C1", "C2", "C3"}


def test_the_docstring_of_a_loader_follows_from_its_entry(load_two_scripts):
    doc = FunctionDoc(load_two_scripts)
    assert doc["Summary"] == ["List the signatures of the Two-Scripts corpus."]
    assert [parameter.name for parameter in doc["Parameters"]] == list(inspect.signature(load_two_scripts).parameters)
    text = " ".join(inspect.getdoc(load_two_scripts).split())
    assert "`Greek/1-g1.png` (genuine), `Greek/1-s1.png` (a simple forgery), `Cyrillic/1-g1.png` (genuine)" in text
    assert 'the writer is "G1" to "G2" or "C1" to "C3", and the forgery is 0 for genuine or 2 for a simple' in text
    assert 'script : {"both", "greek", "cyrillic"}' in text
    assert "It exists in this test only." in text


@pytest.mark.parametrize("name", list_corpora())
def test_every_corpus_has_a_public_loader_with_a_signature_and_a_docstring(name):
    loader = getattr(datasets, f"load_{name}")
    assert loader.__name__ in datasets.__all__
    parameters = inspect.signature(loader).parameters
    assert next(iter(parameters)) == "folder"
    assert parameters["on_error"].kind is inspect.Parameter.KEYWORD_ONLY
    assert [parameter.name for parameter in FunctionDoc(loader)["Parameters"]] == [*parameters]
    assert max(map(len, loader.__doc__.splitlines())) <= 120


def test_unknown_corpora_and_scripts_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"name must be one of 'bhsig260', 'cedar', .*, got 'CEDAR'"):
        load_corpus("CEDAR", tmp_path)
    with pytest.raises(ValueError, match="name must be one of"):
        load_corpus(["cedar"], tmp_path)
    with pytest.raises(ValueError, match="script must be one of 'both', got 'latin'"):
        load_corpus("cedar", tmp_path, script="latin")


def test_the_documents_list_every_corpus(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    table = importlib.import_module("generated_tables").corpora()
    for name in list_corpora():
        assert f"   * - :func:`~sigkit.datasets.load_{name}`\n     - " in table
    assert "55 writers of Latin script" in table
    assert ".. include:: generated/corpora.txt" in (ROOT / "docs" / "data.rst").read_text()
