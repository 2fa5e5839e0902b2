"""The one-command local platform: an embedded AWS, a gateway and the demo world. Never deployed."""
