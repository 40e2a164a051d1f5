"""Handwriting as movement: from what is signed, and by whose hand, to ink on paper."""

from sigkit.datasets._synthesis._motor_plan import SCRIPTS
from sigkit.datasets._synthesis._person import FORM, LINE, Sheet, move, sign
from sigkit.datasets._synthesis._scan import SCANS

__all__ = ["FORM", "LINE", "SCANS", "SCRIPTS", "Sheet", "move", "sign"]
