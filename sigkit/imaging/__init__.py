"""Reading scans, and the preprocessing of signatures as plain functions."""

from sigkit.imaging._clean import remove_background, remove_specks
from sigkit.imaging._ink import InkBox, blur, find_ink
from sigkit.imaging._preprocess import Ink, Preprocessed, measure_ink, preprocess_image
from sigkit.imaging._read import ImageError, decode_image, read_bytes, read_image
from sigkit.imaging._resize import ResizePlan, fit_canvas, plan_resize
from sigkit.imaging._threshold import adaptive_threshold, count_greys, otsu_threshold

__all__ = [
    "ImageError",
    "Ink",
    "InkBox",
    "Preprocessed",
    "ResizePlan",
    "adaptive_threshold",
    "blur",
    "count_greys",
    "decode_image",
    "find_ink",
    "fit_canvas",
    "measure_ink",
    "otsu_threshold",
    "plan_resize",
    "preprocess_image",
    "read_bytes",
    "read_image",
    "remove_background",
    "remove_specks",
]
