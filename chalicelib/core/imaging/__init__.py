"""Checking and sizing pictures, without drawing them."""
