"""What a world looks like: colours, wear, light and weather, drawn per car and episode.

An empty `Appearance` is a clear day. `random_looks` changes everything a real camera sees change
(domain randomisation), as a pure function of a key, so that the same episode looks the same.
"""

from dataclasses import dataclass

import numpy as np

COLOURS = (
    "ground", "shoulder", "asphalt", "accent", "kerb", "white", "sky_top", "sky_low", "hills",
)  # fmt: skip

LOOK = np.dtype(
    [(name, np.float32, (3,)) for name in COLOURS]  # RGB, 0..255, before light
    + [
        ("light", np.float32, (3,)),  # factor on what is lit: time of day, exposure, white balance
        ("haze", np.float32),  # distance at which half the contrast is left [m]
        ("grain", np.float32),  # contrast of the asphalt's and verge's texture, 1 = usual
        ("wear", np.float32),  # share of the paint that is gone, up to a half
        ("noise", np.float32),  # sensor noise, standard deviation [grey levels]
        ("skyline", np.int32),  # which hills
        ("turn", np.float32),  # where they stand [rad]
    ]
)

SKYLINES = 16
SKYLINE_STEPS = 1024  # around the horizon

_CLEAR_DAY = {
    "ground": (96, 122, 62),
    "shoulder": (148, 136, 112),
    "asphalt": (98, 98, 102),
    "accent": (222, 178, 40),
    "kerb": (196, 44, 36),
    "white": (232, 232, 226),
    "sky_top": (92, 146, 214),
    "sky_low": (204, 220, 232),
    "hills": (92, 116, 112),
    "light": (1.0, 1.0, 1.0),
    "haze": 220.0,
    "grain": 1.0,
    "wear": 0.0,
    "noise": 0.0,
    "skyline": 0,
    "turn": 0.0,
}


@dataclass(frozen=True)
class Appearance:
    """Settings of how worlds look.

    `randomise` scales every change: 0 is a clear day for every episode, 1 the usual range.
    """

    randomise: float = 0.0
    sensor_noise: float = 0.0  # standard deviation [grey levels]
    daylight: float = 1.0  # factor on all light: 0.15 is a night with a moon
    fog: float = 0.0  # distance at which half the contrast is left [m]; 0: as the weather has it

    def __post_init__(self) -> None:
        if not 0.0 <= self.randomise <= 2.0:
            raise ValueError(f"randomise lies between 0 and 2, got {self.randomise}")
        if not 0.0 <= self.sensor_noise <= 100.0:
            raise ValueError(f"sensor_noise is 0 to 100 grey levels, got {self.sensor_noise}")
        if not 0.0 < self.daylight <= 2.0:
            raise ValueError(f"daylight is a factor above 0, up to 2, got {self.daylight}")
        if not (self.fog == 0.0 or 1.0 <= self.fog <= 10_000.0):
            raise ValueError(f"fog is 0 (none) or a distance from 1 to 10000 m, got {self.fog}")


def clear_day() -> np.ndarray:
    """The look without any change: a 0-d LOOK record."""
    look = np.zeros((), LOOK)
    for name, value in _CLEAR_DAY.items():
        look[name] = value
    return look


def make_look(appearance: Appearance, rng: np.random.Generator) -> np.ndarray:
    """The look of one episode: a 0-d LOOK record."""
    look = _weather(appearance, rng)
    if appearance.fog > 0.0:
        look["haze"] = min(float(look["haze"]), appearance.fog)
        for name in ("sky_top", "hills"):  # what is far is as grey as the horizon
            look[name] = look["sky_low"]
    if appearance.daylight != 1.0:
        look["light"] *= appearance.daylight
    return look


def _weather(appearance: Appearance, rng: np.random.Generator) -> np.ndarray:
    """The look of one episode in daylight, without fog."""
    look = clear_day()
    look["noise"] = appearance.sensor_noise
    much = appearance.randomise
    if much == 0.0:
        return look
    seasons = np.array(
        [(96, 122, 62), (132, 128, 70), (84, 104, 58), (150, 132, 96), (118, 112, 92)]
    )
    weights = rng.dirichlet(np.full(len(seasons), 0.5))
    look["ground"] += much * (weights @ seasons - look["ground"])
    look["asphalt"] += much * rng.uniform(-34.0, 30.0) + much * rng.normal(0.0, 3.0, 3)
    look["shoulder"] += much * rng.normal(0.0, 14.0) + much * rng.normal(0.0, 4.0, 3)
    look["white"] -= much * rng.uniform(0.0, 42.0)
    faded = much * rng.normal(0.0, 9.0, 3)
    look["accent"] += faded
    look["kerb"] += faded
    overcast = much * rng.beta(0.7, 0.9)
    grey = np.array([186.0, 192.0, 198.0])
    look["sky_top"] += min(1.0, overcast) * (grey - look["sky_top"])
    look["sky_low"] += min(1.0, 0.8 * overcast) * (grey + 18.0 - look["sky_low"])
    look["hills"] += much * rng.normal(0.0, 16.0) + much * rng.normal(0.0, 8.0, 3)
    exposure = np.exp(much * rng.normal(-0.04, 0.22))
    warmth = much * rng.normal(0.0, 0.05)
    look["light"] = exposure * np.array([1.0 + warmth, 1.0, 1.0 - warmth])
    look["haze"] = 220.0 * np.exp(much * rng.normal(0.0, 0.55))
    look["grain"] = np.exp(much * rng.normal(0.0, 0.4))
    look["wear"] = min(0.5, much * rng.beta(1.0, 4.0))
    look["noise"] = appearance.sensor_noise + much * rng.uniform(0.0, 3.0)
    look["skyline"] = rng.integers(SKYLINES)
    look["turn"] = rng.uniform(0.0, 2.0 * np.pi)
    for name in COLOURS:
        look[name] = np.clip(look[name], 0.0, 255.0)
    return look


def skylines() -> np.ndarray:
    """(SKYLINES, SKYLINE_STEPS + 1) float32: tangent of the hills' elevation around the horizon."""
    rng = np.random.default_rng(20260101)
    around = np.linspace(0.0, 2.0 * np.pi, SKYLINE_STEPS + 1)
    table = np.zeros((SKYLINES, SKYLINE_STEPS + 1))
    for line in table:
        for harmonic in (1, 2, 3, 5, 8, 13, 21, 34, 55):
            line += rng.normal() / harmonic**0.8 * np.sin(harmonic * around + rng.uniform(0, 6.3))
        line -= line.min()
        line *= rng.uniform(0.03, 0.10) / line.max()
        line += 0.004
    return table.astype(np.float32)
