"""What the evaluator and Prometheus are both asked: worlds of series, queries by hand, queries from a seed."""
