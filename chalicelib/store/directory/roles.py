"""Roles and suspensions of users.

A role is the attribute `ro` of a user's item. The item `roles` `#` counts the operators (`operators`), in the same
transaction, so that the last operator keeps the role even if two requests take the last two roles at once. A user with
a role can be neither suspended nor deleted (decision: otherwise the last operator could be).
"""

from collections.abc import Callable

from chalicelib.core.errors import Conflict, NotFound, PermissionDenied, Unavailable
from chalicelib.core.model.directory import User
from chalicelib.core.roles import Role
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ALIVE, absent, equals, more
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.directory import keys
from chalicelib.store.directory.user_items import from_item, new_epoch

NEEDS = (on_table("directory", "GetItem", "UpdateItem"),)

COUNT = "operators"


class Roles:
    """The roles and suspensions of the users of one deployment. `clock` returns milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def give(self, user: str, role: Role | None, by: str | None = None) -> tuple[Role | None, bool]:
        """Give a user a role, or take it (None). Return the role before, and whether it changed.

        `by` is the user who does it, if it is one. Raises NotFound, PermissionDenied (their own role), Conflict (the
        last operator, or a user who is suspended or leaving) and Unavailable.
        """
        if user == by:
            raise PermissionDenied("Nobody can change their own role")
        for wait in races():
            known = self._need(user)
            if known.role == role:
                return role, False
            if known.suspended is not None:
                raise Conflict("The user is suspended")
            if known.leaving is not None:
                raise Conflict("The user has asked for the deletion of the account")
            change = Update({"ro": {"S": role.value}}) if role else Update(removes=["ro"])
            had = equals("ro", known.role.value) if known.role else absent("ro")
            write = Transaction()
            write.update("user", self._table, keys.user_key(user), change, ALIVE & had & absent("su") & absent("lv"))
            if role is Role.OPERATOR:
                write.update("count", self._table, keys.ROLES, Update(adds={COUNT: 1}))
            elif known.role is Role.OPERATOR:
                write.update("count", self._table, keys.ROLES, Update(adds={COUNT: -1}), more(COUNT, 1))
            try:
                self._dynamo.commit(write)
            except Lost as lost:
                if lost.failed("count") and not lost.failed("user"):
                    raise Conflict("The last operator keeps the role") from None
                self._dynamo.rest(wait)
            else:
                return known.role, True
        raise Unavailable

    def suspend(self, user: str) -> bool:
        """Suspend a user and end their sessions. Return whether it changed.

        A suspended user keeps the time of the first suspension.

        Raises NotFound, Conflict (the user has a role) and Unavailable.
        """
        return self._suspension(user, self._clock())

    def restore(self, user: str) -> bool:
        """End a suspension. Return whether there was one. Raises NotFound and Unavailable."""
        return self._suspension(user, None)

    def _suspension(self, user: str, at: int | None) -> bool:
        for wait in races():
            known = self._need(user)
            if (known.suspended is None) == (at is None):
                return False
            if known.role:
                raise Conflict("A user with a role cannot be suspended; take the role away first")
            write = Transaction()
            if at is None:
                change, condition = Update(removes=["su"]), ALIVE & equals("su", known.suspended or 0)
            else:
                change, condition = Update({"su": at, "se": new_epoch()}), ALIVE & absent("su") & absent("ro")
            write.update("user", self._table, keys.user_key(user), change, condition)
            try:
                self._dynamo.commit(write)
            except Lost:
                self._dynamo.rest(wait)
            else:
                return True
        raise Unavailable

    def _need(self, user: str) -> User:
        known = from_item(self._dynamo.get(self._table, keys.user_key(user), consistent=True))
        if known is None:
            raise NotFound(f"There is no user {user}")
        return known
