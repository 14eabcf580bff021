"""The state file: an append-only journal of events, one JSON object a line, checksummed and chained.

Rule 1: what `append` returned for is on the disk. Rule 2: what does not check is refused, never repaired;
only a last line without its newline, which no effect can have followed, is cut.
"""

from runner.journal.file import JournalFile, Record, read
from runner.journal.orders import OrdersFile, give_order

__all__ = ["JournalFile", "OrdersFile", "Record", "give_order", "read"]
