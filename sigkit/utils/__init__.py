"""What every room shares: the parts of `y`, fingerprints of images, wording, progress, files, parallel tasks."""

from sigkit.utils._allocator import freed_memory_kept
from sigkit.utils._digest import content_digest, signature_digest
from sigkit.utils._files import whole_file
from sigkit.utils._parallel import map_parallel, on_dask, single_threaded_products
from sigkit.utils._progress import progress
from sigkit.utils._target import GENUINE, SIMPLE, SKILLED, development_rows, join_target, parse_target, same_id_type
from sigkit.utils._text import listing

__all__ = [
    "GENUINE",
    "SIMPLE",
    "SKILLED",
    "content_digest",
    "development_rows",
    "freed_memory_kept",
    "join_target",
    "listing",
    "map_parallel",
    "on_dask",
    "parse_target",
    "progress",
    "same_id_type",
    "signature_digest",
    "single_threaded_products",
    "whole_file",
]
