"""Whoever runs the engine: replay, rule tests, explain; later the embedded host and the cluster."""
