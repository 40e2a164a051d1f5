"""Decisions: thresholds that are fixed before any query is seen, and calibrated evidence."""
