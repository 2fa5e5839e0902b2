"""Which route takes a path, if no gateway in front of the app has decided it."""

from collections.abc import Container, Iterable, Mapping, Sequence


class Router:
    """The routes of an app. If a path matches several, a literal segment takes precedence over a parameter."""

    def __init__(self, routes: Iterable[str]) -> None:
        self._by_length: dict[int, list[tuple[str, list[str]]]] = {}
        for route in sorted(routes, key=lambda route: [_parameter(segment) for segment in route.split("/")]):
            names = route.split("/")
            self._by_length.setdefault(len(names), []).append((route, names))

    def match(self, segments: Sequence[str]) -> tuple[str | None, dict[str, str]]:
        """Return the route of a path and its parameters, or None and no parameters.

        `segments` are the decoded parts between the slashes of the path, so the first one is empty.
        """
        for route, names in self._by_length.get(len(segments), ()):
            if all(map(_fits, names, segments)):
                captured = zip(names, segments, strict=True)
                return route, {name[1:-1]: value for name, value in captured if _parameter(name)}
        return None, {}


def opened(route: str, routes: Mapping[str, Container[str]]) -> str:
    """Return a route if it takes GET, else its nearest parent that does; `/` if there is none.

    `routes` has the methods of each route.
    """
    while route != "/" and "GET" not in routes.get(route, ()):
        route = route.rpartition("/")[0] or "/"
    return route


def without_last_slash(path: str) -> str:
    """Return a path without a slash at its end, which no route has."""
    return path[:-1] if len(path) > 1 and path.endswith("/") else path


def _parameter(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("}")


def _fits(name: str, segment: str) -> bool:
    return bool(segment) if _parameter(name) else name == segment
