"""Judges a finished or unfinished run a second time, from what its state file kept, and from nothing else."""

from runner.audit.verdicts import Audit, Audited, audit
from runner.audit.words import render_json, render_text

__all__ = ["Audit", "Audited", "audit", "render_json", "render_text"]
