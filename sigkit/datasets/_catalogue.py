"""The public corpora as data: names of files, numbers, canvas and citation of each."""

from sigkit._utils import GENUINE, SIMPLE, SKILLED
from sigkit.datasets._layout import Corpus, Series

CEDAR = Corpus(
    name="CEDAR",
    series=(
        Series(GENUINE, "full_org/original_{writer}_{number}.png", range(1, 56), range(1, 25)),
        Series(SKILLED, "full_forg/forgeries_{writer}_{number}.png", range(1, 56), range(1, 25)),
    ),
    n_writers=55,
    canvas_size=(730, 1042),
    description="""CEDAR: 55 writers of Latin script, 24 genuine signatures and 24 skilled forgeries each.

The paper of the forgeries is brighter and cleaner than that of the genuine signatures: the background alone tells them
apart, so remove it before anything is measured.

M. K. Kalera, S. Srihari, A. Xu: Offline signature verification and identification using distance statistics.
International Journal of Pattern Recognition and Artificial Intelligence 18(7), 1339-1360, 2004.
""",
)

BHSIG260 = Corpus(
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
    # 9 times 85 x 121, the shape of 170 x 242. The largest ink measured spans 251 rows and 987 columns.
    canvas_size=(765, 1089),
    description="""BHSig260: 100 writers of Bengali (ids B-001 to B-100) and 160 of Hindi (H-001 to H-160).

Each has 24 genuine signatures and 30 skilled forgeries, scanned at 300 dpi; most scans are two-valued.

Many Bengali files are copies of another of the same writer: split by distinct images, not by files.

S. Pal, A. Alaei, U. Pal, M. Blumenstein: Performance of an off-line signature verification method based on texture
features on a large Indic-script signature dataset. IAPR Workshop on Document Analysis Systems, 72-77, 2016.
""",
    companions=("list.genuine", "list.forgery"),
)

MCYT75 = Corpus(
    name="MCYT-75",
    series=(
        Series(GENUINE, "{writer:04d}/{writer:04d}v{number:02d}.bmp", range(10000), range(15)),
        Series(SKILLED, "{writer:04d}/{writer:04d}f{number:02d}.bmp", range(10000), range(15)),
    ),
    n_writers=75,
    canvas_size=(600, 850),
    description="""MCYT-75: 75 writers of Latin script, 15 genuine signatures and 15 skilled forgeries each.

The writers are part of a larger collection, so their numbers have gaps.

J. Ortega-Garcia, J. Fierrez-Aguilar, D. Simon, J. Gonzalez, M. Faundez-Zanuy, V. Espinosa, A. Satue, I. Hernaez,
J.-J. Igarza, C. Vivaracho, D. Escudero, Q.-I. Moro: MCYT baseline corpus: a bimodal biometric database. IEE
Proceedings - Vision, Image and Signal Processing 150(6), 395-401, 2003.
""",
)

GPDS = Corpus(
    name="GPDS-960",
    series=(
        Series(GENUINE, "{writer:03d}/c-{writer:03d}-{number:02d}.png", range(1, 961), range(1, 25)),
        Series(SKILLED, "{writer:03d}/cf-{writer:03d}-{number:02d}.png", range(1, 961), range(1, 31)),
    ),
    n_writers=881,
    canvas_size=(952, 1360),
    description="""GPDS-960, grey-scale: 881 writers of Latin script, with numbers from 1 to 960.

Each has 24 genuine signatures and 30 skilled forgeries.

J. F. Vargas, M. A. Ferrer, C. M. Travieso, J. B. Alonso: Off-line handwritten signature GPDS-960 corpus. International
Conference on Document Analysis and Recognition, vol. 2, 764-768, 2007.
""",
)

PUC_PR = Corpus(
    name="PUC-PR",
    series=(
        Series(GENUINE, "a{writer:03d}_{number:02d}.jpg", range(1, 169), range(1, 41)),
        Series(SIMPLE, "a{writer:03d}_{number:02d}.jpg", range(1, 61), range(41, 51)),
        Series(SKILLED, "a{writer:03d}_{number:02d}.jpg", range(1, 61), range(51, 61)),
    ),
    n_writers=168,
    canvas_size=(700, 1000),
    description="""PUC-PR, the Brazilian corpus: 168 writers of Latin script, 40 genuine signatures each.

Of the first 60 writers there are 10 simple and 10 skilled forgeries each too; the other 108 can be a development set.

C. Freitas, M. Morita, L. Oliveira, E. Justino, A. Yacoubi, E. Lethelier, F. Bortolozzi, R. Sabourin: Bases de dados de
cheques bancários brasileiros. XXVI Conferencia Latinoamericana de Informática, 2000.
""",
)
