"""What may be shown of a file that a playbook names: its lines only where it is plainly a manifest, and no Secret.

A playbook from a pull request can name any file below the repository's folder, and CI keeps more there than its
authors wrote: keys, tokens, a kubeconfig. What is wrong with one of those must not end in a public log.
"""

import re
from collections.abc import Sequence
from typing import Final

from runner.errors import Diagnostic

FIELD: Final = r"""(?:^|[{,-])[ \t]*["']?%s["']?[ \t]*:"""
HEAD: Final = tuple(re.compile(FIELD % name, re.MULTILINE) for name in ("apiVersion", "kind"))
SECRETIVE: Final = re.compile(r"""kind["']?[ \t]*:[ \t]*["']?(?:Secret|Config)\b""")
"""A Secret, a kubeconfig, and the encrypted forms of the first, which quote nothing that would be missed."""


def discreet(found: Sequence[Diagnostic], text: str, file: str) -> tuple[Diagnostic, ...]:
    """*found* in *text* as it may be told; *file* is how the playbook names it."""
    if not found or _is_plainly_a_manifest(text):
        return tuple(found)
    hint = "its lines are not shown: they may hold what is not for a log"
    message = f'"{file}" is no Kubernetes manifest, or holds secrets; something is wrong with it here'
    return (Diagnostic(found[0].code, message, found[0].location, hint=hint),)


def _is_plainly_a_manifest(text: str) -> bool:
    return all(field.search(text) for field in HEAD) and not SECRETIVE.search(text)
