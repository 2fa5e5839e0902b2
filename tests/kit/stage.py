"""A stage for tests of the contents stores: a platform over an AWS in memory, with short methods for its contents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

from chalicelib import settings
from chalicelib.bootstrap import Platform, wire
from chalicelib.core.errors import Refusal
from chalicelib.core.events import EventKind
from chalicelib.core.imaging.renditions import NAMES, Rendition
from chalicelib.core.model.contents import ContentsPart, Draft, Feed
from chalicelib.core.model.directory import App, FeedSource, Page, User
from chalicelib.core.paging import Paging
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.side_by_side import lane
from chalicelib.store.contents.items import content_of, favorites_in, generation_of, poster_of, shards_of
from chalicelib.store.contents.numbered_lists import total
from local.in_process import APP, BUCKET, HANA, KEN, MEI, TARO, Clock
from tests.kit.invariants_contents import Contents, drawn, pages_in
from tests.kit.invariants_events import Events
from tests.kit.memory import Cloud

PAGE, QUIET, NONE = "12345678901234567890", "20000", "404"
"""A page, a page that shows everyone's posts, and a page that does not exist."""
MODULE = "3"
URI, OTHER_URI = "http://application.example/id=1", "http://application.example/id=2"
ISSUER = "http://127.0.0.1:8000"
DAY_MS = 86_400_000
PICTURE = [Rendition(name, name.encode(), "image/png", 1, 1) for name in NAMES]
WHOLE = Paging(0, 100)
T = TypeVar("T")


class Stage:
    """A platform over `cloud`, called through `client` if given. `populate` adds users and pages, but no feed."""

    def __init__(self, cloud: Cloud | None = None, client: Any = None, **environment: str) -> None:
        self.cloud = cloud or Cloud()
        self.client: Any = client or self.cloud
        self.clock = Clock()
        self._environment = environment
        self._looked: tuple[Any, Any, dict[str, Any]] = None, None, {}
        self.restart()

    def restart(self) -> None:
        """Simulate a new process, with empty caches."""
        self.platform: Platform = self.wired()

    def wired(self, **environment: str) -> Platform:
        """Return another platform over the same AWS, with its own settings."""
        basic = {
            "ENGAWA_STAGE": "local",
            "ENGAWA_BUCKET": BUCKET,
            "ENGAWA_ISSUER": ISSUER,
            "ENGAWA_TOKEN_KEYS_FILE": "/nowhere",
            "ENGAWA_SECRET_KEYS_FILE": "/nowhere",
        }
        read = settings.read(basic | self._environment | environment)
        dynamo = Dynamo(self.client, sleep=lambda seconds: None)
        return wire(read, dynamo, lambda: self.client, self.clock, lambda: self.client, lambda: self.client)

    def populate(self) -> Stage:
        """Create users and two pages. MEI administers both; PAGE shows administrators' posts, QUIET everyone's."""
        here = self.platform
        for user in (HANA, KEN, MEI, TARO):
            here.users.create(User(user, f"name of {user}"))
        here.apps.create(App(APP, "Quest", confidential=False))
        for page, source in ((PAGE, FeedSource.ADMINISTRATORS), (QUIET, FeedSource.EVERYONE)):
            here.pages.create(Page(page, "Cafe", feed_source=source))
            here.pages.members.add_administrator(page, MEI)
            here.pages.add_module(page, APP, "menu name", MODULE)
        return self

    def post(self, uri: str | None = URI, user: str = MEI, page: str = PAGE, **more: Any) -> Feed:
        """Post a feed; `renditions` are those of its image."""
        return post(self.platform, uri, user, page, **more)

    def comment(self, text: str = "text", user: str = HANA, uri: str = URI, page: str = PAGE) -> str:
        """Post a comment, and return its id."""
        return self.platform.comments.post(page, uri, user, text).id

    def favorite(self, user: str = HANA, uri: str = URI, page: str = PAGE) -> str:
        return self.platform.favorites.add(page, uri, user)

    def delete(self, uri: str = URI, user: str = MEI, page: str = PAGE) -> None:
        self.platform.feeds.delete(page, uri, user)

    def texts(self, paging: Paging = WHOLE, uri: str = URI, page: str = PAGE) -> list[str]:
        """Return the texts of the comments, newest first."""
        return [each.text for each in self.platform.comments.part(page, uri, paging).entries]

    def feeds(self, paging: Paging = WHOLE, page: str = PAGE) -> ContentsPart[Feed]:
        return self.platform.feeds.part(page, paging)

    def feed(self, feed: str, viewer: str | None = MEI) -> Feed:
        """Return the feed with that id as its screen shows it. Mei, an administrator, also sees a hidden one."""
        return self.platform.page_screens.feed(PAGE, feed, None, lambda: viewer, consistent=True).feed

    def clean(self, seconds: float = 40) -> int:
        """Process the queue until it is empty, and return the number of messages."""
        worked = 0
        while self.cloud.queue.messages:
            message = self.cloud.queue.messages.pop(0)
            worked += 1
            self.platform.cleanup.process(message, seconds)
        return worked

    def settle(self) -> None:
        """Advance the clock, sweep and clean, so that no leftovers remain."""
        for _ in range(2):
            self.clock.now += DAY_MS
            self.platform.sweep()
            self.clean()

    def contents(self) -> Contents:
        def table(name: str) -> list[Any]:
            return list(self.cloud.memory.table(f"engawa-local-{name}"))

        def look() -> Contents:
            objects, pages = self.cloud.bucket.objects, pages_in(table("directory"))
            return Contents(table("feeds"), table("comments"), table("favorites"), objects, pages)

        return self.looked_at("contents", look)

    def looked_at(self, name: str, look: Callable[[], T]) -> T:
        """Return `look()`, cached under `name` until the stored things change."""
        mark = self.cloud.mark()
        if self._looked[0] != mark:
            # The saved things keep the identities in the mark valid.
            self._looked = mark, self.cloud.save(), {}
        known: dict[str, Any] = self._looked[2]
        if name not in known:
            known[name] = look()
        found: T = known[name]
        return found

    def events(self) -> Events:
        """Return the events to apps."""
        return self.looked_at("events", lambda: Events(self.cloud.memory.table("engawa-local-ephemeral")))

    def tell(self) -> None:
        """Let the app ask for all kinds of events, as an endpoint does; its secret would need keys."""
        place = "engawa-local-directory", f"app#{APP}", "#"
        asked = {"ev": {"SS": sorted(kind.value for kind in EventKind)}}
        self.cloud.memory.items[place] = self.cloud.memory.items[place] | asked

    def wrongs(self) -> list[str]:
        """Return the violated invariants."""
        return self.looked_at("wrongs", self.look_for_wrongs)

    def look_for_wrongs(self) -> list[str]:
        """Return the violated invariants of the stored things; `wrongs` caches them."""
        return self.contents().wrongs() + self.events().wrongs(self.contents())

    def remains(self) -> list[str]:
        """Return the leftovers that must be gone after `settle`."""
        return self.contents().remains()

    def go_on(self) -> None:
        """Check that earlier faults do not block later posts: posts find the late tickets, if there are any."""
        if not self._late():
            return
        with suppress(Refusal):  # The page or the feed may be deleted.
            self.post("http://application.example/last")
            self.comment("last", TARO)
        assert self.contents().wrongs() == []
        assert not self._late()

    def _late(self) -> set[int]:
        """Return the numbers that are drawn and not used."""
        found = self.contents()
        head = found.heads.get(content_of(PAGE, URI))
        # Nobody can comment on a hidden feed, and so its tickets wait until it is shown again.
        return drawn(found.lists.get(PAGE)) | (drawn(head) if head and "hd" not in head else set())

    def seen(self) -> Any:
        """Return the contents that users can see, and events, without ids and times, which differ from run to run."""
        found = self.contents()
        told: dict[Any, Any] = {page: sorted(_pages(found, page)) for page in found.pages}
        for content, head in found.heads.items():
            feed = found.feeds[head["pg"]["S"], head["f"]["S"]]
            comments, _, _ = found.comments_of(content, generation_of(head))
            uri = feed["u"]["S"].partition(f"{ISSUER}/pages/")[0] or "its own"
            shards = [found.favorites.get((content, shard), []) for shard in range(shards_of(head))]
            here = [item for each in shards for item in each if item["sk"]["S"].startswith(generation_of(head) + "#")]
            counted = favorites_in(head) + sum(
                favorites_in(item) for (at, _), item in found.shards.items() if at == content
            )
            told.setdefault((head["pg"]["S"], uri), []).append(
                (
                    (
                        feed["t"]["S"],
                        poster_of(feed),
                        feed["s"]["S"],
                        feed["sk"]["S"][0],
                        len(feed.get("i", {}).get("L", [])),
                    ),
                    sorted((item["t"]["S"], poster_of(item)) for item in comments),
                    sorted(map(poster_of, here)),
                    (total(head), counted),
                )
            )
        return {key: sorted(each) for key, each in told.items()} | {"events": self.events().shown()}


def post(here: Platform, uri: str | None, user: str, page: str, **more: Any) -> Feed:
    """Post a feed through a platform."""
    renditions: Sequence[Rendition] = more.pop("renditions", ())
    draft = Draft("title", content_uri=uri, image_url="http://a.example/1.png" if renditions else None)
    draft = replace(draft, **more)
    admission = here.feed_posting.admit(page, user, APP, draft, lambda: here.apps.events(APP))
    return here.feed_posting.post(admission, draft, renditions)


@contextmanager
def one_after_the_other() -> Iterator[None]:
    """Run concurrent calls in one thread inside the block, always in the same order."""
    before = lane.set(((0, 0),))
    try:
        yield
    finally:
        lane.reset(before)


def _pages(found: Contents, page: str) -> list[str]:
    """Return the kinds of a page's feeds."""
    return [key[1][0] for key in found.feeds if key[0] == page]
