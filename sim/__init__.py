"""What is true and what is sensed: roads, cars, sensors, worlds, recordings."""
