"""What the car knows of its own motion."""

import numpy as np

from redrive.sim.sensors.odometry import Odometry, measure


def test_the_yaw_rate_is_speed_times_curvature() -> None:
    seen = measure(np.array([0.0, 10.0, 8.0]), np.array([0.1, 0.02, -0.25]))
    assert seen.dtype == np.float32 and seen.shape == (3, *Odometry.shape)
    np.testing.assert_array_equal(
        seen, np.array([[0.0, 0.0], [10.0, 0.2], [8.0, -2.0]], np.float32)
    )
