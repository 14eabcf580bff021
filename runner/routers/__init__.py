"""Split <-> object: pure functions, one module per kind of router, used on a cluster and in the sandbox alike.

Rule 1: a router changes the destinations of one http route and our one annotation, nothing else.
Rule 2: the object after any step is a function of the object as found and the split.
"""
