"""The privileged sensor: what the lane is, exactly. For experts, scores and labels."""

from typing import NamedTuple

import numpy as np


class LaneView(NamedTuple):
    """What B cars would see of their lanes if they could see everything; every field is (B,)."""

    lateral_offset: np.ndarray  # of the rear axle from the centre line [m], left positive
    heading_error: np.ndarray  # of the car against the lane [rad]
    curvature: np.ndarray  # of the lane at the car [1/m]
    curvature_ahead: np.ndarray  # where a command given now will act [1/m]
    speed: np.ndarray  # of the car [m/s]
    target_speed: np.ndarray  # of the careful speed plan, just ahead [m/s]
    steering_delay: np.ndarray  # from a command to its effect [s]
    margin: np.ndarray  # from the car's outline to the nearer bound, < 0 is over it [m]
    arc_length: np.ndarray  # along the lane [m]
    state_id: np.ndarray  # int64, the state that this was seen in
    stop_ahead: np.ndarray  # way to where to stop [m]; inf: go on
