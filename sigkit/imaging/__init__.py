"""Read scans of signatures, check their quality, and the steps of their preprocessing as plain functions."""

from sigkit.imaging._clean import remove_background
from sigkit.imaging._copies import PICTURE_SIZE as PICTURE_SIZE
from sigkit.imaging._copies import ScanCopy, find_copies
from sigkit.imaging._copies import center_pictures as center_pictures
from sigkit.imaging._copies import picture_ink as picture_ink
from sigkit.imaging._display import PreprocessingDisplay
from sigkit.imaging._error import ImageError
from sigkit.imaging._formats import CANVAS_DPI as CANVAS_DPI
from sigkit.imaging._measure_strokes import STROKE_CHANNELS as STROKE_CHANNELS
from sigkit.imaging._measure_strokes import measure_strokes
from sigkit.imaging._preprocess import crop_ink, place_ink, preprocess_image
from sigkit.imaging._quality import PROBLEMS as PROBLEMS
from sigkit.imaging._quality import ScanQuality, check_scan, check_scans
from sigkit.imaging._read import list_pages, read_image
from sigkit.imaging._read import read_with_resolution as read_with_resolution
from sigkit.imaging._read import stated_resolution as stated_resolution
from sigkit.imaging._resample import check_resampled as check_resampled
from sigkit.imaging._resample import dpi_of_scan as dpi_of_scan
from sigkit.imaging._resize import fit_canvas
from sigkit.imaging._thin import thin_ink
from sigkit.imaging._threshold import adaptive_threshold, otsu_threshold
from sigkit.imaging._trace import trace_scan as trace_scan

__all__ = [
    "ImageError",
    "PreprocessingDisplay",
    "ScanCopy",
    "ScanQuality",
    "adaptive_threshold",
    "check_scan",
    "check_scans",
    "crop_ink",
    "find_copies",
    "fit_canvas",
    "list_pages",
    "measure_strokes",
    "otsu_threshold",
    "place_ink",
    "preprocess_image",
    "read_image",
    "remove_background",
    "thin_ink",
]
