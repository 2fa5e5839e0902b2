"""The viewer of a request: the user who has signed in on this server."""


def of(environ, query, session):
    """Return the viewer's id, or None if nobody has signed in."""
    return session and session.ask("GET", "/people/@me/@self")["entry"]["id"]
