"""Helpers that all rooms share: targets, images, Pipelines, digests, messages, files, parallel tasks, settings."""

from sigkit._utils._allocator import freed_memory_kept
from sigkit._utils._by_writer import by_writer
from sigkit._utils._development_writers import development_writers
from sigkit._utils._digest import content_digest, distinct_signatures, scan_digest, signature_digest
from sigkit._utils._documentation_link import DOCUMENTATION, DocumentationLink
from sigkit._utils._files import locked_folder, remove_unfinished, whole_file
from sigkit._utils._ids import parse_ids
from sigkit._utils._images import as_bytes, check_images, check_magnification, check_size
from sigkit._utils._optional_package import optional_package
from sigkit._utils._ordered import check_ordered, check_several
from sigkit._utils._pages import FileContent, read_scan, read_upload, split_page, too_many_bytes
from sigkit._utils._parallel import map_parallel, on_dask, single_threaded_products
from sigkit._utils._pipeline import (
    before_last_step,
    last_step,
    named_steps,
    preprocesses_scans,
    steps_after_preprocessing,
    with_last_step,
)
from sigkit._utils._progress import progress
from sigkit._utils._provenance import (
    check_metadata,
    compare_preprocessing,
    describe_preprocessing,
    describe_training,
    with_terms,
)
from sigkit._utils._random_state import own_random_state
from sigkit._utils._regular_file import MAX_SCAN_SIZE, open_regular, printable_path, read_file
from sigkit._utils._run_time import RUN_TIME_PARAMETERS
from sigkit._utils._seal import (
    DIGEST,
    FORMAT,
    digest_of,
    metadata_of,
    seal_safetensors,
    sealed,
    unseal_safetensors,
    unsealed,
)
from sigkit._utils._target import (
    FORGERY_KINDS,
    GENUINE,
    SIMPLE,
    SKILLED,
    development_rows,
    join_target,
    parse_target,
    same_id_type,
)
from sigkit._utils._text import listing
from sigkit._utils._threshold import check_threshold, thresholds_of_writers
from sigkit._utils._version_in_state import VERSION_KEY, VersionInState, compare_version
from sigkit._utils._warn import equal_warnings_once, warn, without_warnings
from sigkit._utils._warning_filters import filters_lock, validate_data

__all__ = [
    "DIGEST",
    "DOCUMENTATION",
    "FORGERY_KINDS",
    "FORMAT",
    "GENUINE",
    "MAX_SCAN_SIZE",
    "RUN_TIME_PARAMETERS",
    "SIMPLE",
    "SKILLED",
    "VERSION_KEY",
    "DocumentationLink",
    "FileContent",
    "VersionInState",
    "as_bytes",
    "before_last_step",
    "by_writer",
    "check_images",
    "check_magnification",
    "check_metadata",
    "check_ordered",
    "check_several",
    "check_size",
    "check_threshold",
    "compare_preprocessing",
    "compare_version",
    "content_digest",
    "describe_preprocessing",
    "describe_training",
    "development_rows",
    "development_writers",
    "digest_of",
    "distinct_signatures",
    "equal_warnings_once",
    "filters_lock",
    "freed_memory_kept",
    "join_target",
    "last_step",
    "listing",
    "locked_folder",
    "map_parallel",
    "metadata_of",
    "named_steps",
    "on_dask",
    "open_regular",
    "optional_package",
    "own_random_state",
    "parse_ids",
    "parse_target",
    "preprocesses_scans",
    "printable_path",
    "progress",
    "read_file",
    "read_scan",
    "read_upload",
    "remove_unfinished",
    "same_id_type",
    "scan_digest",
    "seal_safetensors",
    "sealed",
    "signature_digest",
    "single_threaded_products",
    "split_page",
    "steps_after_preprocessing",
    "thresholds_of_writers",
    "too_many_bytes",
    "unseal_safetensors",
    "unsealed",
    "validate_data",
    "warn",
    "whole_file",
    "with_last_step",
    "with_terms",
    "without_warnings",
]
