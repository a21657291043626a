"""A person drives: keys or a gamepad, smoothed so that a lane can be held with them.

The window feels the controls at every picture and puts them into `Controls`; the agent takes their
mean at every step, so a tap that is shorter than a step still steers a little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from ..sim.sensors.lane import LaneView
from ..sim.vehicle import Command, Vehicle
from .agent import View, lane_of

GRIP = 5.0  # sideways acceleration at full steering: less than full lock, at speed [m/s²]
SLOW = 4.0  # below this speed, steering gets no stronger [m/s]
TURN_TIME = 1.0  # a key held turns the wheel from its rest to full steering in this time [s]
BACK_TIME = 0.5  # a key let go, it is back in this time [s]
LEARN_TIME = 0.5  # in which the rest follows where the wheel is held: in a long bend, to the bend
FORGET_TIME = 5.0  # in which the rest goes back to straight ahead
STICK_TIME = 0.12  # from straight ahead to full steering with a stick [s]
ACCEL, BRAKE = 2.0, 5.0  # of a key held [m/s²]
PEDAL_TIME = 0.25  # from nothing to the full brake [s]
DEAD_ZONE = 0.12  # of a stick
FINE = 0.6  # how much gentler a stick is in its middle than at its ends
FIRM = 0.35  # of a gamepad's reach: a hand, not a stick that lies there


class Wish(NamedTuple):
    """What the controls ask for."""

    steer: float = 0.0  # -1 full right .. 1 full left
    drive: float = 0.0  # -1 full brake .. 1 full throttle
    stick: bool = False  # from a stick, which is smooth already, not from keys

    @property
    def firm(self) -> bool:
        """Whether somebody means it."""
        return max(abs(self.steer), abs(self.drive)) > FIRM


NOTHING = Wish()


class Controls:
    """Where the window leaves what the hands do, and the agent takes it."""

    def __init__(self) -> None:
        self._steer = self._drive = self._seconds = 0.0
        self._last = NOTHING

    def feel(self, wish: Wish, seconds: float) -> None:
        """The controls have asked for this during so many seconds; 0 forgets all before it."""
        if seconds <= 0.0:
            self.let_go()
        self._steer += wish.steer * seconds
        self._drive += wish.drive * seconds
        self._seconds += seconds
        self._last = wish

    def take(self) -> Wish:
        """Their mean since they were last taken; as they were, where no time has passed."""
        if self._seconds <= 0.0:
            return self._last
        mean = Wish(self._steer / self._seconds, self._drive / self._seconds, self._last.stick)
        self._steer = self._drive = self._seconds = 0.0
        return mean

    def let_go(self) -> None:
        """No hand is on the controls; nothing is kept of what they did."""
        self._steer = self._drive = self._seconds = 0.0
        self._last = NOTHING


class Hands(NamedTuple):
    """Where the wheel and the pedals are, for B cars; each (B,)."""

    curvature: np.ndarray  # [1/m]
    rest: np.ndarray  # the curvature that the wheel goes back to, no key held [1/m]
    accel: np.ndarray  # [m/s²]


@dataclass(frozen=True)
class Human:
    """An agent that does what its controls ask for.

    Full steering is what the tyres would bear at that speed, so the same tap does about the same
    at any speed. A key moves the wheel away from its rest, and the rest follows slowly: in a long
    bend the wheel learns the bend, and taps only correct it. No key held, the speed stays.
    """

    vehicle: Vehicle
    dt: float  # [s]
    controls: Controls = field(default_factory=Controls)

    def begin(self, batch_size: int) -> Hands | None:
        """The hands are not on the wheel yet; they will find it as the lane bends."""
        return None

    def grasp(self, curvature: np.ndarray, accel: np.ndarray) -> Hands:
        """Hands on a wheel and pedals that somebody else has been holding like this."""
        self.controls.let_go()
        return Hands(curvature, curvature, accel)

    def act(self, view: View, memory: Hands | None) -> tuple[Command, Hands]:
        """The wheel and the pedals one step on."""
        return self.press(lane_of(view), memory, self.controls.take())

    def press(self, lane: LaneView, memory: Hands | None, wish: Wish) -> tuple[Command, Hands]:
        """One step with these controls.

        Args:
            lane: a person has a speedometer, and feels how the wheel stands; no more is used.
        """
        hands = memory or Hands(lane.curvature, lane.curvature, np.zeros(len(lane.speed)))
        full = full_steering(self.vehicle, lane.speed)
        hands = self._hold_wheel(hands, wish, full) if wish.stick else self._tap(hands, wish, full)
        strongest = ACCEL if wish.drive > 0.0 else BRAKE
        push = BRAKE * self.dt / PEDAL_TIME
        accel = hands.accel + np.clip(wish.drive * strongest - hands.accel, -push, push)
        return Command(hands.curvature, accel), hands._replace(accel=accel)

    def _tap(self, hands: Hands, wish: Wish, full: np.ndarray) -> Hands:
        """The wheel under keys."""
        away = hands.curvature - hands.rest
        if wish.steer == 0.0:
            wanted, turn = hands.rest, full * self.dt / BACK_TIME
        else:
            wanted = np.clip(hands.rest + np.sign(wish.steer) * full, -full, full)
            seconds = np.where(away * wish.steer < 0.0, BACK_TIME, TURN_TIME)
            turn = abs(wish.steer) * full * self.dt / seconds
        wheel = hands.curvature + np.clip(wanted - hands.curvature, -turn, turn)
        learnt = (wheel - hands.rest) * min(self.dt / LEARN_TIME, 1.0)
        forgot = hands.rest * min(self.dt / FORGET_TIME, 1.0)
        return hands._replace(curvature=wheel, rest=hands.rest + learnt - forgot)

    def _hold_wheel(self, hands: Hands, wish: Wish, full: np.ndarray) -> Hands:
        """The wheel under a stick, which says where it shall stand."""
        turn = full * self.dt / STICK_TIME
        wheel = hands.curvature + np.clip(wish.steer * full - hands.curvature, -turn, turn)
        return hands._replace(curvature=wheel, rest=wheel)


def full_steering(vehicle: Vehicle, speed: np.ndarray) -> np.ndarray:
    """(B,) the curvature of full steering at these speeds [1/m]."""
    return np.minimum(vehicle.max_curvature, GRIP / np.maximum(speed, SLOW) ** 2)


class Held(Protocol):
    """Which keys are held: `pygame.key.get_pressed()`."""

    def __getitem__(self, key: int, /) -> bool: ...


def key_wish(held: Held) -> Wish:
    """What the arrow keys ask for."""
    import pygame

    return Wish(
        steer=float(held[pygame.K_LEFT]) - float(held[pygame.K_RIGHT]),
        drive=-1.0 if held[pygame.K_DOWN] else float(held[pygame.K_UP]),
    )


class Pad(Protocol):
    """A gamepad, as `pygame._sdl2.controller.Controller` is one."""

    def get_axis(self, axis: int) -> int: ...

    def attached(self) -> bool: ...


def find_pad() -> Pad | None:
    """The first gamepad that is plugged in."""
    from pygame._sdl2 import controller

    if not controller.get_init():
        controller.init()
    for i in range(controller.get_count()):
        if controller.is_controller(i):
            pad: Pad = controller.Controller(i)
            return pad
    return None


def pad_wish(pad: Pad) -> Wish:
    """What a gamepad asks for: the left stick steers, the triggers accelerate and brake."""
    import pygame

    stick = pad.get_axis(pygame.CONTROLLER_AXIS_LEFTX) / 32768.0
    reach = max(abs(stick) - DEAD_ZONE, 0.0) / (1.0 - DEAD_ZONE)
    steer = -np.sign(stick) * reach * (1.0 - FINE + FINE * reach * reach)
    throttle = pad.get_axis(pygame.CONTROLLER_AXIS_TRIGGERRIGHT) / 32767.0
    brake = pad.get_axis(pygame.CONTROLLER_AXIS_TRIGGERLEFT) / 32767.0
    return Wish(float(steer), -brake if brake > 0.05 else throttle, stick=True)


class Desk:
    """The keys, and the gamepad where there is one: whichever was used last."""

    def __init__(self, pad: Pad | None = None) -> None:
        self.pad = pad
        self._on_pad = False

    def wish(self, held: Held) -> Wish:
        """What the hands ask for now."""
        keys = key_wish(held)
        if self.pad is None or not self.pad.attached():
            return keys
        stick = pad_wish(self.pad)
        if keys != NOTHING:
            self._on_pad = False
        elif stick.firm:
            self._on_pad = True
        return stick if self._on_pad else keys
