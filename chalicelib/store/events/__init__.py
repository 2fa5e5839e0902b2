"""Events to apps: endpoints, the log of events, and sending."""
