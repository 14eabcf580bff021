"""The proof: the real engine, conductor, stages, routers and journal, driven through everything that goes wrong.

One integer makes one history. `simulation.play(seed)` plays it and raises `Violation` where a promise breaks.
"""
