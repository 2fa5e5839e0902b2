"""A load test of the served app: `make load` (docs/internals/quality.md)."""
