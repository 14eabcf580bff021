"""Arguments in, exit codes out: one module a command, imported when it is called.

Rule 1: a command is a handful of named steps; what it does beyond arguments lies below.
Rule 2: stdout carries the result, stderr everything else.
"""
