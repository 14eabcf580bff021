"""Compiles a tree to a program for the automaton: flat instructions, preferred branches first."""

from dataclasses import dataclass

from runner.promql.re2.characters import Characters
from runner.promql.re2.syntax import (
    Assertion,
    Choice,
    Group,
    Parsed,
    PatternError,
    Repeat,
    Sequence,
    Set,
    Tree,
)

MAX_INSTRUCTIONS = 5_000


@dataclass(frozen=True, slots=True)
class Take:
    """Consume one character of a set, then go on at the next instruction."""

    characters: Characters


@dataclass(frozen=True, slots=True)
class Split:
    """Try *first*, then *second*."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on elsewhere."""

    target: int


@dataclass(frozen=True, slots=True)
class Save:
    """Remember the place in *slot*: twice a group's number for its start, one more for its end."""

    slot: int


@dataclass(frozen=True, slots=True)
class Check:
    """Go on only where the assertion holds."""

    kind: str


@dataclass(frozen=True, slots=True)
class Done:
    """The pattern is matched."""


Instruction = Take | Split | Jump | Save | Check | Done


@dataclass(frozen=True, slots=True)
class Program:
    """Instructions, starting at the first, and the names of the groups."""

    instructions: tuple[Instruction, ...]
    groups: tuple[str | None, ...]


def compile_tree(parsed: Parsed) -> Program:
    """The program of a parsed pattern. PatternError when it is too large."""
    writer = _Writer()
    writer.write(parsed.tree)
    writer.add(Done())
    return Program(tuple(writer.instructions), parsed.groups)


class _Writer:
    def __init__(self) -> None:
        self.instructions: list[Instruction] = []

    def add(self, instruction: Instruction) -> int:
        """Append and tell where."""
        if len(self.instructions) >= MAX_INSTRUCTIONS:
            raise PatternError("expression too large", unsupported="size")
        self.instructions.append(instruction)
        return len(self.instructions) - 1

    def write(self, tree: Tree) -> None:
        """Append the instructions of *tree*."""
        match tree:
            case Set(characters=characters):
                self.add(Take(characters))
            case Assertion(kind=kind):
                self.add(Check(kind))
            case Sequence(parts=parts):
                for part in parts:
                    self.write(part)
            case Choice(alternatives=alternatives):
                self._choice(alternatives)
            case Group(part=part, number=number):
                self.add(Save(2 * number))
                self.write(part)
                self.add(Save(2 * number + 1))
            case Repeat():
                self._repeat(tree)

    def _choice(self, alternatives: tuple[Tree, ...]) -> None:
        exits: list[int] = []
        for alternative in alternatives[:-1]:
            split = self.add(Jump(0))
            self.write(alternative)
            exits.append(self.add(Jump(0)))
            self.instructions[split] = Split(split + 1, len(self.instructions))
        self.write(alternatives[-1])
        for leave in exits:
            self.instructions[leave] = Jump(len(self.instructions))

    def _repeat(self, repeat: Repeat) -> None:
        for _ in range(repeat.least):
            self.write(repeat.part)
        if repeat.most is None:
            self._loop(repeat)
            return
        splits: list[int] = []
        for _ in range(repeat.most - repeat.least):
            splits.append(self.add(Jump(0)))
            self.write(repeat.part)
        for split in splits:
            self.instructions[split] = _split(split + 1, len(self.instructions), greedy=repeat.greedy)

    def _loop(self, repeat: Repeat) -> None:
        split = self.add(Jump(0))
        self.write(repeat.part)
        self.add(Jump(split))
        self.instructions[split] = _split(split + 1, len(self.instructions), greedy=repeat.greedy)


def _split(inside: int, after: int, *, greedy: bool) -> Split:
    return Split(inside, after) if greedy else Split(after, inside)
