"""Which key does what."""

from __future__ import annotations

import pygame

from redrive.watch_session import Action

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
    pygame.K_s: Action.SCREENSHOT,
    pygame.K_F1: Action.HELP,
    pygame.K_q: Action.QUIT,
}
BY_LETTER = {  # where the key depends on the keyboard
    "+": Action.FASTER,
    "=": Action.FASTER,
    "-": Action.SLOWER,
    "?": Action.HELP,
}
HELP: tuple[tuple[tuple[str, ...], str], ...] = (
    (("←", "→", "↑", "↓"), "take the wheel: steer, accelerate, brake"),
    (("H",), "take the wheel, give it back"),
    (("space",), "pause, go on"),
    (("→", "."), "paused: one step (the dot where you drive)"),
    (("R",), "the same episode again"),
    (("N",), "the next episode, on the next road"),
    (("+", "-"), "faster, slower"),
    (("Z",), "zoom"),
    (("S",), "save a picture"),
    (("F1", "?"), "this help"),
    (("Q", "Esc"), "quit"),
)


def action_of(
    event: pygame.event.Event, paused: bool, at_the_wheel: bool, help_shown: bool = False
) -> Action | None:
    """What an event asks for, if anything; the arrows of somebody who drives are no actions."""
    if event.type == pygame.QUIT:
        return Action.QUIT
    if event.type != pygame.KEYDOWN:
        return None
    if event.key == pygame.K_ESCAPE:
        return Action.HELP if help_shown else Action.QUIT
    if paused and (event.key == pygame.K_PERIOD or event.unicode == "."):
        return Action.STEP
    if event.key in ARROWS and not at_the_wheel:
        if not paused:
            return Action.TAKE_WHEEL
        return Action.STEP if event.key == pygame.K_RIGHT else None
    return BY_KEY.get(event.key) or BY_LETTER.get(event.unicode)
