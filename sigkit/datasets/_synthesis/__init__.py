"""Synthetic handwriting: from a text and a style of writing to movements of the pen, ink on paper, and a scan."""

from sigkit.datasets._synthesis._motor_plan import SCRIPTS
from sigkit.datasets._synthesis._person import (
    FORM_SIZE,
    MAX_LINE_WIDTH,
    ScanSettings,
    render_signature,
    simulate_movements,
)
from sigkit.datasets._synthesis._scan import SCANS

__all__ = [
    "FORM_SIZE",
    "MAX_LINE_WIDTH",
    "SCANS",
    "SCRIPTS",
    "ScanSettings",
    "render_signature",
    "simulate_movements",
]
