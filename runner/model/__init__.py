"""What a playbook means: frozen values, standard library only.

Nothing here reads a clock, a file or a socket. A wrong value cannot be built.
Durations and times are float seconds; a time is Unix seconds, UTC.
"""
