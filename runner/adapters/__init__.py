"""The real forms of the ports: the only code that touches clusters, metrics and clocks.

Rule 1: what goes wrong outside is translated here, at the border, into the words of `runner.errors`.
Rule 2: nothing is repeated in silence. A call is sent once; asking again is the engine's decision.
Rule 3: every call ends: one deadline for the whole of it, and a cap on what is read.
Heavy packages are imported where they are first needed.
"""
