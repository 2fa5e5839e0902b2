"""Reading and writing JSON of each thing."""
