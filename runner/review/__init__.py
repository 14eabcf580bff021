"""What a playbook would do, said before anything is done.

Rule 1: nothing here writes: what a server makes of an object it is asked for with a dry run.
Rule 2: the stages and the engine that are asked are those of a real run.
"""
