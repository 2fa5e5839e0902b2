"""The JSON codecs: one module for each kind of data."""
