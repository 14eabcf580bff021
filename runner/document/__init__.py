"""From a file to a document that is known to be right, and from there to the model.

load -> templates -> schema -> rules -> build; every step adds diagnostics with places, and none stops at
the first.
Nothing here opens a socket, starts a process or reads the environment.
"""
