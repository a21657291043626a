"""Remarks on a source, for people and programs."""

from typing import NamedTuple


class Note(NamedTuple):
    """Something about the source that its user should know; the name is for programs."""

    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"
