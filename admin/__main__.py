"""`python -m admin`."""

from admin.cli import cli

if __name__ == "__main__":
    cli(prog_name=".venv/bin/python -m admin")
