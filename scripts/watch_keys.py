"""Which key does what."""

from __future__ import annotations

from typing import NamedTuple

import pygame

from redrive.watch_actions import Action

ARROWS = (pygame.K_LEFT, pygame.K_RIGHT, pygame.K_UP, pygame.K_DOWN)
BY_KEY = {
    pygame.K_SPACE: Action.PAUSE,
    pygame.K_PAUSE: Action.PAUSE,
    pygame.K_r: Action.AGAIN,
    pygame.K_n: Action.NEXT,
    pygame.K_h: Action.WHEEL,
    pygame.K_KP_PLUS: Action.FASTER,
    pygame.K_KP_MINUS: Action.SLOWER,
    pygame.K_z: Action.ZOOM,
    pygame.K_a: Action.SALIENCY,
    pygame.K_m: Action.MEMORY,
    pygame.K_l: Action.MENU,
    pygame.K_s: Action.SCREENSHOT,
    pygame.K_v: Action.FILM,
    pygame.K_F1: Action.HELP,
    pygame.K_q: Action.QUIT,
}
BY_LETTER = {  # where the key depends on the keyboard
    "+": Action.FASTER,
    "=": Action.FASTER,
    "-": Action.SLOWER,
    "?": Action.HELP,
}
BY_BUTTON = {  # of a gamepad, as an Xbox's are called
    pygame.CONTROLLER_BUTTON_START: Action.PAUSE,
    pygame.CONTROLLER_BUTTON_BACK: Action.HELP,
    pygame.CONTROLLER_BUTTON_A: Action.WHEEL,
    pygame.CONTROLLER_BUTTON_B: Action.NEXT,
    pygame.CONTROLLER_BUTTON_X: Action.AGAIN,
    pygame.CONTROLLER_BUTTON_Y: Action.RECORD,
}
HELP: tuple[tuple[tuple[str, ...], str], ...] = (
    (("←", "→", "↑", "↓"), "take the wheel: steer, accelerate, brake"),
    (("H",), "take the wheel, give it back"),
    (("space",), "pause, go on"),
    (("→", "."), "paused: one step (the dot where you drive)"),
    (("R",), "the same episode again; a take is thrown away"),
    (("N",), "the next episode, on the next road"),
    (("1", "9"), "1 to 9: follow another driver"),
    (("+", "-"), "faster, slower"),
    (("Z",), "zoom"),
    (("A",), "what in the picture moved the command"),
    (("M",), "what the driver remembers"),
    (("L",), "choose what is drawn"),
    (("S",), "save a picture"),
    (("V",), "film the window, stop filming"),
    (("⇧ R",), "record the drive to learn from, stop recording"),
    (("F1", "?"), "this help"),
    (("Q", "Esc"), "quit"),
)


class Asked(NamedTuple):
    """What an event asks for."""

    action: Action
    number: int = 0  # of a driver or a layer


def asked(
    event: pygame.event.Event,
    paused: bool,
    at_the_wheel: bool,
    card_shown: bool = False,
) -> Asked | None:
    """What an event asks for, if anything; the arrows of somebody who drives are no actions.

    Args:
        card_shown: the help or the menu lies over the picture; Escape closes it.
    """
    if event.type == pygame.QUIT:
        return Asked(Action.QUIT)
    if event.type == pygame.CONTROLLERBUTTONDOWN:
        action = BY_BUTTON.get(event.button)
        return Asked(action) if action else None
    if event.type != pygame.KEYDOWN:
        return None
    if event.key == pygame.K_ESCAPE:
        return Asked(Action.CLOSE if card_shown else Action.QUIT)
    if paused and (event.key == pygame.K_PERIOD or event.unicode == "."):
        return Asked(Action.STEP)
    if event.key in ARROWS and not at_the_wheel:
        if not paused:
            return Asked(Action.TAKE_WHEEL)
        return Asked(Action.STEP) if event.key == pygame.K_RIGHT else None
    if event.key == pygame.K_r and getattr(event, "mod", 0) & pygame.KMOD_SHIFT:
        return Asked(Action.RECORD)
    if event.unicode and event.unicode in "123456789":
        return Asked(Action.NUMBER, int(event.unicode))
    found = BY_KEY.get(event.key) or BY_LETTER.get(event.unicode)
    return Asked(found) if found else None
