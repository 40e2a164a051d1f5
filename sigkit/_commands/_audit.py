"""`sigkit audit`: copies, poor scans and shortcuts of a corpus."""

from sigkit._commands._files import check_figure, check_output, load_scans, write_figure, write_json, write_table
from sigkit.datasets import audit


def run(options):
    """Run the command.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.
    """
    check_figure(options.page)
    for path in (options.csv, options.json):
        check_output(path)
    corpus = load_scans(options)
    settings = {"background": options.background, "n_jobs": options.n_jobs, "random_state": options.seed, "verbose": 1}
    found = audit(corpus.images, corpus.target, **settings)
    print(found)
    if options.csv:
        write_table(options.csv, found.columns)
    if options.json:
        write_json(options.json, found.to_dict())
    if options.page:
        write_figure(options.page, found.plot())
