"""Importing the metrics loads no heavy library."""

import json
import subprocess
import sys

CODE = """
import json, sys
import sigkit.metrics
sigkit.metrics.verification_report([1, 1, 0, 0], [4, 2, 3, 1], random_state=0)
print(json.dumps([name for name in ("torch", "PIL", "matplotlib", "skorch") if name in sys.modules]))
"""


def test_metrics_load_neither_torch_nor_pillow_nor_matplotlib():
    found = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == []
