"""The platform: all parts that the faces use. Each part is imported and created at its first use.

So a cold start creates only the parts that its own request needs.
"""

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chalicelib.core.events import EventKind
from chalicelib.core.model.access import Access
from chalicelib.settings import Settings, WrongSetting
from chalicelib.store.appdata.appdata import AppData
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.directory.friends_and_installs import FriendsAndInstalls
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from chalicelib.core.client_secrets import WhichSecret
    from chalicelib.core.model.directory import App
    from chalicelib.store.appdata.events import DataEvents
    from chalicelib.store.bulk_export import BulkExport
    from chalicelib.store.bulk_import import BulkImport
    from chalicelib.store.contents.cleanup import Cleanup
    from chalicelib.store.contents.cleanup_notes import CleanupNotes
    from chalicelib.store.contents.cleanup_queue import CleanupQueue
    from chalicelib.store.contents.comments import Comments
    from chalicelib.store.contents.contents_import import ContentsImport
    from chalicelib.store.contents.events import ContentEvents
    from chalicelib.store.contents.favorites import Favorites
    from chalicelib.store.contents.feed_posting import FeedPosting
    from chalicelib.store.contents.feeds import Feeds
    from chalicelib.store.contents.images import Images
    from chalicelib.store.contents.items import Tables
    from chalicelib.store.contents.moderated_posts import ModeratedPosts
    from chalicelib.store.contents.newest_posts import NewestPosts
    from chalicelib.store.contents.page_screens import PageScreens
    from chalicelib.store.contents.post_rows import PostRows
    from chalicelib.store.contents.posts_of_user import PostsOfUser
    from chalicelib.store.contents.stored_posts import StoredPosts
    from chalicelib.store.directory.app_secrets import AppSecrets
    from chalicelib.store.directory.apps import Apps
    from chalicelib.store.directory.counts import Counts
    from chalicelib.store.directory.directory import Directory
    from chalicelib.store.directory.leaving import LeavingUsers
    from chalicelib.store.directory.page_administration import PageAdministration
    from chalicelib.store.directory.pages import Pages
    from chalicelib.store.directory.people import People
    from chalicelib.store.directory.roles import Roles
    from chalicelib.store.directory.search import Search
    from chalicelib.store.directory.secret_sealing import SecretSealing
    from chalicelib.store.directory.users import Users
    from chalicelib.store.events.endpoints import Endpoints
    from chalicelib.store.events.log import EventLog
    from chalicelib.store.events.sending import EventSending
    from chalicelib.store.grants.ephemeral import DailyCounts, SignInAttempts, UsedStates
    from chalicelib.store.grants.grants import Grants
    from chalicelib.store.grants.one_time_links import OneTimeLinks
    from chalicelib.store.grants.sessions import UserSessions
    from chalicelib.store.idempotency import Idempotency
    from chalicelib.store.import_check import ImportCheck
    from chalicelib.store.migration import Migration
    from chalicelib.store.oversized_answers import OversizedAnswers
    from chalicelib.store.overview import OverviewReading
    from chalicelib.store.records.action_log import ActionLog
    from chalicelib.store.records.job_log import JobLog
    from chalicelib.store.records.reports import Reports
    from chalicelib.store.records.request_log import RequestLog
    from chalicelib.store.user_data import UserData
    from chalicelib.store.user_overview import UserOverviews
    from chalicelib.web.auth.launch_keys import LaunchKeys
    from chalicelib.web.auth.oauth1_signatures import Signatures
    from chalicelib.web.auth.server_states import ServerStates
    from chalicelib.web.auth.sessions import Sessions
    from chalicelib.web.cors import Origins
    from chalicelib.web.html.rendering import Site


class Platform:
    """The parts that faces use, with these clients.

    `clock` returns milliseconds since the epoch. `s3` and `sqs` create a client when it is needed. `read_keys` takes
    the name of the settings and reads the keys from a file or a secret.
    """

    def __init__(
        self,
        settings: Settings,
        dynamo: Dynamo,
        s3: "Callable[[], S3Client]",
        clock: Callable[[], int],
        sqs: "Callable[[], SQSClient]",
        read_keys: Callable[[str, str | None, str | None], str],
    ) -> None:
        self.settings = settings
        self.named_by_request = False
        self.clock = clock
        self._read_keys = read_keys
        self._dynamo = dynamo
        self._make_s3 = s3
        self._sqs = sqs

    @property
    def site(self) -> "Site":
        """The platform as its pages name and link it."""
        from chalicelib.web.html.rendering import Site

        return Site(self.settings.name, urlsplit(self.settings.issuer).path, self.settings.issuer)

    @property
    def names(self) -> tuple[str, ...]:
        """The platform's name, which no app may bear; without one of its own, the names in all languages."""
        from chalicelib.web.html.rendering import BRANDS

        return (self.settings.name,) if self.settings.name else tuple(BRANDS.values())

    def name(self, issuer: str) -> None:
        """Set the issuer, for a platform without ENGAWA_ISSUER, before a part needs it. Raises WrongSetting."""
        if self.named_by_request and issuer != self.settings.issuer:
            raise WrongSetting(f"ENGAWA_ISSUER is not set, and the API is called as {issuer}, too")
        if not self.named_by_request:
            self.settings = self.settings.named(issuer)
            self.named_by_request = True

    # Parts that every request with a token needs.

    @cached_property
    def keys(self) -> TokenKeys:
        file, secret = self.settings.token_keys_file, self.settings.token_keys_secret
        return TokenKeys(lambda: self._read_keys("ENGAWA_TOKEN_KEYS", file, secret))

    @cached_property
    def tokens(self) -> AccessTokens:
        external = None
        if self.settings.openid_issuer and self.settings.openid_jwks:
            from chalicelib.web.auth.external_issuer import Issuer

            external = Issuer(
                self.settings.openid_issuer,
                self.settings.openid_jwks,
                self.settings.issuer,
                lambda app: self.apps.is_suspended(app),
            )
        return AccessTokens(self.keys, self.settings.issuer, external)

    @cached_property
    def friends_and_installs(self) -> FriendsAndInstalls:
        return FriendsAndInstalls(self._dynamo, self.settings.table("directory"))

    @cached_property
    def appdata(self) -> AppData:
        table = self.settings.table("appdata")
        return AppData(self._dynamo, table, self.friends_and_installs, self.settings.limits, self.clock)

    # Parts that some requests need.

    @cached_property
    def origins(self) -> "Origins":
        from chalicelib.web.cors import Origins

        return Origins(self.apps.origins, self.settings.issuer)

    @cached_property
    def oversized_answers(self) -> "OversizedAnswers":
        from chalicelib.store.oversized_answers import OversizedAnswers

        return OversizedAnswers(lambda: self._s3, self.settings.bucket)

    @cached_property
    def users(self) -> "Users":
        from chalicelib.store.directory.users import Users

        return Users(self._dynamo, self._directory_table, self.friends_and_installs, self.pages, self.clock)

    @cached_property
    def roles(self) -> "Roles":
        from chalicelib.store.directory.roles import Roles

        return Roles(self._dynamo, self._directory_table, self.clock)

    @cached_property
    def search(self) -> "Search":
        from chalicelib.store.directory.search import Search

        return Search(self._dynamo, self._directory_table, self.apps)

    @cached_property
    def apps(self) -> "Apps":
        from chalicelib.store.directory.apps import Apps

        return Apps(self._dynamo, self._directory_table, self._seals, self.pages, self.clock)

    @cached_property
    def app_secrets(self) -> "AppSecrets":
        from chalicelib.store.directory.app_secrets import AppSecrets

        return AppSecrets(self._dynamo, self._directory_table, self._seals, self.apps, self.clock)

    @cached_property
    def pages(self) -> "Pages":
        from chalicelib.store.directory.pages import Pages

        return Pages(self._dynamo, self._directory_table, self.clock)

    @cached_property
    def people(self) -> "People":
        from chalicelib.store.directory.people import People

        return People(self._dynamo, self.friends_and_installs, self.users, self.pages)

    @cached_property
    def counts(self) -> "Counts":
        from chalicelib.store.directory.counts import Counts

        return Counts(self._dynamo, self._directory_table)

    @cached_property
    def grants(self) -> "Grants":
        from chalicelib.store.grants.grants import Grants

        table = self.settings.table("grants")
        return Grants(self._dynamo, table, self._directory_table, self.apps, self.clock)

    @cached_property
    def user_data(self) -> "UserData":
        from chalicelib.store.user_data import UserData

        stores = (self._directory, self.appdata, self.grants, self._posts, self._notes)
        others = (self.oversized_answers, self.event_log, self.reports, self.sessions_of_users, self.leaving_users)
        return UserData(*stores, *others)

    @cached_property
    def sessions_of_users(self) -> "UserSessions":
        from chalicelib.store.grants.sessions import UserSessions

        return UserSessions(self._dynamo, self.settings.table("grants"), self._directory_table, self.clock)

    @cached_property
    def daily_counts(self) -> "DailyCounts":
        from chalicelib.store.grants.ephemeral import DailyCounts

        return DailyCounts(self._dynamo, self._ephemeral, self.clock)

    @cached_property
    def one_time_links(self) -> "OneTimeLinks":
        from chalicelib.store.grants.one_time_links import OneTimeLinks

        return OneTimeLinks(self._dynamo, self._ephemeral, self.users, self.clock)

    @cached_property
    def leaving_users(self) -> "LeavingUsers":
        from chalicelib.store.directory.leaving import LeavingUsers

        return LeavingUsers(self._dynamo, self._directory_table, self.clock)

    @cached_property
    def user_overviews(self) -> "UserOverviews":
        from chalicelib.store.user_overview import UserOverviews

        grants, offset = self.settings.table("grants"), self.settings.utc_offset
        return UserOverviews(self._dynamo, self._directory, self.sessions_of_users, self._tables, grants, offset)

    @cached_property
    def bulk_import(self) -> "BulkImport":
        from chalicelib.store.bulk_import import BulkImport

        stores = (self.user_data, self.appdata, self._contents_import, self.grants)
        return BulkImport(self._directory, *stores, self.settings.limits)

    @cached_property
    def import_check(self) -> "ImportCheck":
        from chalicelib.store.import_check import ImportCheck

        return ImportCheck(self._directory, self.appdata, self._contents_import, self.grants, self.settings.limits)

    @cached_property
    def bulk_export(self) -> "BulkExport":
        from chalicelib.store.bulk_export import BulkExport
        from chalicelib.store.contents.contents_export import ContentsExport

        contents = ContentsExport(self._dynamo, self._tables, self.images, self.settings.utc_offset)
        return BulkExport(self._directory, self.appdata, contents, self.grants)

    @cached_property
    def migration(self) -> "Migration":
        from chalicelib.store.migration import Migration

        return Migration(self._dynamo, self.settings.table)

    @cached_property
    def states(self) -> "ServerStates":
        from chalicelib.web.auth.server_states import ServerStates

        return ServerStates(self.keys, self.settings.issuer, self.clock)

    @cached_property
    def used_states(self) -> "UsedStates":
        from chalicelib.store.grants.ephemeral import UsedStates

        return UsedStates(self._dynamo, self._ephemeral, self.clock)

    @cached_property
    def idempotency(self) -> "Idempotency":
        from chalicelib.store.idempotency import Idempotency

        return Idempotency(self._dynamo, self._ephemeral, self.clock)

    @cached_property
    def sign_in_attempts(self) -> "SignInAttempts":
        from chalicelib.store.grants.ephemeral import SignInAttempts

        return SignInAttempts(self._dynamo, self._ephemeral, self.clock)

    @cached_property
    def sessions(self) -> "Sessions":
        from chalicelib.web.auth.sessions import Sessions

        return Sessions(self.keys, self.settings.issuer)

    @cached_property
    def signatures(self) -> "Signatures":
        from chalicelib.core.signatures import WINDOW_SECONDS
        from chalicelib.store.grants.ephemeral import Nonces
        from chalicelib.web.auth.oauth1_signatures import Signatures

        use_nonce = Nonces(self._dynamo, self._ephemeral, WINDOW_SECONDS).use
        urls = (self.settings.issuer, *self.settings.signed_urls)

        def use(app: "App", which: "WhichSecret", timestamp: int, nonce: str) -> bool:
            return self.app_secrets.noting_use(app, which, partial(use_nonce, app.id, timestamp, nonce))

        return Signatures(self.apps.get, use, self.clock, urls, body_hash=self.settings.body_hash)

    @cached_property
    def launch_keys(self) -> "LaunchKeys | None":
        """The keys that sign the starts of page apps; None if no page app can start."""
        from chalicelib.web.auth.launch_keys import LaunchKeys

        file, secret = self.settings.launch_keys_file, self.settings.launch_keys_secret
        if not (file or secret):
            return None
        return LaunchKeys(lambda: self._read_keys("ENGAWA_LAUNCH_KEYS", file, secret))

    @cached_property
    def queue(self) -> "CleanupQueue":
        from chalicelib.store.contents.cleanup_queue import CleanupQueue

        return CleanupQueue(self._sqs, self.settings.cleaning_queue)

    @cached_property
    def feed_posting(self) -> "FeedPosting":
        from chalicelib.store.contents.feed_posting import FeedPosting, FeedSettings

        issuer = self.settings.issuer
        settings = FeedSettings(lambda page, feed: f"{issuer}/pages/{page}/feeds/{feed}", self.settings.favorite_shards)
        stores = (self._directory, self.images, self._notes, self._content_events, self._post_rows)
        return FeedPosting(self._dynamo, self._tables, *stores, settings, self.clock)

    @cached_property
    def feeds(self) -> "Feeds":
        from chalicelib.store.contents.feeds import Feeds
        from chalicelib.store.contents.numbered_lists import NumberedLists

        lists = NumberedLists(self._dynamo, self._tables.feeds, self.clock)
        stores = (self.users, self.pages, self._notes, lists, self._content_events, self._post_rows)
        return Feeds(self._dynamo, self._tables, *stores)

    @cached_property
    def comments(self) -> "Comments":
        from chalicelib.store.contents.comments import Comments

        table, offset = self._tables.comments, self.settings.utc_offset
        stores = (self.users, self.pages, self._content_events, self._post_rows)
        return Comments(self._dynamo, table, *stores, offset, self.clock)

    @cached_property
    def stored_posts(self) -> "StoredPosts":
        from chalicelib.store.contents.stored_posts import StoredPosts

        return StoredPosts(self._dynamo, self._tables, self.users, self.pages, self.settings.utc_offset)

    @cached_property
    def moderated_posts(self) -> "ModeratedPosts":
        from chalicelib.store.contents.moderated_posts import ModeratedPosts
        from chalicelib.store.contents.numbered_lists import NumberedLists

        tables = self._tables
        stores = (self.stored_posts, self.feeds, self.comments, self._post_rows)
        feeds, comments = (NumberedLists(self._dynamo, table, self.clock) for table in (tables.feeds, tables.comments))
        return ModeratedPosts(self._dynamo, tables, *stores, (feeds, comments), self.clock)

    @cached_property
    def newest_posts(self) -> "NewestPosts":
        from chalicelib.store.contents.newest_posts import NewestPosts

        table, offset = self.settings.table("records"), self.settings.utc_offset
        return NewestPosts(self._dynamo, self._tables, table, self.users, self.pages, offset)

    @cached_property
    def reports(self) -> "Reports":
        from chalicelib.store.records.reports import Reports

        return Reports(self._dynamo, self.settings.table("records"), self.clock)

    @cached_property
    def favorites(self) -> "Favorites":
        from chalicelib.store.contents.favorites import Favorites

        return Favorites(self._dynamo, self._tables, self.users, self.pages, self._content_events, self.clock)

    @cached_property
    def page_screens(self) -> "PageScreens":
        from chalicelib.store.contents.page_screens import PageScreens

        stores = (self._directory, self.page_administration)
        return PageScreens(self._dynamo, self._tables, *stores, self.settings.utc_offset, self.clock)

    @cached_property
    def page_administration(self) -> "PageAdministration":
        from chalicelib.store.directory.page_administration import PageAdministration

        return PageAdministration(self._dynamo, self._directory)

    @cached_property
    def images(self) -> "Images":
        from chalicelib.store.contents.images import Images

        return Images(self._s3, self.settings.bucket)

    @cached_property
    def cleanup(self) -> "Cleanup":
        from chalicelib.store.contents.cleanup import Cleanup

        return Cleanup(self._dynamo, self._tables, self.feeds, self.pages, self._posts, self.images, self._notes)

    @cached_property
    def action_log(self) -> "ActionLog":
        from chalicelib.store.records.action_log import ActionLog

        return ActionLog(self._dynamo, self.settings.table("records"), self.clock, self.settings.log_days)

    @cached_property
    def event_log(self) -> "EventLog":
        from chalicelib.store.events.log import EventLog

        return EventLog(self._dynamo, self._ephemeral, self.clock)

    @cached_property
    def endpoints(self) -> "Endpoints":
        from chalicelib.store.events.endpoints import Endpoints

        return Endpoints(self._dynamo, self._directory_table, self._seals, self.event_log, self.clock)

    @cached_property
    def event_sending(self) -> "EventSending":
        from chalicelib.store.events.sending import EventSending
        from chalicelib.web.fetch.post_event import post_event

        post = partial(post_event, loopback=self.settings.fetch_loopback)
        return EventSending(self.event_log, self.endpoints, post, self.clock)

    def asked_events(self, access: Access) -> frozenset[EventKind]:
        """Return the kinds of events that the request's app asked for: from the token, or else read."""
        return self.apps.events(access.app) if access.events is None else access.events

    def data_events(self, access: Access) -> "DataEvents | None":
        """Return what tells the request's app of changes of data, or None if the app did not ask for that."""
        if EventKind.DATA_CHANGED not in self.asked_events(access):
            return None
        from chalicelib.store.appdata.events import DataEvents

        return DataEvents(self.event_log)

    def sweep(self, seconds: float = 60) -> int:
        """Delete the remains of deletions in appdata for about `seconds` seconds; return the number of deleted items.

        Before that, send the cleanup tasks that are due to the queue, and erase users who left 14 days ago.
        """
        self.cleanup.remind()
        self.user_data.erase_leaving(seconds / 2)
        return self.appdata.sweep(seconds)

    @cached_property
    def request_log(self) -> "RequestLog":
        from chalicelib.store.records.request_log import RequestLog

        return RequestLog(self._dynamo, self.settings.table("records"), self.clock)

    @cached_property
    def job_log(self) -> "JobLog":
        from chalicelib.store.records.job_log import JobLog

        return JobLog(self._dynamo, self.settings.table("records"), self.clock)

    @cached_property
    def overview(self) -> "OverviewReading":
        from chalicelib.store.overview import OverviewReading

        stores = (self.counts, self.request_log, self.job_log, self._notes, self.appdata, self.event_log)
        return OverviewReading(*stores, self.leaving_users, self.clock)

    # Parts of the parts above.

    @cached_property
    def _directory(self) -> "Directory":
        from chalicelib.store.directory.directory import Directory

        return Directory(self.users, self.apps, self.pages, self.friends_and_installs)

    @cached_property
    def _seals(self) -> "SecretSealing":
        from chalicelib.store.directory.secret_sealing import SecretSealing

        file, secret = self.settings.secret_keys_file, self.settings.secret_keys_secret
        return SecretSealing(lambda: self._read_keys("ENGAWA_SECRET_KEYS", file, secret))

    @cached_property
    def _content_events(self) -> "ContentEvents":
        from chalicelib.store.contents.events import ContentEvents

        return ContentEvents(self.event_log)

    @cached_property
    def _post_rows(self) -> "PostRows":
        from chalicelib.store.contents.post_rows import PostRows

        return PostRows(self.settings.table("records"))

    @cached_property
    def _posts(self) -> "PostsOfUser":
        from chalicelib.store.contents.posts_of_user import PostsOfUser

        offset = self.settings.utc_offset
        return PostsOfUser(self._dynamo, self._tables, self.users, self.feeds, self.comments, self.favorites, offset)

    @cached_property
    def _contents_import(self) -> "ContentsImport":
        from chalicelib.store.contents.contents_import import ContentsImport
        from chalicelib.store.contents.numbered_lists import NumberedLists

        tables = self._tables
        lists = [NumberedLists(self._dynamo, table, self.clock) for table in (tables.feeds, tables.comments)]
        return ContentsImport(
            self._dynamo,
            tables,
            self.users,
            self.pages,
            self.favorites,
            self.images,
            self._notes,
            self._post_rows,
            (lists[0], lists[1]),
            self.settings.favorite_shards,
        )

    @cached_property
    def _notes(self) -> "CleanupNotes":
        from chalicelib.store.contents.cleanup_notes import CleanupNotes

        return CleanupNotes(self._dynamo, self._tables.feeds, self.queue, self.clock)

    @cached_property
    def _tables(self) -> "Tables":
        from chalicelib.store.contents.items import Tables

        return Tables(*(self.settings.table(name) for name in ("feeds", "comments", "favorites")))

    @cached_property
    def _s3(self) -> "S3Client":
        return self._make_s3()

    @property
    def _directory_table(self) -> str:
        return self.settings.table("directory")

    @property
    def _ephemeral(self) -> str:
        return self.settings.table("ephemeral")
