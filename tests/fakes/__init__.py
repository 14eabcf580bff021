"""Ports in memory: real adapters that keep their promises, with nothing behind them."""
