"""What an episode asks of a driver: where it starts, when it ends, what counts as success.

A task is data. Off-lane is judged both ways everywhere; a task says which of the two ends it.
"""

from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from typing import Any

OFF_LANE_RULES = ("free_margin", "centre_2m", "none")
CENTRE_LIMIT = 2.0  # of the rule `centre_2m`: VISTA's [m]


class Ended(IntEnum):
    """Why an episode is over; 0 while it runs."""

    RUNNING = 0
    ROUTE_COMPLETED = 1
    OFF_LANE = 2
    WRONG_WAY = 3
    TIME_UP = 4
    END_OF_ROAD = 5  # of a road, or of a recorded drive, where no route was asked for


@dataclass(frozen=True)
class Task:
    """Start distribution, route and ends of an episode; what is hidden, and what counts as success.

    A number that is 0 asks for nothing.

    off_lane: which rule ends the episode.
        `free_margin`: the car's outline leaves its lane (VISTA 1.0's idea, with the true outline).
        `centre_2m`: the rear axle's centre is more than 2 m from the lane's (VISTA 2.0's rule).
        `none`: neither; only heading, route and time do.
    world: the roads that it is driven on when no others are named.
    hides: sensors that its drivers are not given when no others are named.
    """

    name: str = "lane-following"
    route_length: float = 400.0  # [m]; 0: no route, the time limit ends it
    time_limit: float = 60.0  # [s]
    off_lane: str = "free_margin"
    max_heading_error: float = 1.5707963267948966  # [rad]
    start_lateral: float = 0.0  # the start lies within this of the centre line [m]
    start_yaw: float = 0.0  # and within this of the lane's direction [rad]
    start_speed: tuple[float, float] = (0.9, 1.0)  # shares of the careful speed there
    start_at: float | None = None  # on the first lane, so far along it [m]; None: drawn
    start_balance: float = 1.0  # rare curvatures are started on up to so many times as often
    world: str = "procedural"
    hides: tuple[str, ...] = ()
    sign_steps: int = 0  # signs show the route for so long, then nothing; 0: all the time
    blackout_share: float = 0.0  # of the frames, that are black
    blackout_burst: int = 1  # frames that are lost together
    latency_steps: int = 0  # that commands need besides the vehicle's own delay
    kick_lateral: float = 0.0  # pushes sideways, another one every second, up to [m/s²]
    kick_accel: float = 0.0  # the same along the road [m/s²]
    hold_speed: float = 0.0  # to be held where bends allow it [m/s]; 0: the careful plan
    speed_tolerance: float = 1.5  # of it [m/s]
    wait: float = 0.0  # at a stop line [s]
    wait_tolerance: float = 0.5  # of it [s]

    def __post_init__(self) -> None:
        if self.off_lane not in OFF_LANE_RULES:
            raise ValueError(
                f"off_lane is one of {', '.join(OFF_LANE_RULES)}, got {self.off_lane!r}"
            )
        if not (self.time_limit > 0.0 and self.route_length >= 0.0):
            raise ValueError(
                f"time_limit must be positive and route_length at least 0, got "
                f"{self.time_limit} s and {self.route_length} m"
            )
        low, high = self.start_speed
        if not 0.0 <= low <= high <= 2.0:
            raise ValueError(f"start_speed is two shares, 0 <= low <= high <= 2; got {low}, {high}")
        if not 0.0 <= self.start_yaw <= 3.15:
            raise ValueError(
                f"start_yaw lies between 0 and 3.15 rad, got {self.start_yaw}; is it in degrees?"
            )
        if not (self.start_lateral >= 0.0 and self.max_heading_error > 0.0):
            raise ValueError(
                f"start_lateral must be at least 0 and max_heading_error positive, got "
                f"{self.start_lateral} m and {self.max_heading_error} rad"
            )
        self._check_troubles()

    @property
    def kicked(self) -> bool:
        """Whether cars are pushed."""
        return self.kick_lateral > 0.0 or self.kick_accel > 0.0

    def _check_troubles(self) -> None:
        for name in (
            "sign_steps", "latency_steps", "kick_lateral", "kick_accel", "hold_speed", "wait",
        ):  # fmt: skip
            if not 0.0 <= getattr(self, name) < 1e6:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        for name in ("speed_tolerance", "wait_tolerance"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if not 0.0 <= self.blackout_share < 1.0:
            raise ValueError(
                f"blackout_share is the share of black frames, 0 to below 1, got "
                f"{self.blackout_share}; of a driver who never sees nothing can be asked"
            )
        if not 1 <= self.blackout_burst <= 1000:
            raise ValueError(
                f"blackout_burst is 1 (every frame on its own) to 1000 frames, got "
                f"{self.blackout_burst}"
            )
        if not 1.0 <= self.start_balance < 1e6:
            raise ValueError(
                f"start_balance must be at least 1 (every place alike), got {self.start_balance}"
            )
        if self.start_at is not None and not self.start_at >= 0.0:
            raise ValueError(f"start_at must be at least 0 m, got {self.start_at}")

    def to_json(self) -> dict[str, Any]:
        """Settings as plain values, for files."""
        return asdict(self)


LANE_FOLLOWING = Task()
RECOVERY = replace(
    LANE_FOLLOWING,
    name="recovery",
    route_length=0.0,
    time_limit=10.0,
    off_lane="centre_2m",
    start_lateral=1.5,
    start_yaw=0.1745,
    start_speed=(0.7, 1.0),
)
RACETRACK = replace(LANE_FOLLOWING, name="racetrack", route_length=0.0, time_limit=60.0)
