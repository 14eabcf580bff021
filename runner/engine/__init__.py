"""The pure core: decides the next action and folds events into state.

Rule 1: every transition lives in `decide` and `evolve`. Nothing else may move a run forward.
Rule 2: nothing here reads a clock, a file or a socket. `now` arrives as an argument.
"""
