"""`python -m admin`."""

from admin.cli import cli

if __name__ == "__main__":
    cli(prog_name="python -m admin")
