"""The story of a platform, from an invitation to the end of an account, as steps that a browser takes.

`tests/film.py` makes screenshots of it; `tests/system/test_browser_story.py` plays it by keyboard only, and without
JavaScript. Its people are of the demo world (local/demo.py), but for Riku, who joins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from PIL import Image
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from chalicelib.core.roles import Role
from chalicelib.web.html.texts import parts
from local.demo_data import APPS, CAFE, CONTENT_URI, USERS
from tests.kit.browser import authorize_url
from tests.kit.crowd import Crowd
from tests.kit.pictures import encoded

RIKU, MEI, TARO = "riku", "mei", "taro"
"""The people of the story: the one who joins, the administrator of the cafe, and the operator."""
_TEXTS = {name: both for texts in parts().values() for name, both in texts.items()}
WAIT_SECONDS = 20
PASSWORD, NEW_PASSWORD = "seven lanterns at dusk", "nine boats in the morning fog"


@dataclass(frozen=True)
class Step:
    """A step: what a person does on a page, and the text of the catalogue that the page shows afterwards.

    `at` is opened, `fields` are filled in (the name of a field, and its text, choice or file), `press` is the CSS
    selector of a link or button. Values in braces are of `Story.values`. `stays`: the page is not left, since a file
    is downloaded.
    """

    part: str
    who: str
    name: str
    shows: str
    at: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    press: str = ""
    stays: bool = False


def _part(name: str, who: str) -> Callable[..., Step]:
    """Return a function that makes the steps of one part: `step(name, shows, at=…)`."""
    return lambda step, shows, **more: Step(name, who, step, shows, **more)


def _sign_in(step: Callable[..., Step], who: str) -> Step:
    fields = {"login": who, "password": f"{{password_{who}}}"}
    return step("signed in", "welcome", at="/sign_in", fields=fields, press="main button.whole")


def _steps() -> Iterator[Step]:
    step = _part("1 an operator invites", TARO)
    yield _sign_in(step, TARO)
    yield step("console", "overview", press=".menu a[href$='/console']")
    yield step("form", "invitation_note", press="main a[href$='/console/invitations']")
    yield step("link", "link_title_invitation", fields={"name": "陸 (Riku)"}, press="main button.whole")

    step = _part("2 a person joins", RIKU)
    yield step("front page, signed out", "front_mixi", at="/")
    yield step("invitation", "join_note", at="{invitation}")
    new = {"display_name": "陸 (Riku)", "login": RIKU, "new_password": PASSWORD, "new_password_again": PASSWORD}
    yield step("joined", "done_joined", fields=new, press="main button.whole")
    own = {"login": RIKU, "password": PASSWORD}
    yield step("signed in, own profile", "profile_published", fields=own, press="main button.whole")
    yield step("home", "nothing_yet", press=".menu a")

    step = _part("3 an app", RIKU)
    yield step("consent", "installs", at="{consent}")
    yield step("allowed", "finished_allowed", press="button[value=allow]")
    yield step("my apps", "manage_apps", at="/apps")

    step = _part("4 the cafe", RIKU)
    yield step("page", "follow", at="{cafe}")
    yield step("followed", "done_followed", press="button[value=follow]")
    yield step("post", "your_comment", press=".post h3 a")
    yield step("favorite", "done_favorited", press="button[value=favorite]")
    said = "窓際の席が好きです。\nI like the seat by the window."
    yield step("commented", "done_commented", fields={"comment": said}, press="button[value=comment]")
    yield step("report", "report_intro", press=".comment a.report[aria-label*='Yuki']")
    why = {"reason": "spam", "words": "広告です。 It is an advertisement."}
    yield step("reported", "done_reported", fields=why, press="main .actions button")

    step = _part("5 an administrator of the cafe", MEI)
    yield _sign_in(step, MEI)
    yield step("the cafe", "administrators", at="{cafe}")
    yield step("form", "post_picture", press=".tabs a[href$='/post']")
    post = {
        "title": "梅雨の和菓子 (Sweets of the rainy season)",
        "body": "紫陽花の形のきんとんを始めました。雨の日は縁側でどうぞ。\nHydrangea sweets, best on a rainy veranda.",
        "picture": "{picture}",
        "link": "https://cafe.example/menu",
    }
    yield step("posted", "done_posted", fields=post, press="main .actions button")
    yield step("comments of another post", "comments", at="{feed}")
    yield step("deletion", "delete_comment_note", press=".comment a[href*='delete'][aria-label*='Hana']")
    astray = {"reason": "ページ違い (meant for another page)"}
    yield step("deleted", "done_comment_deleted", fields=astray, press="main button.warn")

    step = _part("6 the operator", TARO)
    yield step("reports", "reports", at="/console/reports")
    yield step("report", "report_of_post", press=".reported h2 a")
    answer = {"outcome": "hidden", "word": "ありがとうございました。Thank you.", "reason": "広告 (advertisement)"}
    yield step("answered", "done_handled", fields=answer, press="main .actions button")
    yield step("users", "users_search", at="/console/users")
    yield step("found", "users_found", fields={"q": "yu"}, press=".search button")
    yield step("person", "user_suspend_note", press="td a")
    why = {"reason": "広告の投稿 (advertising)"}
    yield step("suspended", "done_user_suspended", fields=why, press="form[action$='/suspension'] button")
    yield step("log", "log_intro", at="/console/log")
    yield step("filter", "log_actor_hint", press="summary", stays=True)
    yield step(
        "log of suspensions", "log_actor_hint", fields={"kind": "user.suspended"}, press="main form button.whole"
    )

    step = _part("7 the person leaves", RIKU)
    yield step("answer to the report", "outcome_hidden", at="/reports")
    yield step("settings", "settings_apps_note", press=".menu a[href$='/settings']")
    yield step("password", "change_password_note", press="main a[href$='/password']")
    change = {"password": PASSWORD, "new_password": NEW_PASSWORD, "new_password_again": NEW_PASSWORD}
    yield step("password changed", "done_password", fields=change, press="main button.whole")
    yield step("data", "data_without", at="/settings/data")
    yield step("data downloaded", "data_without", press="main button.whole", stays=True)
    yield step("deletion", "delete_note", at="/settings/delete")
    sure = {"typed": RIKU, "password": NEW_PASSWORD}
    yield step("deleted", "done_leaving", fields=sure, press="main button.whole")
    yield step("signed out", "done_signed_out", press=".menu .out button")


STEPS = tuple(_steps())


def _evening(width: int, height: int) -> Image.Image:
    """Return a picture: the colours of an evening sky."""
    light = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", [light.point(lambda v, part=part: 60 + v * part // 255) for part in (190, 110, 60)])


class Hands(Protocol):
    """How a person uses a page."""

    def fill(self, browser: Chrome, element: WebElement, value: str) -> None:
        """Fill in a field that has no value."""

    def press(self, browser: Chrome, element: WebElement) -> None:
        """Use a link or a button."""


class Mouse:
    """Clicks."""

    def fill(self, browser: Chrome, element: WebElement, value: str) -> None:
        if element.tag_name == "select":
            Select(element).select_by_value(value)
        else:
            if element.get_attribute("type") != "file":
                element.clear()
            element.send_keys(value)

    def press(self, browser: Chrome, element: WebElement) -> None:
        element.click()


class Story:
    """The story on a served platform with the demo world, which it changes.

    `browsers` has a browser for each person, in this language; `downloads` is where they save files.
    """

    def __init__(self, served: Any, browsers: Mapping[str, Chrome], language: str, downloads: Path) -> None:
        self._served = served
        self._browsers = browsers
        self._language = language
        self.downloads = downloads
        self.values = {f"password_{who}": served.demo["users"][who]["password"] for who in (MEI, TARO)}
        for browser in browsers.values():
            how = {"behavior": "allow", "downloadPath": str(downloads)}
            browser.execute_cdp_cmd("Browser.setDownloadBehavior", how)
        self._prepare()

    def steps(self, hands: Hands) -> Iterator[tuple[Step, Chrome]]:
        """Take the steps; after each, yield it with the browser that shows its page."""
        for step in STEPS:
            browser = self._browsers[step.who]
            self._take(step, browser, hands)
            WebDriverWait(browser, WAIT_SECONDS).until(partial(self._shows, step), f"{step}")
            if step.name == "link":
                self.values["invitation"] = browser.find_element(By.CSS_SELECTOR, "code.secret").text
            yield step, browser

    def _take(self, step: Step, browser: Chrome, hands: Hands) -> None:
        if step.at:
            at = step.at.format(**self.values)
            browser.get(at if at.startswith("http") else self._served.base_url + at)
        for name, value in step.fields.items():
            hands.fill(browser, browser.find_element(By.NAME, name), value.format(**self.values))
        if step.press:
            root = browser.find_element(By.TAG_NAME, "html")
            hands.press(browser, browser.find_element(By.CSS_SELECTOR, step.press))
            if not step.stays:
                WebDriverWait(browser, WAIT_SECONDS).until(partial(_was_left, root), f"{step} did not lead on")

    def _shows(self, step: Step, browser: Chrome) -> bool:
        """Return whether the page shows the text of the step, whatever values are in it."""
        text = _TEXTS[step.shows][0 if self._language == "ja" else 1]
        pattern = ".*".join(re.escape(part) for part in re.split(r"\{\w+\}", text))
        return bool(re.search(pattern, browser.find_element(By.TAG_NAME, "body").text, re.DOTALL))

    def _prepare(self) -> None:
        """Make Taro an operator; let Yuki advertise, and Hana comment on the wrong page."""
        here = Crowd(self._served).platform
        here.roles.give(USERS[TARO], Role.OPERATOR)
        finished = f"{self._served.base_url}/connect_authorize_success.html"
        here.apps.change(APPS["quest"], redirect_uris=(finished,), developer="星ゲームス (Hoshi Games)")
        for who, text in (
            ("hana", "明日の自転車の会は 9 時からです。\nThe bicycle ride starts at 9 tomorrow."),
            ("yuki", "格安チケットはこちら! Cheap tickets: https://tickets.example/"),
        ):
            here.comments.post(CAFE.id, CONTENT_URI, USERS[who], text)
        self.downloads.mkdir(parents=True, exist_ok=True)
        picture = self.downloads / "picture.png"
        picture.write_bytes(encoded(_evening(800, 500), "PNG"))
        cafe = f"/pages/{CAFE.id}"
        consent = authorize_url(self._served, redirect_uri=finished)
        self.values |= {"picture": str(picture), "cafe": cafe, "feed": f"{cafe}/feeds/1", "consent": consent}


def _was_left(root: WebElement, browser: Chrome) -> bool:
    """Return whether the page of this element was left."""
    try:
        root.is_enabled()
    except StaleElementReferenceException:
        return True
    except WebDriverException as error:
        # What the driver says just while the next page takes its place.
        if "does not belong to the document" not in str(error):
            raise
        return True
    return False
