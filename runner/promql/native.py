"""The native parser behind one door: whatever goes wrong in it is a ValueError."""

import promql_parser


def parse(text: str) -> promql_parser.Expr:
    """What promql-parser makes of *text*. ValueError when it is no PromQL, or more than the parser can take."""
    try:
        return promql_parser.parse(text)
    except ValueError:
        raise
    except BaseException as error:
        # A panic of the native code is no Exception, and its class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError("the parser cannot read this") from error
