"""The public corpora: names of files, writers, canvas and citation of each. A new corpus is one more entry here.

An entry is a `Corpus` and a loader, whose docstring `add_corpus` writes. `sigkit.datasets` exports all of `__all__`.
"""

import os

from sklearn.utils import Bunch

from sigkit._utils import GENUINE, SIMPLE, SKILLED
from sigkit.datasets._corpora import add_corpus, load_corpus
from sigkit.datasets._layout import Corpus, Series

__all__ = ["load_bhsig260", "load_cedar", "load_gpds", "load_mcyt75", "load_puc_pr"]

_LICENCE = "Its owners distribute it to researchers who sign a license agreement."


@add_corpus(
    Corpus(
        name="CEDAR",
        series=(
            Series(GENUINE, "full_org/original_{writer}_{number}.png", range(1, 56), range(1, 25)),
            Series(SKILLED, "full_forg/forgeries_{writer}_{number}.png", range(1, 56), range(1, 25)),
        ),
        n_writers=55,
        canvas_size=(730, 1042),
        summary="55 writers of Latin script, 24 genuine signatures and 24 skilled forgeries each.",
        notes=(
            "The paper of the forgeries is brighter and cleaner than that of the genuine signatures, so that the "
            "background alone separates the two. Remove it before any experiment, as SignaturePreprocessor does."
        ),
        access="It can be downloaded freely for research.",
        reference=(
            "M. K. Kalera, S. Srihari and A. Xu, Offline signature verification and identification using distance "
            "statistics. International Journal of Pattern Recognition and Artificial Intelligence 18(7), 1339-1360, "
            "2004."
        ),
    )
)
def load_cedar(folder: str | os.PathLike, *, on_error: str = "raise") -> Bunch:
    return load_corpus("cedar", folder, on_error=on_error)


@add_corpus(
    Corpus(
        name="BHSig260",
        series=tuple(
            Series(
                forgery,
                f"{script}/{{writer:03d}}/{script[0]}-S-{{writer:03d}}-{letter}-{{number:02d}}.tif",
                range(1, n_writers + 1),
                range(1, n_numbers + 1),
                writer_id=f"{script[0]}-{{writer:03d}}",
            )
            for script, n_writers in (("Bengali", 100), ("Hindi", 160))
            for forgery, letter, n_numbers in ((GENUINE, "G", 24), (SKILLED, "F", 30))
        ),
        n_writers=260,
        # 9 times 85 x 121, the aspect ratio of 170 x 242. The largest ink measured has 251 rows and 987 columns.
        canvas_size=(765, 1089),
        summary=(
            "100 writers of Bengali (ids B-001 to B-100) and 160 of Hindi (H-001 to H-160), 24 genuine signatures and "
            "30 skilled forgeries each."
        ),
        notes=(
            "The scans have 300 dpi; most are bilevel. Many Bengali files are copies of another file of the same "
            "writer: split by distinct images, as WriterSplit does."
        ),
        access="Its authors distribute it to researchers.",
        reference=(
            "S. Pal, A. Alaei, U. Pal and M. Blumenstein, Performance of an off-line signature verification method "
            "based on texture features on a large Indic-script signature dataset. 12th IAPR Workshop on Document "
            "Analysis Systems, 72-77, 2016."
        ),
        companions=("list.genuine", "list.forgery"),
        scripts={"bengali": 100, "hindi": 160},
    )
)
def load_bhsig260(folder: str | os.PathLike, script: str = "both", *, on_error: str = "raise") -> Bunch:
    return load_corpus("bhsig260", folder, script=script, on_error=on_error)


@add_corpus(
    Corpus(
        name="MCYT-75",
        series=(
            Series(GENUINE, "{writer:04d}/{writer:04d}v{number:02d}.bmp", range(10000), range(15)),
            Series(SKILLED, "{writer:04d}/{writer:04d}f{number:02d}.bmp", range(10000), range(15)),
        ),
        n_writers=75,
        canvas_size=(600, 850),
        summary="75 writers of Latin script, 15 genuine signatures and 15 skilled forgeries each.",
        notes="The writers are a part of a larger collection, so there are gaps in their numbers.",
        access=_LICENCE,
        reference=(
            "J. Ortega-Garcia, J. Fierrez-Aguilar, D. Simon, J. Gonzalez, M. Faundez-Zanuy, V. Espinosa, A. Satue, "
            "I. Hernaez, J.-J. Igarza, C. Vivaracho, D. Escudero and Q.-I. Moro, MCYT baseline corpus: a bimodal "
            "biometric database. IEE Proceedings - Vision, Image and Signal Processing 150(6), 395-401, 2003."
        ),
    )
)
def load_mcyt75(folder: str | os.PathLike, *, on_error: str = "raise") -> Bunch:
    return load_corpus("mcyt75", folder, on_error=on_error)


@add_corpus(
    Corpus(
        name="GPDS-960",
        series=(
            Series(GENUINE, "{writer:03d}/c-{writer:03d}-{number:02d}.png", range(1, 961), range(1, 25)),
            Series(SKILLED, "{writer:03d}/cf-{writer:03d}-{number:02d}.png", range(1, 961), range(1, 31)),
        ),
        n_writers=881,
        canvas_size=(952, 1360),
        summary="881 writers of Latin script, 24 genuine signatures and 30 skilled forgeries each, in grayscale.",
        notes="The writers have numbers from 1 to 960, with gaps.",
        access=_LICENCE,
        reference=(
            "J. F. Vargas, M. A. Ferrer, C. M. Travieso and J. B. Alonso, Off-line handwritten signature GPDS-960 "
            "corpus. 9th International Conference on Document Analysis and Recognition, vol. 2, 764-768, 2007."
        ),
    )
)
def load_gpds(folder: str | os.PathLike, *, on_error: str = "raise") -> Bunch:
    return load_corpus("gpds", folder, on_error=on_error)


@add_corpus(
    Corpus(
        name="PUC-PR",
        series=(
            Series(GENUINE, "a{writer:03d}_{number:02d}.jpg", range(1, 169), range(1, 41)),
            Series(SIMPLE, "a{writer:03d}_{number:02d}.jpg", range(1, 61), range(41, 51)),
            Series(SKILLED, "a{writer:03d}_{number:02d}.jpg", range(1, 61), range(51, 61)),
        ),
        n_writers=168,
        canvas_size=(700, 1000),
        summary="168 writers of Latin script, 40 genuine signatures each; also called the Brazilian corpus.",
        notes=(
            "There are 10 simple and 10 skilled forgeries of each of the first 60 writers. The other 108 writers can "
            "serve as the development set."
        ),
        access=_LICENCE,
        reference=(
            "C. Freitas, M. Morita, L. Oliveira, E. Justino, A. Yacoubi, E. Lethelier, F. Bortolozzi and R. Sabourin, "
            "Bases de dados de cheques bancários brasileiros. XXVI Conferencia Latinoamericana de Informática, 2000."
        ),
    )
)
def load_puc_pr(folder: str | os.PathLike, *, on_error: str = "raise") -> Bunch:
    return load_corpus("puc_pr", folder, on_error=on_error)
