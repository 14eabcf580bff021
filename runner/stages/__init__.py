"""One module per stage kind: which steps it consists of, what it changes, and what it says in a plan.

Rule 1: a module here sees ports, never adapters. Rule 2: nothing here decides what happens next.
"""
