"""Lengths of time, as people say them."""

UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def length(seconds: float) -> str:
    """*seconds* rounded to whole ones, in the two largest units that it takes: `5m`, `1m30s`, `0s`."""
    left, parts = round(seconds), []
    for size, unit in UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"
