"""Saving and loading: whole fitted systems in one file each, without pickle."""

from sigkit.persistence._system_file import load, save

__all__ = ["load", "save"]
