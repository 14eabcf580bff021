"""Asks the engine, performs the action, records the event; decides nothing."""

from runner.conductor.loop import Conductor
from runner.conductor.world import World

__all__ = ["Conductor", "World"]
