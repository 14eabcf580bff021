"""What people and machines read about a run: text made from events, never from the world.

Rule 1: a report folds its own view of the run from events (`view.fold`); it asks nobody else.
Rule 2: nothing here decides anything or stops a run: what cannot be written is dropped and counted.
Rule 3: text that came from outside (names, reasons, answers of servers) passes through `escape` first.
"""
