"""Load on the served app: `make load` (docs/quality.md)."""
