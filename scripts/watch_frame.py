"""What the layers of one picture are given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from redrive.agents.expert import Expert
from redrive.watch_paint import DRIVER, EXPERT, PERSON, Colour
from redrive.watch_session import Session


@dataclass(frozen=True)
class Frame:
    """One picture of a session."""

    session: Session
    unit: float  # how large everything is; 1 in a window of 1280 x 720

    @cached_property
    def expert_drives(self) -> bool:
        """Whether the driver is the expert itself."""
        return isinstance(self.session.drive.agent, Expert)

    @property
    def person_drives(self) -> bool:
        """Whether the driver is a person anyway."""
        return self.session.drive.agent is self.session.human

    @property
    def driver_colour(self) -> Colour:
        """The driver's own."""
        if self.person_drives:
            return PERSON
        return EXPERT if self.expert_drives else DRIVER

    @property
    def colour(self) -> Colour:
        """Of whoever has the wheel now."""
        return PERSON if self.session.at_the_wheel else self.driver_colour

    @property
    def who(self) -> str:
        """Who has the wheel now."""
        return "you" if self.session.at_the_wheel else self.session.drive.driver
