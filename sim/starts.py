"""Where episodes begin: which road, which lane, where along it, how fast.

Everything is drawn from the car's seed and episode, so it is the same in any batch.
"""

import numpy as np

from . import chance
from .car_state import columns, delay_of, size_of
from .compiled import compiled, inlined
from .lanes import LaneTable, curvature_at, curve_at, follower, target_speed_at
from .motion import find_on_lane
from .trig import angle_of, sin_cos

CURVATURE_BINS = 10  # of starts that are balanced by the road's curvature


@compiled
def _way_left(lanes, number, route, s, most):  # type: ignore[no-untyped-def]
    """To the end of the last lane that follows, or `most` where the road goes on [m]."""
    if lanes[number].closed:
        return most
    left = lanes[number].length - s
    while left < most and lanes[number].successor >= 0:
        number = follower(lanes[number], route)
        left += lanes[number].length
    return min(left, most)


@compiled
def _plan_distance(nodes, lanes, number, route, s, seconds):  # type: ignore[no-untyped-def]
    """How far the speed plan drives in a time, from an arc length [m]."""
    driven, left = 0.0, seconds
    while left > 0.0:
        lane = lanes[number]
        if not lane.closed and s >= lane.length:
            if lane.successor < 0:
                break
            s -= lane.length
            number = follower(lane, route)
            continue
        speed = max(target_speed_at(nodes, lane, s), 0.1)
        step = min(lane.spacing, speed * left)
        s += step
        driven += step
        left -= step / speed
    return driven


@compiled
def _pose_beside(nodes, lane, s, lateral, turn):  # type: ignore[no-untyped-def]
    """x, y, yaw of a car at an arc length, beside the centre line and turned against it."""
    cx, cy, dx, dy = curve_at(nodes, lane, s)
    scale = lateral / np.sqrt(dx * dx + dy * dy)
    yaw = angle_of(dy, dx) + turn
    yaw -= 2.0 * np.pi * np.floor((yaw + np.pi) / (2.0 * np.pi))
    return cx - dy * scale, cy + dx * scale, yaw


@inlined
def _place_beside(cars, table, numbers, car, number, s, lateral, turn):  # type: ignore[no-untyped-def]
    """Set a car's pose and where that is on the lane, in place; `cars` are `Columns`."""
    x, y, yaw = _pose_beside(table.nodes, table.lanes[number], s, lateral, turn)
    sin, cos = sin_cos(yaw)
    lane, s, lateral, error, margin = find_on_lane(
        table, numbers, number, cars.route[car], s, x, y, cos, sin
    )
    cars.x[car], cars.y[car], cars.yaw[car] = x, y, yaw
    cars.lane[car], cars.arc_length[car] = lane, s
    cars.lateral_offset[car], cars.heading_error[car] = lateral, error
    cars.margin[car] = margin


@compiled
def draw_roads(block, which, slots, further):  # type: ignore[no-untyped-def]
    """Choose the roads of some cars' episodes, in place.

    Args:
        which: (B,) int64: not 0 where an episode begins.
        slots: (R,) of every road of the source, -1 where it is not loaded.
        further: that the episode's number goes up, 0 or 1.

    Returns:
        Whether all of them have a slot in the pool.
    """
    cars = columns(block)
    loaded = True
    for i in range(which.size):
        if which[i] == 0:
            continue
        cars.episode[i] += further
        number = chance.one_of(slots.size, cars.seed[i], cars.episode[i], chance.ROAD, 0)
        cars.road[i], cars.slot[i] = number, slots[number]
        loaded = loaded and slots[number] >= 0
    return loaded


@compiled
def _balanced_start(nodes, lane, first, room, where, most):  # type: ignore[no-untyped-def]
    """An arc length in `room` metres from `first` on, rare curvatures as likely as common ones.

    Args:
        where: 0 to 1, share of the way when each place counts by its weight.
        most: times that a place may count as much as one of the commonest curvature.
    """
    pieces = max(np.int64(room / lane.spacing), np.int64(1))
    size = room / pieces
    bend = np.empty(pieces)
    for k in range(pieces):
        bend[k] = abs(curvature_at(nodes, lane, first + (k + 0.5) * size))
    scale = (CURVATURE_BINS - 1e-6) / max(bend.max(), 1e-9)
    counts = np.zeros(CURVATURE_BINS, np.int64)
    for k in range(pieces):
        counts[np.int64(bend[k] * scale)] += 1
    commonest, total = counts.max(), 0.0
    for k in range(pieces):  # from now on its weight
        bend[k] = min(commonest / counts[np.int64(bend[k] * scale)], most)
        total += bend[k]
    left = where * total
    for k in range(pieces - 1):
        if left < bend[k]:
            return first + (k + left / bend[k]) * size
        left -= bend[k]
    return first + (pieces - 1 + min(left / bend[pieces - 1], 1.0)) * size


@compiled
def place_at_start(  # type: ignore[no-untyped-def]
    block, which, nodes, lanes, road_first, numbers, limits, starts
):
    """Put cars at the start of their episodes, in place.

    Args:
        which: (B,) int64: not 0 where an episode begins.
        nodes, lanes, road_first: of a `LaneTable`.
        starts: (7,) route length, lateral, yaw, least and greatest share of the careful speed,
            the arc length on the first lane, below 0 where lane and place are drawn, and how much
            rare curvatures are favoured.
    """
    cars, table = columns(block), LaneTable(nodes, lanes, road_first)
    delay = delay_of(block)
    for i in range(which.size):
        if which[i] == 0:
            continue
        first, stop = road_first[cars.slot[i]], road_first[cars.slot[i] + 1]
        seed, episode = cars.seed[i], cars.episode[i]
        lane_drawn = chance.one_uniform(seed, episode, chance.LANE, 0)
        where = chance.one_uniform(seed, episode, chance.START, 0)
        aside = chance.one_uniform(seed, episode, chance.OFFSET, 0)
        askew = chance.one_uniform(seed, episode, chance.OFFSET, 1)
        speed = chance.one_uniform(seed, episode, chance.OFFSET, 2)
        branches = np.int64(1)
        for k in range(first, stop):
            branches = max(branches, lanes[k].branches)
        cars.route[i] = np.int64(chance.one_uniform(seed, episode, chance.ROUTE, 0) * branches)
        number = first + np.int64(lane_drawn * (stop - first))
        if starts[5] >= 0.0:
            number = first
        lane = lanes[number]
        route = starts[0]
        if starts[5] >= 0.0:
            s = min(starts[5], lane.length)
        else:
            s, room = 0.0, lane.length
            if not lane.closed:
                room = max(lane.length - max(route, 100.0) - 12.0, 0.0)
                s = min(6.0, 0.1 * lane.length)
            if starts[6] > 1.0:
                s = _balanced_start(nodes, lane, s, room, where, starts[6])
            else:
                s += where * room
        lateral = (2.0 * aside - 1.0) * starts[1]
        turn = (2.0 * askew - 1.0) * starts[2]
        _place_beside(cars, table, numbers, i, number, s, lateral, turn)
        careful = min(target_speed_at(nodes, lane, s), limits[4])
        speed = careful * (starts[3] + speed * (starts[4] - starts[3]))
        cars.speed[i] = min(speed, numbers[4])
        bend = curvature_at(nodes, lane, s)
        cars.curvature[i] = min(max(bend, -numbers[1]), numbers[1])
        cars.accel[i] = cars.command[2 * i] = cars.command[2 * i + 1] = 0.0
        for k in range(delay * i, delay * (i + 1)):
            cars.pending[2 * k], cars.pending[2 * k + 1] = cars.curvature[i], 0.0
        cars.progress[i] = cars.distance[i] = 0.0
        cars.steps[i] = cars.ended[i] = cars.tally[i] = 0
        if route > 0.0:
            cars.route_length[i] = _way_left(lanes, number, cars.route[i], s, route)
        else:
            cars.route_length[i] = _plan_distance(nodes, lanes, number, cars.route[i], s, limits[0])


@compiled
def place_beside(block, nodes, lanes, road_first, numbers, lateral, yaw):  # type: ignore[no-untyped-def]
    """Move all cars to an offset from the centre line [m] and turn them against it [rad], in place."""
    cars, table = columns(block), LaneTable(nodes, lanes, road_first)
    for i in range(size_of(block)):
        number, s = cars.lane[i], cars.arc_length[i]
        _place_beside(cars, table, numbers, i, number, s, lateral[i], yaw[i])
