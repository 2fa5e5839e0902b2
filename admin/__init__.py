"""The operator's command line: a client of `/admin`. Never deployed."""
