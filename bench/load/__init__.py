"""Load on the served app: `make load` (docs/internals/quality.md)."""
