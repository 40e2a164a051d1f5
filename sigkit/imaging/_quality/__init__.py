"""The quality of scans: whether what counts as ink is a signature, and nothing else."""

from sigkit.imaging._quality._check import ScanQuality, check_scan, check_scans
from sigkit.imaging._quality._measure import measure_scan
from sigkit.imaging._quality._problems import PROBLEMS, find_problems

__all__ = ["PROBLEMS", "ScanQuality", "check_scan", "check_scans", "find_problems", "measure_scan"]
