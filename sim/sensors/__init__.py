"""Sensors: frozen settings and pure functions of the state."""
