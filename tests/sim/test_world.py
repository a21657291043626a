"""The world: cars that do not feel each other, ends that come when they should, keys that hold."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from redrive.sim.appearance import Appearance
from redrive.sim.guidance import guide
from redrive.sim.lanes import world_to_lane
from redrive.sim.road import Lane
from redrive.sim.sensors.camera import Camera
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.success import is_success
from redrive.sim.task import LANE_FOLLOWING, Ended, Task
from redrive.sim.vehicle import Command, Vehicle
from redrive.sim.world import CarState, RoadWorld

LaneBuilder = Callable[..., Lane]
WorldBuilder = Callable[..., RoadWorld]
B = 256
NUMBERS_OF_THE_POOL = {"lane", "slot"}  # follow from the order in which roads were loaded
SHORT = Task(
    "short",
    route_length=12.0,
    time_limit=1.8,
    start_lateral=0.9,
    start_yaw=0.2,
    start_speed=(0.5, 1.0),
)


def busy_world(threads: int = 1) -> RoadWorld:
    """Eight roads, weather that changes, short episodes that end in several ways."""
    return RoadWorld(
        "procedural:0-8",
        sensors={"camera": Camera(), "odometry": Odometry()},
        task=SHORT,
        vehicle=Vehicle(steer_lag=0.2, delay_steps=1),
        appearance=Appearance(randomise=1.0),
        threads=threads,
    )


def careless(world: RoadWorld, state: CarState) -> Command:
    """The expert's command and a swing, which follows from the car's own seed and step."""
    right = guide(world.lane_view(state))
    swing = 0.06 * np.sin(0.7 * state.seed.astype(float) + 0.5 * state.steps)
    return Command(right.curvature + swing, right.accel)


def live(
    world: RoadWorld, state: CarState, steps: int
) -> Iterator[tuple[CarState, dict[str, np.ndarray]]]:
    """States and what is seen in them, episode after episode."""
    for _ in range(steps):
        yield state, world.observe(state)
        after = world.step(state, careless(world, state))
        state = world.restart(after, state.ended != 0)
    yield state, world.observe(state)


def facts(state: CarState, car: int | slice = slice(None)) -> dict[str, bytes]:
    """Everything that is true of cars, to the bit."""
    return {
        name: column[car].tobytes()
        for name, column in state._asdict().items()
        if name not in NUMBERS_OF_THE_POOL
    }


def test_a_car_in_a_large_batch_on_two_threads_equals_the_same_car_alone_bit_for_bit() -> None:
    steps = 30
    together, single = busy_world(threads=2), busy_world()
    seen = list(live(together, together.reset(np.arange(B)), steps))
    ends: set[int] = set()
    for car in range(B):
        lonely = live(single, single.reset(np.array([car])), steps)
        for t, (state, view) in enumerate(lonely):
            many, many_views = seen[t]
            assert facts(state, 0) == facts(many, car), (car, t)
            for name in view:
                assert view[name][0].tobytes() == many_views[name][car].tobytes(), (car, t, name)
            ends.add(int(state.ended[0]))
    assert {Ended.ROUTE_COMPLETED, Ended.OFF_LANE, Ended.TIME_UP} < ends
    assert (seen[-1][0].episode > 0).all()


def test_two_worlds_with_one_seed_live_the_same_life_to_the_byte() -> None:
    lives = []
    for world in (busy_world(), busy_world(threads=3)):
        alive = live(world, world.reset(np.arange(40, 47)), 40)
        lives.append([(facts(s), {n: a.tobytes() for n, a in v.items()}) for s, v in alive])
    assert lives[0] == lives[1]


def test_stepping_and_restarting_at_once_is_the_same_as_one_after_the_other() -> None:
    world = busy_world()
    state = world.reset(np.arange(32))
    for _ in range(50):
        command = careless(world, state)
        apart = world.restart(world.step(state, command), state.ended != 0)
        state = world.step_or_restart(state, command)
        assert facts(state) == facts(apart)
    assert state.episode.min() >= 1


def test_a_step_leaves_the_state_before_it_as_it_was() -> None:
    world = busy_world()
    state = world.reset(np.arange(16))
    for _ in range(30):
        before = facts(state)
        after = world.step_or_restart(state, careless(world, state))
        assert facts(state) == before
        state = after


def test_a_car_that_has_ended_stays_where_it_is() -> None:
    world = busy_world()
    state = world.reset(np.arange(16))
    while (state.ended == 0).any():
        state = world.step(state, careless(world, state))
    after = world.step(state, Command(np.full(16, 0.1), np.full(16, 3.0)))
    assert facts(after) == facts(state)


# Ends -------------------------------------------------------------------------------------------


def straight_on(world: RoadWorld, state: CarState, limit: int = 1000) -> CarState:
    """Hold the wheel straight until every car has ended."""
    for _ in range(limit):
        if state.ended.all():
            return state
        state = world.step(state, Command(np.zeros(len(state.x)), np.zeros(len(state.x))))
    raise AssertionError("no end")


def one_car(world: RoadWorld, lateral: float = 0.0, yaw: float = 0.0) -> CarState:
    return world.place(world.reset(np.array([0])), np.array([lateral]), np.array([yaw]))


def test_a_route_ends_where_it_was_driven(
    lane_of_curvature: LaneBuilder, world_of: WorldBuilder
) -> None:
    world = world_of(
        lane_of_curvature(np.zeros(400)), task=replace(LANE_FOLLOWING, route_length=120.0)
    )
    end = straight_on(world, one_car(world))
    assert end.ended[0] == Ended.ROUTE_COMPLETED
    assert 120.0 <= end.progress[0] < 120.0 + end.speed[0] * world.dt


@pytest.mark.parametrize(
    ("route", "name"), [(1000.0, Ended.ROUTE_COMPLETED), (0.0, Ended.END_OF_ROAD)]
)
def test_a_road_that_is_over_completes_the_route_or_has_a_name_of_its_own(
    lane_of_curvature: LaneBuilder, world_of: WorldBuilder, route: float, name: Ended
) -> None:
    task = Task(route_length=route, time_limit=60.0)
    world = world_of(lane_of_curvature(np.zeros(200)), task=task)
    end = straight_on(world, one_car(world))
    assert end.ended[0] == name
    assert end.arc_length[0] >= 199.0 and is_success(task, end).all()


@pytest.mark.parametrize(("balance", "share"), [(1.0, 0.1), (4.0, 4.0 / 13.0), (100.0, 0.5)])
def test_starts_are_drawn_in_rare_bends_as_often_as_the_task_asks(
    lane_of_curvature: LaneBuilder, world_of: WorldBuilder, balance: float, share: float
) -> None:
    bend = np.zeros(1113)
    bend[306:406] = 0.01  # 100 m of the 1000 m in which episodes begin
    task = Task(route_length=0.0, start_balance=balance)
    state = world_of(lane_of_curvature(bend), task=task).reset(np.arange(2000))
    inside = (state.arc_length > 306.0) & (state.arc_length < 406.0)
    assert inside.mean() == pytest.approx(share, abs=0.04)
    assert state.arc_length.min() >= 6.0 and state.arc_length.max() <= 1006.5
    # Within a curvature every place is as likely as the others.
    assert state.arc_length[inside].mean() == pytest.approx(356.0, abs=8.0)


def test_time_is_up_after_as_many_steps_as_fit(
    lane_of_curvature: LaneBuilder, world_of: WorldBuilder
) -> None:
    for limit, steps in ((0.3, 3), (0.35, 4), (2.0, 20)):
        task = Task(route_length=0.0, time_limit=limit)
        world = world_of(lane_of_curvature(np.zeros(400)), task=task)
        end = straight_on(world, one_car(world))
        assert (end.ended[0], end.steps[0]) == (Ended.TIME_UP, steps)


def test_a_car_that_turns_around_goes_the_wrong_way(
    lane_of_curvature: LaneBuilder, world_of: WorldBuilder
) -> None:
    task = replace(LANE_FOLLOWING, off_lane="none")
    world = world_of(lane_of_curvature(np.zeros(400)), task=task)
    state = one_car(world)
    while not state.ended[0]:
        before = state
        state = world.step(state, Command(np.array([0.05]), np.zeros(1)))
    assert state.ended[0] == Ended.WRONG_WAY
    assert abs(before.heading_error[0]) <= 0.5 * np.pi < abs(state.heading_error[0])


def test_a_car_that_misses_a_bend_leaves_its_lane_on_the_outside(
    lane_of_curvature: LaneBuilder, world_of: WorldBuilder
) -> None:
    bend = np.zeros(300)
    bend[150:] = 0.02
    world = world_of(lane_of_curvature(bend), task=replace(LANE_FOLLOWING, route_length=0.0))
    end = straight_on(world, one_car(world))
    assert end.ended[0] == Ended.OFF_LANE
    assert end.margin[0] < 0.0 and end.lateral_offset[0] < 0.0


@pytest.mark.parametrize(
    ("width", "lateral", "rule", "ends"),
    [
        # The wheels are over the line although the middle is within 2 m of the centre.
        (4.0, 1.3, "free_margin", True),
        (4.0, 1.3, "centre_2m", False),
        (4.0, 1.3, "none", False),
        # Room to spare on a wide lane, although the middle is farther than 2 m off.
        (8.0, -2.3, "free_margin", False),
        (8.0, -2.3, "centre_2m", True),
        (8.0, -2.3, "none", False),
    ],
)
def test_the_two_off_lane_rules_judge_width_and_distance(
    lane_of_curvature: LaneBuilder,
    world_of: WorldBuilder,
    width: float,
    lateral: float,
    rule: str,
    ends: bool,
) -> None:
    task = Task(route_length=0.0, off_lane=rule)
    world = world_of(lane_of_curvature(np.zeros(400), width=width), task=task)
    state = one_car(world, lateral)
    assert state.margin[0] == pytest.approx(0.5 * width - abs(lateral) - 0.9, abs=1e-9)
    after = world.step(state, Command(np.zeros(1), np.zeros(1)))
    assert after.ended[0] == (Ended.OFF_LANE if ends else Ended.RUNNING)


def test_a_wider_car_leaves_its_lane_sooner(
    lane_of_curvature: LaneBuilder, world_of: WorldBuilder
) -> None:
    bend = np.full(300, 0.005)
    ends = []
    for width in (1.6, 2.0, 2.4):
        world = world_of(
            lane_of_curvature(bend),
            task=Task(route_length=0.0),
            vehicle=Vehicle(width=width),
        )
        ends.append(float(straight_on(world, one_car(world)).progress[0]))
    assert ends == sorted(ends, reverse=True) and len(set(ends)) == 3


# Along the road ---------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [1.0, -1.0])
def test_progress_goes_on_over_the_start_line_of_a_circuit(
    circle_lane: LaneBuilder, world_of: WorldBuilder, turn: float
) -> None:
    lane = circle_lane(40.0, turn)
    world = world_of(lane)
    state, places = one_car(world), []
    for _ in range(600):
        state = world.step(state, Command(np.array([turn / 40.0]), np.zeros(1)))
        places.append(float(state.arc_length[0]))
    assert state.progress[0] > 2.0 * lane.length
    assert state.progress[0] == pytest.approx(state.distance[0], abs=1e-4)
    assert min(places) >= 0.0 and max(places) < lane.length
    assert abs(state.lateral_offset[0]) < 1e-4
    assert abs(state.heading_error[0]) < 1e-5


def test_a_car_that_goes_back_over_the_start_line_loses_its_progress(
    circle_lane: LaneBuilder, world_of: WorldBuilder
) -> None:
    lane = circle_lane(40.0)
    world = world_of(lane)
    state = one_car(world, yaw=-np.pi)
    while state.distance[0] < 1.5 * lane.length:
        state = world.step(state, Command(np.array([-1.0 / 40.0]), np.zeros(1)))
    assert state.progress[0] == pytest.approx(-state.distance[0], abs=1e-4)


def test_progress_inside_a_bend_is_more_than_the_way_driven(
    circle_lane: LaneBuilder, world_of: WorldBuilder
) -> None:
    world = world_of(circle_lane(40.0, width=20.0))
    state = one_car(world, lateral=4.0)
    for _ in range(100):
        state = world.step(state, Command(np.array([1.0 / 36.0]), np.zeros(1)))
    assert state.progress[0] / state.distance[0] == pytest.approx(40.0 / 36.0, rel=1e-6)


@pytest.fixture
def three_lanes(lane_of_curvature: LaneBuilder) -> list[Lane]:
    """60 m straight on, 40 m to the left, 30 m straight on; one follows the other."""
    angle = 40.0 / 50.0
    end = (60.0 + 50.0 * np.sin(angle), 50.0 * (1.0 - np.cos(angle)), angle)
    return [
        lane_of_curvature(np.zeros(61), successors=(1,)),
        lane_of_curvature(np.full(41, 0.02), start=(60.0, 0.0, 0.0), successors=(2,)),
        lane_of_curvature(np.zeros(31), start=end),
    ]


def start_on(world: RoadWorld, lane: int) -> CarState:
    """A car that starts on a lane."""
    lanes = world.reset(np.arange(40)).lane
    return world.reset(np.array([int(np.flatnonzero(lanes == lane)[0])]))


def test_a_lane_is_followed_into_its_successors(
    three_lanes: list[Lane], world_of: WorldBuilder
) -> None:
    world = world_of(*three_lanes)
    state = start_on(world, 0)
    start, lanes = float(state.arc_length[0]), []
    while not state.ended[0]:
        at = start + state.progress[0] - (0.0, 60.0, 100.0)[int(state.lane[0])]
        assert state.arc_length[0] == pytest.approx(at, abs=1e-6)
        lanes.append(int(state.lane[0]))
        state = world.step(state, guide(world.lane_view(state)))
        assert abs(state.lateral_offset[0]) < 0.5
    assert lanes == sorted(lanes) and set(lanes) == {0, 1, 2}
    assert state.ended[0] == Ended.END_OF_ROAD
    assert start + state.progress[0] >= 130.0


@pytest.mark.parametrize("route", [90.0, 1000.0, 0.0])
def test_a_route_goes_on_along_the_lanes_that_follow(
    three_lanes: list[Lane], world_of: WorldBuilder, route: float
) -> None:
    world = world_of(*three_lanes, task=Task(route_length=route, time_limit=1000.0))
    state = start_on(world, 0)
    end_of_road = 130.0 - state.arc_length[0]
    expected = end_of_road if route in (0.0, 1000.0) else route
    assert state.route_length[0] == pytest.approx(expected, abs=1.0)
    while not state.ended[0]:
        state = world.step(state, guide(world.lane_view(state)))
    assert state.ended[0] == (Ended.ROUTE_COMPLETED if route else Ended.END_OF_ROAD)
    assert state.progress[0] == pytest.approx(expected, abs=2.0)


@pytest.mark.parametrize(("limit", "seconds"), [(10.0, 3.0), (20.0, 1.5)])
def test_a_task_without_a_route_expects_what_the_careful_plan_drives_in_its_time(
    lane_of_curvature: LaneBuilder, world_of: WorldBuilder, limit: float, seconds: float
) -> None:
    task = Task(route_length=0.0, time_limit=seconds)
    world = world_of(lane_of_curvature(np.zeros(400)), task=task, speed_limit=limit)
    assert one_car(world).route_length[0] == pytest.approx(limit * seconds)


def test_the_state_knows_where_the_car_is_on_its_lane() -> None:
    world = RoadWorld("procedural:0-8", sensors={})
    state = world.reset(np.arange(64))
    for _ in range(30):
        state = world.step(state, careless(world, state))
    for car in range(64):
        road = world.pool.source.road(int(state.road[car]))
        lane = road.lanes[state.lane[car] - world.pool.lanes.road_first[state.slot[car]]]
        s, offset = world_to_lane(lane, np.array([state.x[car], state.y[car]]))
        assert state.arc_length[car] == pytest.approx(float(s), abs=1e-6)
        assert state.lateral_offset[car] == pytest.approx(float(offset), abs=1e-6)


# Keys -------------------------------------------------------------------------------------------


def test_an_episode_follows_from_its_seed_and_number_alone() -> None:
    world = busy_world()
    both = world.reset(np.array([5, 7]))
    assert facts(both, slice(1, 2)) == facts(world.reset(np.array([7])))
    third = both
    for _ in range(3):
        third = world.restart(third, np.array([True, True]))
    assert facts(third) == facts(busy_world().reset(np.array([5, 7]), episode=3))
    assert facts(third)["x"] != facts(both)["x"]


def test_a_restart_touches_only_the_cars_that_it_names() -> None:
    world = busy_world()
    state = world.reset(np.arange(6))
    which = np.array([False, True, False, False, True, False])
    after = world.restart(state, which)
    for car in range(6):
        assert (facts(after, car) == facts(state, car)) is not bool(which[car])
    np.testing.assert_array_equal(after.episode, which)
    assert world.restart(state, np.zeros(6, bool)) is state


def test_states_are_numbered_by_episode_and_step() -> None:
    world = busy_world()
    state = world.reset(np.arange(8))
    seen = set()
    for _ in range(60):
        seen |= set(zip(state.seed.tolist(), state.state_id.tolist(), strict=True))
        np.testing.assert_array_equal(world.lane_view(state).state_id, state.state_id)
        state = world.step_or_restart(state, careless(world, state))
        running = state.ended == 0
    assert len(seen) > 8 * 50 - 8 and running.any()


def test_seeds_start_on_all_roads_and_everywhere_on_them() -> None:
    world = RoadWorld("procedural:0-8", sensors={}, task=SHORT)
    state = world.reset(np.arange(2000))
    counts = np.bincount(state.road, minlength=8)
    assert counts.min() > 180
    assert abs(state.lateral_offset.mean()) < 0.05
    assert state.lateral_offset.min() < -0.8 and state.lateral_offset.max() > 0.8
    assert state.heading_error.min() < -0.18 and state.heading_error.max() > 0.18
    on_first = state.arc_length[state.road == 0]
    thirds = np.histogram(on_first, 3, (on_first.min(), on_first.max()))[0]
    assert thirds.min() > 0.6 * len(on_first) / 3


def test_roads_can_be_named_instead_of_drawn() -> None:
    world = RoadWorld("procedural:0-8", sensors={})
    state = world.reset(np.arange(5), roads=np.array([7, 0, 3, 3, 1]))
    np.testing.assert_array_equal(state.road, [7, 0, 3, 3, 1])
    assert [world.road_name(r) for r in state.road[:2]] == ["procedural:7", "procedural:0"]


def test_placed_cars_are_beside_the_centre_line_where_they_were() -> None:
    world = RoadWorld("procedural:0-8", sensors={})
    start = world.reset(np.arange(50))
    rng = np.random.default_rng(1)
    lateral, yaw = rng.uniform(-1.5, 1.5, 50), rng.uniform(-0.3, 0.3, 50)
    state = world.place(start, lateral, yaw)
    np.testing.assert_allclose(state.lateral_offset, lateral, atol=1e-6)
    np.testing.assert_allclose(state.heading_error, yaw, atol=1e-6)
    np.testing.assert_allclose(state.arc_length, start.arc_length, atol=1e-6)
    np.testing.assert_array_equal(state.speed, start.speed)
    moved = np.hypot(state.x - start.x, state.y - start.y)
    np.testing.assert_allclose(moved, np.abs(lateral), atol=1e-6)


def test_a_start_is_no_faster_than_the_car_can_be() -> None:
    world = RoadWorld("procedural:0-8", sensors={}, vehicle=Vehicle(max_speed=5.0))
    assert world.reset(np.arange(50)).speed.max() <= 5.0


# Seeing -----------------------------------------------------------------------------------------


def test_odometry_is_speed_and_yaw_rate() -> None:
    world = RoadWorld("procedural:0-8", sensors={"odometry": Odometry()})
    state = world.reset(np.arange(20))
    for _ in range(5):
        before, state = state, world.step(state, careless(world, state))
    seen = world.observe(state)["odometry"]
    assert seen.dtype == np.float32 and seen.shape == (20, 2)
    turned = (state.yaw - before.yaw + np.pi) % (2.0 * np.pi) - np.pi
    running = before.ended == 0
    np.testing.assert_allclose(seen[:, 0], state.speed, rtol=1e-6)
    mean_speed = (state.distance - before.distance)[running] / world.dt
    rate = seen[running, 1] * mean_speed / state.speed[running]
    np.testing.assert_allclose(rate, turned[running] / world.dt, atol=1e-6)


def test_pictures_are_drawn_into_the_arrays_that_are_given() -> None:
    world = busy_world()
    state = world.reset(np.arange(4))
    room = np.zeros((4, 64, 96, 3), np.uint8)
    view = world.observe(state, {"camera": room})
    assert view["camera"] is room
    np.testing.assert_array_equal(room, world.observe(state)["camera"])
    assert room.std() > 10.0


def test_the_lane_view_is_what_guides() -> None:
    world = RoadWorld("procedural:3", sensors={})
    state = world.reset(np.arange(10))
    view = world.lane_view(state)
    road = world.pool.source.road(0)
    for car in range(10):
        lane = road.lanes[state.lane[car]]
        at = np.interp(state.arc_length[car], lane.spacing * np.arange(len(lane.x)), lane.curvature)
        assert view.curvature[car] == pytest.approx(at, abs=1e-12)
    assert (view.target_speed <= road.speed_limit).all()
    np.testing.assert_array_equal(view.margin, state.margin)


# Errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", ["curvature", "accel"])
def test_a_command_that_is_no_number_is_an_error(bad: float, part: str) -> None:
    world = RoadWorld("procedural:1", sensors={})
    command = Command(np.zeros(3), np.zeros(3))._replace(**{part: np.array([0.0, bad, 0.0])})
    with pytest.raises(ValueError, match="not a finite number; the driver gave NaN or infinity"):
        world.step(world.reset(np.arange(3)), command)


def test_a_command_is_one_per_car() -> None:
    world = RoadWorld("procedural:1", sensors={})
    with pytest.raises(ValueError, match=r"one acceleration per car, \(3,\); got \(2,\)"):
        world.step(world.reset(np.arange(3)), Command(np.zeros(2), np.zeros(3)))


@pytest.mark.parametrize("seeds", [[-1], [0.5], ["a"]])
def test_seeds_are_whole_numbers_from_0(seeds: list[Any]) -> None:
    with pytest.raises(ValueError, match="seeds are whole numbers from 0"):
        RoadWorld("procedural:1", sensors={}).reset(np.array(seeds))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dt": 0.0}, "dt must lie between 0.001 and 1 s, got 0.0"),
        ({"dt": 100}, "dt must lie between"),
        ({"dt": float("nan")}, "dt must lie between"),
        ({"threads": 0}, "threads must be at least 1, got 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RoadWorld("procedural:1", **settings)


def test_a_sensor_is_a_camera_an_odometry_or_a_route() -> None:
    with pytest.raises(
        TypeError, match="sensor 'nose' is a str; give a Camera, an Odometry or a Route"
    ):
        RoadWorld("procedural:1", sensors={"nose": "wet"})  # type: ignore[dict-item]


def test_pictures_need_an_array_of_their_size() -> None:
    world = busy_world()
    state = world.reset(np.arange(2))
    with pytest.raises(ValueError, match=r"drawn into uint8 \(2, 64, 96, 3\), got uint8 \(1, 64"):
        world.observe(state, {"camera": np.zeros((1, 64, 96, 3), np.uint8)})


def test_a_world_that_is_none_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="did you mean 'procedural'"):
        RoadWorld("procedral")
