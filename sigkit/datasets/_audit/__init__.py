"""The audit of a corpus: copies, unreadable and odd files, and statistics that tell genuine from forged."""

from sigkit.datasets._audit._audit import audit
from sigkit.datasets._audit._display import AuditDisplay
from sigkit.datasets._audit._report import CorpusAudit
from sigkit.datasets._audit._shortcuts import Shortcut

__all__ = ["AuditDisplay", "CorpusAudit", "Shortcut", "audit"]
