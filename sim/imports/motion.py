"""What poses tell about the motion, where a drive has gaps, and whether units and signs fit."""

from typing import NamedTuple

import numpy as np

from ..geometry import wrap_angle

HALF_WINDOW = 2  # rows on either side that a slope is fitted to
FOOT = 0.25  # on either side that an acceleration is fitted to [s]
GAP = 2.5  # a time step this many times the usual one is a gap
JUMP = 2.0  # [m] and three usual steps: further apart, two poses are not of one path
TURN_JUMP = 0.6  # [rad] likewise
STANDING = 0.3  # slower than this [m/s], a quotient by the speed says nothing
ROAD = 8.0  # [m] before and behind
MOST_SHAKING = 0.03  # [rad] more is not believed
MPS_PER_KMH = 1.0 / 3.6


class Motion(NamedTuple):
    """How the rear axle moves, (N,) each."""

    speed: np.ndarray  # [m/s]
    yaw_rate: np.ndarray  # [rad/s]
    curvature: np.ndarray  # [1/m]
    accel: np.ndarray  # [m/s²]


def check_numbers(name: str, values: np.ndarray, what: str) -> None:
    """Refuse NaN and infinity, by row."""
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        raise ValueError(
            f"{what}: {name} is not a finite number in row {int(bad[0][0])}, nor in "
            f"{len(np.unique(bad[:, 0])) - 1} others; delete these rows, the drive is split there"
        )


def check_time(time: np.ndarray, what: str) -> None:
    """Refuse a clock that stands still or runs back."""
    check_numbers("time", time, what)
    late = np.flatnonzero(np.diff(time) <= 0.0)
    if late.size:
        row = int(late[0])
        raise ValueError(
            f"{what}: time does not grow after row {row} ({time[row]:.6g} s, then "
            f"{time[row + 1]:.6g} s); sort the rows and delete doubles"
        )


def find_gaps(time: np.ndarray) -> np.ndarray:
    """(N,) bool: rows before which the clock has jumped, compared with its usual step."""
    steps = np.diff(time)
    usual = float(np.median(steps)) if steps.size else 0.0
    return np.concatenate([[False], steps > GAP * usual])


def find_jumps(x: np.ndarray, y: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """(N,) bool: rows whose pose cannot follow from the one before.

    What is usual is the median of the steps around, so standing and speeding are both fine.
    """
    step = np.hypot(np.diff(x), np.diff(y))
    turn = np.abs(wrap_angle(np.diff(yaw)))
    far = step > JUMP + 3.0 * _running_median(step)
    twisted = turn > TURN_JUMP + 3.0 * _running_median(turn)
    return np.concatenate([[False], far | twisted])


def motion_of(
    time: np.ndarray, x: np.ndarray, y: np.ndarray, yaw: np.ndarray, starts: np.ndarray
) -> Motion:
    """The motion between poses, by lines fitted to five rows, never across a start."""
    vx, vy = slope(time, x, starts), slope(time, y, starts)
    speed = vx * np.cos(yaw) + vy * np.sin(yaw)
    yaw_rate = slope(time, np.unwrap(yaw), starts)
    return Motion(speed, yaw_rate, curvature_of(speed, yaw_rate), acceleration(time, speed, starts))


def curvature_of(speed: np.ndarray, yaw_rate: np.ndarray) -> np.ndarray:
    """Turned angle by driven distance; a car that stands keeps what it had [1/m]."""
    floor = min(STANDING, 0.1 * float(np.max(np.abs(speed), initial=0.0)))
    moving = np.flatnonzero(np.abs(speed) > floor)
    if not moving.size:
        return np.zeros_like(speed)
    return np.interp(np.arange(len(speed)), moving, yaw_rate[moving] / speed[moving])


def acceleration(time: np.ndarray, speed: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Of the speed, over half a second or more: a human's foot is slower than a speed's noise."""
    usual = float(np.median(np.diff(time))) if len(time) > 1 else 1.0
    return slope(time, speed, starts, max(HALF_WINDOW, round(FOOT / usual)))


def slope(
    time: np.ndarray, values: np.ndarray, starts: np.ndarray, half: int = HALF_WINDOW
) -> np.ndarray:
    """How fast values grow, by least squares over `half` rows on either side, within each segment."""
    rows = np.arange(len(time))
    segment = np.cumsum(starts)
    first = np.searchsorted(segment, segment, side="left")
    last = np.searchsorted(segment, segment, side="right") - 1
    near = rows[:, None] + np.arange(-half, half + 1)
    near = np.clip(near, first[:, None], last[:, None])
    t = time[near] - time[near].mean(axis=1, keepdims=True)
    spread = (t * t).sum(axis=1)
    grown = (t * (values[near] - values[near].mean(axis=1, keepdims=True))).sum(axis=1)
    return np.divide(grown, spread, out=np.zeros(len(time)), where=spread > 0.0)


def integrate(
    time: np.ndarray, speed: np.ndarray, yaw_rate: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y, yaw of a car with this speed and yaw rate, from (0, 0, 0).

    Both are taken as the mean of two rows between them; each piece is then an exact arc.
    """
    dt = np.diff(time)
    distance = 0.5 * (speed[1:] + speed[:-1]) * dt
    turned = 0.5 * (yaw_rate[1:] + yaw_rate[:-1]) * dt
    yaw = np.concatenate([[0.0], np.cumsum(turned)])
    chord = distance * np.sinc(turned / (2.0 * np.pi))  # np.sinc(u) is sin(pi u) / (pi u)
    middle = yaw[:-1] + 0.5 * turned
    x = np.concatenate([[0.0], np.cumsum(chord * np.cos(middle))])
    y = np.concatenate([[0.0], np.cumsum(chord * np.sin(middle))])
    return x, y, yaw


def shaking(arc: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """How far an angle differs from a straight line through its neighbours along the way [rad].

    What changes within ROAD metres is the car on its springs; what changes slower is the road.

    Args:
        arc: (N,) driven distance, not falling [m].
        angle: (N,) camera pitch or roll against the horizontal [rad].
    """
    first = np.searchsorted(arc, arc - ROAD, side="left")
    last = np.searchsorted(arc, arc + ROAD, side="right")
    smooth = np.empty_like(angle)
    for row, (start, stop) in enumerate(zip(first, last, strict=True)):
        away, near = arc[start:stop] - arc[row], angle[start:stop]
        spread = away - away.mean()
        total = float(spread @ spread)
        grown = float(spread @ near) / total if total > 1e-6 else 0.0
        smooth[row] = near.mean() - grown * away.mean()
    return np.clip(angle - smooth, -MOST_SHAKING, MOST_SHAKING)


def from_mount(
    x: np.ndarray, y: np.ndarray, yaw: np.ndarray, forward: float, left: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Where the rear axle is when something `forward` and `left` of it is at x, y."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    return x - forward * cos + left * sin, y - forward * sin - left * cos


def to_local(
    x: np.ndarray, y: np.ndarray, yaw: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same path, from (0, 0, 0); yaw comes back in [-pi, pi)."""
    cos, sin = np.cos(yaw[0]), np.sin(yaw[0])
    dx, dy = x - x[0], y - y[0]
    return cos * dx + sin * dy, cos * dy - sin * dx, wrap_angle(yaw - yaw[0])


def check_yaw(x: np.ndarray, y: np.ndarray, yaw: np.ndarray, starts: np.ndarray, what: str) -> None:
    """Refuse a yaw in degrees, one that turns the other way, and one that points elsewhere.

    The direction of travel is known from x and y alone; a car's yaw follows it within a few degrees.
    """
    dx, dy = x[2:] - x[:-2], y[2:] - y[:-2]
    whole = ~(starts[2:] | starts[1:-1])
    distance = np.hypot(dx, dy)
    moving = whole & (distance > max(0.05, 0.3 * float(np.median(distance, axis=None))))
    if np.count_nonzero(moving) < 5:
        return
    course = np.arctan2(dy, dx)[moving]
    given = yaw[1:-1][moving]
    apart = _usual_angle(given, course)
    if apart < 0.35:
        return
    for meaning, candidate, remedy in (
        ("in degrees", np.deg2rad(given), "name the column yaw_deg, or convert to radians"),
        ("clockwise (left and right are swapped)", -given, "change the sign of yaw, or of y"),
        ("backwards", given + np.pi, "add pi to yaw, or sort the rows by time"),
        ("from the y axis", given + 0.5 * np.pi, "give yaw counter-clockwise from x"),
        ("clockwise from the y axis (a compass)", 0.5 * np.pi - given, "give pi/2 - yaw"),
    ):
        if _usual_angle(candidate, course) < 0.2:
            raise ValueError(f"{what}: yaw looks as if it were given {meaning}; {remedy}")
    raise ValueError(
        f"{what}: yaw and the direction of travel are {np.rad2deg(apart):.0f} degrees apart in "
        "most rows; yaw is in radians, counter-clockwise from x, and points where the car goes"
    )


def check_speed(given: np.ndarray, measured: np.ndarray, what: str) -> None:
    """Refuse a speed that is not what the positions say."""
    moving = np.abs(measured) > 1.0
    if np.count_nonzero(moving) < 5:
        return
    ratio = float(np.median(given[moving] / measured[moving]))
    if 0.7 <= ratio <= 1.4:
        return
    if abs(ratio * MPS_PER_KMH - 1.0) < 0.15:
        hint = "it looks like km/h: name the column speed_kmh, or convert to m/s"
    elif abs(ratio * 0.44704 - 1.0) < 0.15:
        hint = "it looks like miles per hour: convert to m/s"
    else:
        hint = "speed is in m/s, x and y are in m, time is in s"
    raise ValueError(f"{what}: speed is {ratio:.3g} times what x, y and time say; {hint}")


def check_yaw_rate(speed: np.ndarray, yaw_rate: np.ndarray, what: str) -> None:
    """Refuse a yaw rate in degrees, where nothing but the strain on the tyres tells."""
    strain = np.abs(speed * yaw_rate)
    if np.percentile(strain, 90) > 15.0:
        raise ValueError(
            f"{what}: speed times yaw_rate is {np.percentile(strain, 90):.0f} m/s² in a tenth of the "
            "rows, more than tyres can hold; is yaw_rate in degrees? Name the column yaw_rate_degps"
        )


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's, 0 when one of them does not vary."""
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0.0 else 0.0


def _usual_angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.median(np.abs(wrap_angle(a - b))))


def _running_median(values: np.ndarray, width: int = 11) -> np.ndarray:
    if not values.size:
        return values
    padded = np.pad(values, width // 2, mode="reflect" if values.size > width // 2 else "edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
