"""How long imports and the help of the command take, in fresh processes, beside those of numpy and scikit-learn.

    python benchmarks/bench_import.py [--repeats 7]

Times are processor times of the whole process less those of an empty program, the least of the repeats.
"""

import argparse
import os
import resource
import subprocess
import sys

PROGRAMS = {
    "import numpy": ["-c", "import numpy"],
    "import sklearn.metrics": ["-c", "import sklearn.metrics"],
    "import sigkit": ["-c", "import sigkit"],
    "sigkit --help": ["-m", "sigkit", "--help"],
    "import sigkit.metrics": ["-c", "import sigkit.metrics"],
    "import sigkit.datasets": ["-c", "import sigkit.datasets"],
    "import sigkit.transformers": ["-c", "import sigkit.transformers"],
}


def measure(arguments, repeats):
    """Return the least processor time of a program in seconds."""
    times = []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=dict(os.environ))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    empty = measure(["-c", "pass"], options.repeats)
    print(f"{'an empty program':28}{empty:8.3f} s")
    for name, arguments in PROGRAMS.items():
        print(f"{name:28}{measure(arguments, options.repeats) - empty:8.3f} s more")


if __name__ == "__main__":
    main()
