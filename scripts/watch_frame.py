"""What the layers of one picture are given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from redrive.agents.expert import Expert
from redrive.watch_drive import Drive
from redrive.watch_paint import DRIVERS, EXPERT, PERSON, Colour
from redrive.watch_session import Layer, Session


@dataclass(frozen=True)
class Frame:
    """One picture of a session."""

    session: Session
    unit: float  # how large everything is; 1 in a window of 1280 x 720

    def shows(self, layer: Layer) -> bool:
        """Whether a layer is to be drawn."""
        return layer not in self.session.off

    @cached_property
    def expert_drives(self) -> bool:
        """Whether the driver is the expert itself."""
        return isinstance(self.session.drive.agent, Expert)

    @property
    def person_drives(self) -> bool:
        """Whether the driver is a person anyway."""
        return self.session.person_drives

    @cached_property
    def driver_colour(self) -> Colour:
        """The driver's own."""
        return self.colour_of(self.session.shown)

    def colour_of(self, number: int) -> Colour:
        """The own colour of a driver, by its place among them."""
        agent = self.session.drives[number].agent
        if agent is self.session.human:
            return PERSON
        if isinstance(agent, Expert):
            return EXPERT
        learned = [k for k, drive in enumerate(self.session.drives) if not self._has_own(drive)]
        return DRIVERS[learned.index(number) % len(DRIVERS)]

    @property
    def colour(self) -> Colour:
        """Of whoever has the wheel now."""
        return PERSON if self.session.at_the_wheel else self.driver_colour

    @property
    def who(self) -> str:
        """Who has the wheel now."""
        return "you" if self.session.at_the_wheel else self.session.drive.driver

    def _has_own(self, drive: Drive) -> bool:
        return drive.agent is self.session.human or isinstance(drive.agent, Expert)
