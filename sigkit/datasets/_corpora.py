"""Loaders of the public corpora: paths, targets and the canvas of each."""

from sigkit._utils import listing
from sigkit.datasets._catalogue import BHSIG260, CEDAR, GPDS, MCYT75, PUC_PR
from sigkit.datasets._layout import scan_corpus
from sigkit.datasets._tree import make_bunch

SCRIPTS = {"both": (), "bengali": ("hindi",), "hindi": ("bengali",)}
"""The folders to pass over for a choice of script."""


def load_cedar(folder, *, on_error="raise"):
    """List the signatures of the CEDAR corpus.

    CEDAR has 55 writers with 24 genuine signatures and 24 skilled forgeries each. The genuine ones are expected in
    `full_org/original_W_I.png` and the forgeries in `full_forg/forgeries_W_I.png`, for writer W and number I.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder that holds `full_org` and `full_forg`.
    on_error : {"raise", "skip"}, default="raise"
        With "raise" no file is opened here, and the preprocessor raises an error on a bad one. With "skip" every file
        is opened now; unreadable ones are left out of images and target, with a warning that names them.

    Returns
    -------
    Bunch
        The signatures, sorted by writer, then kind, then number, in these attributes.

        images : ndarray of shape (n_signatures,), dtype str
            The paths of the image files.
        target : ndarray of shape (n_signatures, 2), dtype int64
            Rows `[writer, forgery]`: the writer is 1 to 55, and 0 for genuine or 1 for a skilled forgery.
        canvas_size : tuple of (int, int)
            Rows and columns of a canvas that holds the signatures, for the preprocessor: (730, 1042).
        skipped : list of str
            The paths of unreadable files that were left out.
        DESCR : str
            What the corpus is, and the paper to cite.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If the folder has no scan in this layout, or `on_error` is another word.

    Warns
    -----
    UserWarning
        One warning each for absent writers, missing files, files of another name and unreadable files.

    References
    ----------
    .. [1] M. K. Kalera, S. Srihari and A. Xu, "Offline signature verification and identification using distance
       statistics", International Journal of Pattern Recognition and Artificial Intelligence 18(7), 1339-1360, 2004.

    Examples
    --------
    A folder with one signature only, so the loader warns about the rest:

    >>> import tempfile, warnings
    >>> from pathlib import Path
    >>> from sigkit.datasets import load_cedar
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
    ...     Path(folder, "full_org").mkdir()
    ...     Path(folder, "full_org/original_1_1.png").touch()
    ...     bunch = load_cedar(folder)
    >>> bunch.target
    array([[1, 0]])
    >>> bunch.canvas_size
    (730, 1042)
    """
    return make_bunch(scan_corpus(CEDAR, folder), on_error)


def load_bhsig260(folder, script="both", *, on_error="raise"):
    """List the signatures of the BHSig260 corpus.

    BHSig260 has 100 writers of Bengali and 160 of Hindi with 24 genuine signatures (G) and 30 skilled forgeries (F)
    each, expected in files such as `Bengali/001/B-S-001-G-01.tif` and `Hindi/001/H-S-001-F-01.tif`.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder that holds `Bengali` and `Hindi`.
    script : {"both", "bengali", "hindi"}, default="both"
        Which writers to list. The folder of the other script is passed over and need not exist.
    on_error : {"raise", "skip"}, default="raise"
        With "raise" no file is opened here, and the preprocessor raises an error on a bad one. With "skip" every file
        is opened now; unreadable ones are left out of images and target, with a warning that names them.

    Returns
    -------
    Bunch
        The signatures, sorted by writer, then kind, then number, in these attributes.

        images : ndarray of shape (n_signatures,), dtype str
            The paths of the image files.
        target : ndarray of shape (n_signatures, 2), dtype object
            Rows `[writer, forgery]`: the writer is "B-001" to "B-100" or "H-001" to "H-160", and 0 for genuine or 1 for
            a skilled forgery.
        canvas_size : tuple of (int, int)
            Rows and columns of a canvas that holds the signatures, for the preprocessor: (765, 1089),
            of the shape 170:242 like the images made from it.
        skipped : list of str
            The paths of unreadable files that were left out.
        DESCR : str
            What the corpus is, and the paper to cite.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If the folder has no scan in this layout, or `script` or `on_error` is another word.

    Warns
    -----
    UserWarning
        One warning each for absent writers, missing files, files of another name and unreadable files.

    References
    ----------
    .. [1] S. Pal, A. Alaei, U. Pal and M. Blumenstein, "Performance of an off-line signature verification method based
       on texture features on a large Indic-script signature dataset", 12th IAPR Workshop on Document Analysis Systems,
       72-77, 2016.

    Examples
    --------
    A folder with one signature only, so the loader warns about the rest:

    >>> import tempfile, warnings
    >>> from pathlib import Path
    >>> from sigkit.datasets import load_bhsig260
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
    ...     Path(folder, "Hindi/007").mkdir(parents=True)
    ...     Path(folder, "Hindi/007/H-S-007-F-30.tif").touch()
    ...     bunch = load_bhsig260(folder, script="hindi")
    >>> bunch.target
    array([['H-007', 1]], dtype=object)
    >>> bunch.canvas_size
    (765, 1089)
    """
    if script not in list(SCRIPTS):
        raise ValueError(f"script must be one of {listing(map(repr, SCRIPTS))}, got {script!r}.")
    corpus = BHSIG260
    if script == "bengali":
        corpus = BHSIG260.only("Bengali/", n_writers=100)
    elif script == "hindi":
        corpus = BHSIG260.only("Hindi/", n_writers=160)
    return make_bunch(scan_corpus(corpus, folder, unused=SCRIPTS[script]), on_error)


def load_mcyt75(folder, *, on_error="raise"):
    """List the signatures of the MCYT-75 corpus.

    MCYT-75 has 75 writers with 15 genuine signatures and 15 skilled forgeries each, expected in files such as
    `0000/0000v00.bmp` (genuine) and `0000/0000f00.bmp` (forged), in upper or lower case. The numbers of the writers
    have gaps.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder that holds the folders of the writers, such as `0000`.
    on_error : {"raise", "skip"}, default="raise"
        With "raise" no file is opened here, and the preprocessor raises an error on a bad one. With "skip" every file
        is opened now; unreadable ones are left out of images and target, with a warning that names them.

    Returns
    -------
    Bunch
        The signatures, sorted by writer, then kind, then number, in these attributes.

        images : ndarray of shape (n_signatures,), dtype str
            The paths of the image files.
        target : ndarray of shape (n_signatures, 2), dtype int64
            Rows `[writer, forgery]`: the writer is the number of its folder, and 0 for genuine or 1 for a skilled
            forgery.
        canvas_size : tuple of (int, int)
            Rows and columns of a canvas that holds the signatures, for the preprocessor: (600, 850).
        skipped : list of str
            The paths of unreadable files that were left out.
        DESCR : str
            What the corpus is, and the paper to cite.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If the folder has no scan in this layout, or `on_error` is another word.

    Warns
    -----
    UserWarning
        One warning each for the number of absent writers, missing files, files of another name and unreadable files.

    References
    ----------
    .. [1] J. Ortega-Garcia, J. Fierrez-Aguilar, D. Simon, J. Gonzalez, M. Faundez-Zanuy, V. Espinosa, A. Satue,
       I. Hernaez, J.-J. Igarza, C. Vivaracho, D. Escudero and Q.-I. Moro, "MCYT baseline corpus: a bimodal biometric
       database", IEE Proceedings - Vision, Image and Signal Processing 150(6), 395-401, 2003.

    Examples
    --------
    A folder with one signature only, so the loader warns about the rest:

    >>> import tempfile, warnings
    >>> from pathlib import Path
    >>> from sigkit.datasets import load_mcyt75
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
    ...     Path(folder, "0012").mkdir()
    ...     Path(folder, "0012/0012f14.bmp").touch()
    ...     bunch = load_mcyt75(folder)
    >>> bunch.target
    array([[12, 1]])
    >>> bunch.canvas_size
    (600, 850)
    """
    return make_bunch(scan_corpus(MCYT75, folder), on_error)


def load_gpds(folder, *, on_error="raise"):
    """List the signatures of the grey-scale GPDS-960 corpus.

    The corpus has up to 881 writers, numbered 1 to 960 with gaps, with 24 genuine signatures and 30 skilled forgeries
    each, expected in files such as `001/c-001-01.png` (genuine) and `001/cf-001-01.png` (forged).

    Parameters
    ----------
    folder : str or os.PathLike
        The folder that holds the folders of the writers, such as `001`.
    on_error : {"raise", "skip"}, default="raise"
        With "raise" no file is opened here, and the preprocessor raises an error on a bad one. With "skip" every file
        is opened now; unreadable ones are left out of images and target, with a warning that names them.

    Returns
    -------
    Bunch
        The signatures, sorted by writer, then kind, then number, in these attributes.

        images : ndarray of shape (n_signatures,), dtype str
            The paths of the image files.
        target : ndarray of shape (n_signatures, 2), dtype int64
            Rows `[writer, forgery]`: the writer is the number of its folder, and 0 for genuine or 1 for a skilled
            forgery.
        canvas_size : tuple of (int, int)
            Rows and columns of a canvas that holds the signatures, for the preprocessor: (952, 1360).
        skipped : list of str
            The paths of unreadable files that were left out.
        DESCR : str
            What the corpus is, and the paper to cite.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If the folder has no scan in this layout, or `on_error` is another word.

    Warns
    -----
    UserWarning
        One warning each for the number of absent writers, missing files, files of another name and unreadable files.

    References
    ----------
    .. [1] J. F. Vargas, M. A. Ferrer, C. M. Travieso and J. B. Alonso, "Off-line handwritten signature GPDS-960
       corpus", 9th International Conference on Document Analysis and Recognition, vol. 2, 764-768, 2007.

    Examples
    --------
    A folder with one signature only, so the loader warns about the rest:

    >>> import tempfile, warnings
    >>> from pathlib import Path
    >>> from sigkit.datasets import load_gpds
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
    ...     Path(folder, "960").mkdir()
    ...     Path(folder, "960/c-960-24.png").touch()
    ...     bunch = load_gpds(folder)
    >>> bunch.target
    array([[960,   0]])
    >>> bunch.canvas_size
    (952, 1360)
    """
    return make_bunch(scan_corpus(GPDS, folder), on_error)


def load_puc_pr(folder, *, on_error="raise"):
    """List the signatures of the Brazilian PUC-PR corpus.

    PUC-PR has 168 writers with 40 genuine signatures each; there are forgeries of the first 60 writers only, 10 simple
    and 10 skilled. Files are expected as `aWWW_NN.jpg`, for writer WWW and number NN: 1 to 40 are genuine, 41 to 50
    simple and 51 to 60 skilled forgeries.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder that holds the files.
    on_error : {"raise", "skip"}, default="raise"
        With "raise" no file is opened here, and the preprocessor raises an error on a bad one. With "skip" every file
        is opened now; unreadable ones are left out of images and target, with a warning that names them.

    Returns
    -------
    Bunch
        The signatures, sorted by writer, then kind, then number, in these attributes.

        images : ndarray of shape (n_signatures,), dtype str
            The paths of the image files.
        target : ndarray of shape (n_signatures, 2), dtype int64
            Rows `[writer, forgery]`: the writer is 1 to 168, and 0 for
            genuine, 1 for a skilled or 2 for a simple forgery.
        canvas_size : tuple of (int, int)
            Rows and columns of a canvas that holds the signatures, for the preprocessor: (700, 1000).
        skipped : list of str
            The paths of unreadable files that were left out.
        DESCR : str
            What the corpus is, and the paper to cite.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If the folder has no scan in this layout, or `on_error` is another word.

    Warns
    -----
    UserWarning
        One warning each for absent writers, missing files, files of another name and unreadable files.

    References
    ----------
    .. [1] C. Freitas, M. Morita, L. Oliveira, E. Justino, A. Yacoubi, E. Lethelier, F. Bortolozzi and R. Sabourin,
       "Bases de dados de cheques bancários brasileiros", XXVI Conferencia Latinoamericana de Informática, 2000.

    Examples
    --------
    A folder with one signature only, so the loader warns about the rest:

    >>> import tempfile, warnings
    >>> from pathlib import Path
    >>> from sigkit.datasets import load_puc_pr
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
    ...     Path(folder, "a001_41.jpg").touch()
    ...     bunch = load_puc_pr(folder)
    >>> bunch.target
    array([[1, 2]])
    >>> bunch.canvas_size
    (700, 1000)
    """
    return make_bunch(scan_corpus(PUC_PR, folder), on_error)
