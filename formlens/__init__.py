"""Handwriting on paper forms, read into spreadsheets."""

__version__ = "0.1.0"
