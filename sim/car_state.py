"""What is true of a batch of cars: arrays by name, and the one block of memory that they lie in.

The compiled core takes a block, because taking over an array costs a call 0.2 us, 25 of them as
much as some cars' physics. Everybody else takes a `CarState`, whose arrays are the block's rows.
"""

from typing import Any, NamedTuple

import numpy as np

from .compiled import inlined

_MEASURES, _NUMBERS = 13, 9  # of a car: float64, then whole numbers; after them what was asked for
KEPT = (12, 19)  # of them, those that a step leaves alone: route_length to seed
_COMMAND = _MEASURES + _NUMBERS
_PENDING = _COMMAND + 2
_MOTION, _STANCE, _ROAD, _ENDED = slice(3, 5), slice(6, 10), 14, 21
_SPARE = 8  # columns: rows a power of two apart would share few lines of the cache


class CarState(NamedTuple):
    """Everything that is true of B cars; every field is (B,) unless it says so."""

    x: np.ndarray  # of the rear axle, world frame [m]
    y: np.ndarray
    yaw: np.ndarray  # [rad], in [-pi, pi)
    speed: np.ndarray  # [m/s]
    curvature: np.ndarray  # of the path now [1/m]
    accel: np.ndarray  # [m/s²]
    command: np.ndarray  # (B, 2) asked for in the last step, within limits; 0 before the first
    pending: np.ndarray  # (B, delay, 2) commands on their way to the actuators
    lane: np.ndarray  # int64, number in the pool's lane table
    arc_length: np.ndarray  # along the lane [m]
    lateral_offset: np.ndarray  # left positive [m]
    heading_error: np.ndarray  # [rad]
    margin: np.ndarray  # of the outline to the lane's bounds [m]
    progress: np.ndarray  # along the route since the start [m]
    route_length: np.ndarray  # to drive, or what the speed plan drives in the time limit [m]
    distance: np.ndarray  # driven [m]
    steps: np.ndarray  # int64, since the start
    ended: np.ndarray  # int64, an `Ended`; a car that has ended stays as it is
    road: np.ndarray  # int64, number in the source
    slot: np.ndarray  # int64, number in the pool
    seed: np.ndarray  # uint64
    episode: np.ndarray  # int64, counted from 0
    look: np.ndarray  # LOOK: what this episode's world looks like
    route: np.ndarray  # int64, which of a fork's branches to take, the leftmost is 0
    tally: np.ndarray  # int64, steps that the task counts, see `RoadWorld._count`

    @property
    def state_id(self) -> np.ndarray:
        """(B,) int64: one number per state of a car; observations and labels carry it."""
        return self.episode * np.int64(1 << 24) + self.steps


class _Rows(CarState):
    """A state whose arrays are the rows of a block; `_replace` makes one that has none."""

    block: np.ndarray | None = None

    def __reduce__(self) -> Any:  # a copy has arrays of its own
        return CarState, tuple(self)


def new_block(batch: int, delay: int) -> np.ndarray:
    """Memory for B cars, not yet filled: `state_of` and `columns` say what lies where.

    Args:
        delay: commands of each car on their way to its actuators.
    """
    return np.empty((_PENDING + 2 * delay, batch + _SPARE))


def state_of(block: np.ndarray, look: np.ndarray) -> CarState:
    """The state that lies in a block: its arrays are the block's own."""
    batch = len(look)
    rows = block[:_COMMAND, :batch]
    (x, y, yaw, speed, curvature, accel, arc_length, lateral, error, margin, progress, distance,
     route_length) = rows[:_MEASURES]  # fmt: skip
    tally, road, slot, episode, route, seed, lane, steps, ended = rows[_MEASURES:].view(np.int64)
    command = block[_COMMAND:_PENDING].reshape(-1)[: 2 * batch].reshape(batch, 2)
    delay = (len(block) - _PENDING) // 2
    pending = block[_PENDING:].reshape(-1)[: 2 * batch * delay].reshape(batch, delay, 2)
    state = _Rows(
        x, y, yaw, speed, curvature, accel, command, pending, lane, arc_length, lateral, error,
        margin, progress, route_length, distance, steps, ended, road, slot, seed.view(np.uint64),
        episode, look, route, tally,
    )  # fmt: skip
    state.block = block
    return state


def copy_of(state: CarState) -> CarState:
    """A state with the same values in a block of its own; the looks are shared."""
    copy = state_of(new_block(len(state.x), state.pending.shape[1]), state.look)
    for name, column in copy._asdict().items():
        if name != "look":
            column[...] = getattr(state, name)
    return copy


class Cars:
    """B cars as the compiled core has them: a block, and what their worlds look like.

    block: of `new_block`. look: (B,) LOOK.
    """

    __slots__ = ("_state", "block", "look")

    def __init__(self, block: np.ndarray, look: np.ndarray, state: CarState | None = None) -> None:
        self.block, self.look, self._state = block, look, state

    def __len__(self) -> int:
        return len(self.look)

    @property
    def state(self) -> CarState:
        """The same by name; its arrays are the block's rows."""
        if self._state is None:
            self._state = state_of(self.block, self.look)
        return self._state

    @property
    def ended(self) -> np.ndarray:
        """(B,) int64, an `Ended`; of the block."""
        ended: np.ndarray = self.block[_ENDED].view(np.int64)[: len(self.look)]
        return ended

    @property
    def road(self) -> np.ndarray:
        """(B,) int64, number in the source; of the block."""
        road: np.ndarray = self.block[_ROAD].view(np.int64)[: len(self.look)]
        return road

    @property
    def motion(self) -> np.ndarray:
        """(2, B) speed and curvature of the path; of the block."""
        return self.block[_MOTION, : len(self.look)]

    @property
    def stance(self) -> np.ndarray:
        """(4, B) arc length, lateral offset, heading error, margin; of the block."""
        return self.block[_STANCE, : len(self.look)]


def cars_of(state: CarState) -> Cars:
    """The cars of a state; one that was put together from arrays is copied into a block."""
    block = getattr(state, "block", None)
    if block is None:
        state = copy_of(state)
        block = state.block  # type: ignore[attr-defined]
    return Cars(block, state.look, state)


class Columns(NamedTuple):
    """A block as the compiled core sees it, see `CarState`; every column is (B,) and some spare."""

    x: np.ndarray
    y: np.ndarray
    yaw: np.ndarray
    speed: np.ndarray
    curvature: np.ndarray
    accel: np.ndarray
    arc_length: np.ndarray
    lateral_offset: np.ndarray
    heading_error: np.ndarray
    margin: np.ndarray
    progress: np.ndarray
    distance: np.ndarray
    route_length: np.ndarray
    tally: np.ndarray
    road: np.ndarray
    slot: np.ndarray
    episode: np.ndarray
    route: np.ndarray
    seed: np.ndarray  # int64: the same bits
    lane: np.ndarray
    steps: np.ndarray
    ended: np.ndarray
    command: np.ndarray  # (2 B,), two numbers of each car
    pending: np.ndarray  # (2 delay B,), car by car


@inlined
def delay_of(block):  # type: ignore[no-untyped-def]
    """Commands of each car on their way."""
    return (block.shape[0] - _PENDING) // 2


@inlined
def size_of(block):  # type: ignore[no-untyped-def]
    """How many cars a block is of."""
    return block.shape[1] - _SPARE


@inlined
def columns(block):  # type: ignore[no-untyped-def]
    """The columns of a block, by name."""
    whole = block.view(np.int64)
    return Columns(
        block[0], block[1], block[2], block[3], block[4], block[5], block[6], block[7], block[8],
        block[9], block[10], block[11], block[12], whole[13], whole[14], whole[15], whole[16],
        whole[17], whole[18], whole[19], whole[20], whole[21],
        block[_COMMAND:_PENDING].reshape(-1), block[_PENDING:].reshape(-1),
    )  # fmt: skip
