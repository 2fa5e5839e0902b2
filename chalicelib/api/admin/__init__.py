"""The API for operators: `/admin`."""
