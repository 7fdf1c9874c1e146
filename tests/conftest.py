"""Property tests draw the same examples everywhere, and no slow machine fails them."""

from hypothesis import HealthCheck, settings

settings.register_profile("hansgym", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hansgym")
