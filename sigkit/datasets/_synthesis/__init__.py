"""Handwriting as movement: from what is signed, and by whose hand, to ink on paper."""

from sigkit.datasets._synthesis._motor_plan import SCRIPTS
from sigkit.datasets._synthesis._person import Sheet, move, sign
from sigkit.datasets._synthesis._scan import SCANS

__all__ = ["SCANS", "SCRIPTS", "Sheet", "move", "sign"]
