"""Plays, reviews and resumes declarative gray (canary) releases."""

__version__ = "0.1.0"
