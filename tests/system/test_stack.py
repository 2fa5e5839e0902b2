"""`make deploy` in an emulator: creation, change, restore and deletion of stacks, and requests to them.

The tests depend on each other and run in file order. `tests/kit/emulated.py` names the parts that the emulator does
not provide; docs/internals/architecture.md lists what it cannot show.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from infra import combine
from infra.refusals import Refused
from local.gateway import MIN_COMPRESSED
from tests.checks.site import Site, answered
from tests.checks.world import World
from tests.kit.deployed import zipped
from tests.kit.emulated import ACCOUNT, COPY_REGION, Emulated, emulated, python_version
from tests.kit.pictures import png
from tests.kit.run_checks import counted, run_checks
from tests.kit.served import eventually
from tests.kit.worlds import SCHEDULED

NOT_SHOWN = (
    # API Gateway refuses requests larger than 10 MB, Lambda requests larger than 6 MB.
    "tests/checks/test_open.py::test_a_request_that_is_too_large",
    # CloudFront serves the images, but has no address here that a client could call.
    "tests/checks/test_pages.py::test_a_feed_with_an_image",
)
"""Checks that need features which an execute-api address in the emulator does not have."""
URI = "https://shop.example/tea"
MINE = "/2/apps/appdata/@me/@self"


class Story:
    """The state that the tests share: the outputs of the stages' stacks, and the data in `dev`."""

    def __init__(self, account: Emulated) -> None:
        self.account = account
        self.outputs: dict[str, dict[str, str]] = {}
        self.world: World | None = None

    @property
    def url(self) -> str:
        """The base URL of dev, which is its issuer."""
        return self.account.base_url(self.outputs["dev"])

    def operator(self) -> str:
        """Return an operator's token of dev."""
        return self.account.operator("dev", self.url)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    directory = tmp_path_factory.mktemp("stack")
    with emulated(directory, zipped(python_version())) as account:
        yield Story(account)


def test_a_deployment_that_fails_says_why_and_is_mended_by_the_next(story: Story) -> None:
    story.account.leaves_out = False
    with pytest.raises(
        Refused, match=r"engawa-dev is ROLLBACK_COMPLETE: \w+: .*\. Fix that, and run the same command again\."
    ):
        story.account.deploy("dev")
    assert not story.account.tables()
    story.account.leaves_out = True

    story.outputs["dev"] = story.account.deploy("dev")

    assert any("left by a failed run; deleting it" in words for words in story.account.said)


def test_a_deployment_creates_everything(story: Story) -> None:
    states = story.account.resources("engawa-dev")
    assert set(states.values()) == {"CREATE_COMPLETE"}
    # All resources without a condition, except alarms over several metrics, which ministack does not support.
    wanted = {name for name, each in combine.merge_template()["Resources"].items() if "Condition" not in each}
    assert wanted - set(states) == {"ServerErrors"}
    # Monitoring is basic.
    assert not {"Dashboard", "CleaningBehind"} & set(states)
    tables = {"TableReadThrottles", "TableWriteThrottles"}
    several = {"ApiFailures", "ApiThrottles", "Refusals", "SendStopped", "ServerErrors"}
    assert story.account.left_out == several | tables
    assert set(story.account.resources("engawa-dev-global", "us-east-1").values()) == {"CREATE_COMPLETE"}
    # The functions know CloudFront's domain and its key.
    [api] = story.account.aws("apigateway").get_rest_apis()["items"]
    assert api["minimumCompressionSize"] == MIN_COMPRESSED
    variables = story.account.variables("engawa-dev")
    assert variables["ENGAWA_METRICS"] == "0"
    assert variables["ENGAWA_ISSUER"] == f"https://{story.outputs['dev']['DistributionDomain']}"
    assert len(variables["ENGAWA_PROXY_KEY"]) == 48
    [origin] = [each for each in story.account.origins(story.outputs["dev"]) if each["Id"] == "api"]
    assert origin["CustomHeaders"]["Items"] == [
        {"HeaderName": "X-Engawa-Proxy-Key", "HeaderValue": variables["ENGAWA_PROXY_KEY"]}
    ]


def test_the_same_again_changes_nothing(story: Story) -> None:
    assert story.account.deploy("dev") == story.outputs["dev"]

    assert [words for words in story.account.said if words.endswith("nothing changes.")] == [
        "engawa-dev-global: nothing changes.",
        "engawa-dev: nothing changes.",
    ]


def test_a_change_is_made_and_no_other(story: Story) -> None:
    before = story.account.variables("engawa-dev")

    changed = story.account.deploy("dev", Issuer=story.url)

    assert changed == story.outputs["dev"] | {"BaseUrl": story.url}
    assert story.account.variables("engawa-dev") == before | {"ENGAWA_ISSUER": story.url}
    assert story.account.put_gateway_responses(story.outputs["dev"]) == len(combine.gateway_responses())
    assert story.account.put_gateway_responses(story.outputs["dev"]) == 0


def test_a_rollout_that_an_alarm_stops_leaves_everything_as_it_was(story: Story) -> None:
    account = story.account
    before = [account.variables(f"engawa-dev{name}") for name in ("", "-sweep", "-clean")]
    live = account.live("engawa-dev")
    account.alarm_rings = True

    with pytest.raises(Refused, match=r"engawa-dev is as it was before: APIHandlerAliaslive: .* run the same command"):
        account.deploy("dev", Issuer="https://broken.example", Rollout="steps")

    assert [account.variables(f"engawa-dev{name}") for name in ("", "-sweep", "-clean")] == before
    assert account.live("engawa-dev") == live
    assert answered(Site(story.url).get("/health"))["commit"] == before[0]["ENGAWA_COMMIT"]
    # With all requests at once, a version is deployed whatever rings: it may be the repair.
    changed = account.deploy("dev", Issuer="https://repaired.example", Rollout="at-once")
    assert changed["BaseUrl"] == "https://repaired.example"
    assert account.live("engawa-dev") != live


def test_a_rollback_goes_back_to_the_release_before_and_then_further(story: Story) -> None:
    """The alarm still rings; a rollback does not wait for it."""
    account = story.account
    repaired, issuer, first = account.deployment("dev").list_releases()

    assert account.deployment("dev").roll_back(None)["BaseUrl"] == story.url
    assert account.variables("engawa-dev")["ENGAWA_ISSUER"] == story.url
    assert f"Going back to {issuer.version} ({issuer.commit}), released {issuer.time} ..." in account.said
    assert account.deployment("dev").roll_back(None)["BaseUrl"] == story.outputs["dev"]["BaseUrl"]
    with pytest.raises(Refused, match=r"There is no release before the present one\. Known releases: "):
        account.deployment("dev").roll_back(None)

    assert account.deployment("dev").roll_back(issuer.time)["BaseUrl"] == story.url
    known = account.deployment("dev").list_releases()
    assert [each.repeats for each in known] == [issuer.time, first.time, issuer.time, None, None, None]
    assert known[3:] == [repaired, issuer, first]
    account.alarm_rings = False


def test_what_is_served_passes_the_checks(story: Story) -> None:
    done = run_checks(story.url, *(f"--deselect={name}" for name in NOT_SHOWN), ENGAWA_ADMIN_TOKEN=story.operator())

    assert done.returncode == 0, done.stdout[-8000:] + story.account.logged("/aws/lambda/engawa-dev")
    passed, failed, left_out = counted(done, story.url)
    assert (passed > 90, failed, left_out) == (True, 0, 0)


def test_the_queue_has_what_was_deleted_cleaned(story: Story) -> None:
    """Lambda polls the queue, as the event source of the stack says."""
    account = story.account

    assert eventually(lambda: account.waiting("engawa-dev-cleaning") == 0, 30)
    assert account.waiting("engawa-dev-cleaning-dead") == 0
    assert "REPORT" in account.logged("/aws/lambda/engawa-dev-clean")
    assert eventually(lambda: not [note for note in account.notes("dev") if not note.startswith("user#")], 30)


def test_the_schedule_s_function_sweeps(story: Story) -> None:
    assert json.loads(story.account.invoke("engawa-dev-sweep", SCHEDULED)) >= 0

    rules = story.account.aws("events").list_rules(NamePrefix="engawa-dev")["Rules"]
    assert [(rule["ScheduleExpression"], rule["State"]) for rule in rules] == [
        ("rate(5 minutes)", "ENABLED"),
        ("rate(1 minute)", "ENABLED"),
        ("rate(5 minutes)", "ENABLED"),
    ]


def test_the_canary_writes_reads_and_deletes_through_the_public_url(story: Story) -> None:
    for _ in range(2):  # The first run makes its user, its app and the install.
        assert story.account.invoke("engawa-dev-canary", SCHEDULED) == "null"

    token = story.operator()
    for path in ("/admin/users/canary000000", "/admin/apps/ca9a200000000000"):
        answered(Site(story.url).get(path, token))
        answered(Site(story.url).send("DELETE", path, token))


def test_a_function_may_do_nothing_that_its_policy_does_not_say(story: Story) -> None:
    """IAM has allowed all calls of the earlier tests; without the policies it would have refused them."""
    iam, role = story.account.aws("iam"), story.account.role("engawa-dev-sweep")
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    scan = [each for each in policy["Statement"] if each["Sid"] != "DynamodbAppdata"]
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps({**policy, "Statement": scan}))
    try:
        assert "sweep failed: ClientError" in story.account.invoke("engawa-dev-sweep", SCHEDULED)
        assert "ClientError: AccessDenied" in story.account.logged("/aws/lambda/engawa-dev-sweep")
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
    assert json.loads(story.account.invoke("engawa-dev-sweep", SCHEDULED)) >= 0


def test_cloudfront_alone_serves_images(story: Story) -> None:
    world = story.world = World(Site(story.url), story.operator())
    world.make()
    parts = {"request": (None, json.dumps({"title": "お茶", "contentUri": URI})), "image1": ("tea.png", png())}
    answered(world.site.post(f"/2/pages/{world.page}/feeds", world.one.token, files=parts), 201)
    answered(world.site.post(MINE, world.one.token, json={"score": "12", "name": "縁" * 20_000}))
    on = {"contentUri": URI}
    answered(
        world.site.post(f"/2/pages/{world.page}/comments", world.other.token, params=on, json={"comment": "よい"}), 201
    )
    answered(world.site.post(f"/2/pages/{world.page}/favorites", world.other.token, params=on), 201)
    [feed] = answered(world.site.get(f"/2/pages/{world.page}/feeds", world.one.token))["entry"]
    path = feed["images"][0]["large"].removeprefix(story.url)

    image = story.account.by_cloudfront(story.outputs["dev"], path)

    assert (image.status_code, image.content[:8]) == (200, b"\x89PNG\r\n\x1a\n")
    assert image.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert image.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    # Other paths than images/ go to the API, whose host name the emulator's CloudFront does not call.
    assert story.account.by_cloudfront(story.outputs["dev"], MINE).status_code == 502


def test_a_restored_stage_serves_the_same(story: Story) -> None:
    """The test runs "Restoring a stage" in docs/operating/recovery.md, from dev to prod, after images were deleted."""
    account, world = story.account, story.world
    assert world
    [feed] = answered(world.site.get(f"/2/pages/{world.page}/feeds", world.one.token))["entry"]
    image_path = feed["images"][0]["large"].removeprefix(story.url)
    image = account.by_cloudfront(story.outputs["dev"], image_path)
    moment = datetime.now(UTC)
    account.said.clear()
    account.keep_every_second("dev")
    for each in account.session.resource("s3").Bucket(f"engawa-dev-{ACCOUNT}").objects.filter(Prefix="images/"):
        each.delete()
    account.deployment("dev").restore_into("prod", moment)
    assert len([words for words in account.said if words.endswith(": ready.")]) == 7
    # Once more, as after an interrupted run.
    account.deployment("dev").restore_into("prod")
    assert account.said[-1] == "The images follow: make deploy STAGE=prod, then run this command again."

    story.outputs["prod"] = account.deploy("prod", MonthlyBudget="0", Issuer=story.url)
    account.deployment("dev").restore_into("prod")
    assert account.said[-1].endswith("; 4 were copied now.")
    # Its monitoring is full.
    assert {"Dashboard", "CleaningBehind"} <= set(account.resources("engawa-prod"))
    assert account.variables("engawa-prod")["ENGAWA_METRICS"] == "1"

    restored = Site(account.base_url(story.outputs["prod"]))
    asked = [(MINE, world.one.token), ("/2/people/@me/@friends", world.one.token)]
    asked += [(f"/2/pages/{world.page}/{name}", world.other.token) for name in ("feeds", f"comments?contentUri={URI}")]
    asked += [(f"/2/pages/{world.page}/favorites?contentUri={URI}", world.other.token)]
    for path, token in asked:
        assert answered(restored.get(path, token)) == answered(world.site.get(path, token))
    again = account.by_cloudfront(story.outputs["prod"], image_path)
    assert (again.status_code, again.content) == (200, image.content)
    assert again.headers["Content-Type"] == image.headers["Content-Type"]
    assert again.headers["Cache-Control"] == image.headers["Cache-Control"]
    # The restored stage is independent: its keys work, and the other stage does not see its writes.
    answered(restored.post(MINE, world.one.token, json={"score": "13"}))
    assert answered(world.site.get(f"{MINE}?fields=score", world.one.token))["entry"][0]["data"] == {"score": "12"}
    refreshed = {"grant_type": "refresh_token", "refresh_token": world.one.refresh_token, **world.credentials}
    answered(restored.post("/2/token", data=refreshed))
    export = f"/admin/users/{world.one.id}/export"
    answered(restored.get(export, headers={"Authorization": f"Bearer {story.operator()}"}))


def test_what_was_restored_has_what_the_tables_had(story: Story) -> None:
    dynamodb = story.account.aws("dynamodb")
    for name in ("appdata", "directory", "grants", "records", "feeds", "comments", "favorites"):
        table = f"engawa-prod-{name}"
        said = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        assert said["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        living = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"]
        assert living == ("ENABLED" if name in ("grants", "records") else "DISABLED")


def test_destroying_dev_leaves_nothing_of_it(story: Story) -> None:
    story.account.deployment("dev").destroy()

    assert not [name for name in story.account.tables() if name.startswith("engawa-dev-")]
    buckets = [each["Name"] for each in story.account.aws("s3").list_buckets()["Buckets"]]
    assert sorted(buckets) == [f"engawa-deploy-{ACCOUNT}-ap-northeast-1", f"engawa-prod-{ACCOUNT}"]
    assert not story.account.stacks("engawa-dev")
    secrets = story.account.aws("secretsmanager").list_secrets()["SecretList"]
    assert not [each["Name"] for each in secrets if each["Name"].startswith("engawa-dev")]
    # Once more: there is nothing to delete, and no error.
    story.account.deployment("dev").destroy()


def test_destroying_prod_keeps_its_data_and_deploying_takes_them_in_again(story: Story) -> None:
    account, world = story.account, story.world
    assert world
    account.deployment("prod").destroy()
    assert not account.stacks("engawa-prod")
    assert len([name for name in account.tables() if name.startswith("engawa-prod-")]) == 8

    story.outputs["prod"] = account.deploy("prod", MonthlyBudget="0", Issuer=world.site.url)

    again = Site(account.base_url(story.outputs["prod"]))
    assert answered(again.get(f"{MINE}?fields=score", world.one.token))["entry"][0]["data"] == {"score": "13"}


def test_a_lost_region_is_restored_in_the_region_of_its_copy(story: Story) -> None:
    """The test runs "A lost region" in docs/operating/recovery.md, from prod to dev, which was destroyed."""
    account, world = story.account, story.world
    assert world
    copied = {"MonthlyBudget": "0", "Issuer": world.site.url, "CopyRegion": COPY_REGION}
    story.outputs["prod"] = account.deploy("prod", **copied)
    assert "Older images are copied once by: .venv/bin/python -m infra copy prod" in account.said
    account.replicate_images("prod")
    account.deployment("prod", **copied).complete_copy()
    assert account.said[-1].endswith("; 4 were copied now.")
    # These writes come after the copy was made.
    prod = Site(account.base_url(story.outputs["prod"]))
    answered(prod.post(MINE, world.one.token, json={"score": "14"}))
    parts = {"request": (None, json.dumps({"title": "海", "contentUri": f"{URI}/2"})), "image1": ("sea.png", png())}
    answered(prod.post(f"/2/pages/{world.page}/feeds", world.one.token, files=parts), 201)
    feeds = answered(prod.get(f"/2/pages/{world.page}/feeds", world.one.token))["entry"]

    # From here on, nothing is asked in the first region.
    account.deployment_elsewhere("prod", **copied).restore_into("dev")
    story.outputs["dev"] = account.deploy_elsewhere("dev", Issuer=world.site.url)
    account.deployment_elsewhere("prod", **copied).restore_into("dev")

    assert account.said[-1].startswith(f"engawa-dev-{ACCOUNT}: has the images that engawa-prod-{ACCOUNT}-copy had at ")
    restored = Site(account.base_url(story.outputs["dev"]))
    assert answered(restored.get(f"{MINE}?fields=score", world.one.token))["entry"][0]["data"] == {"score": "14"}
    assert answered(restored.get(f"/2/pages/{world.page}/feeds", world.one.token))["entry"] == feeds
    assert len(feeds) == 2
    for feed in feeds:
        path = feed["images"][0]["large"].removeprefix(world.site.url)
        assert account.by_cloudfront(story.outputs["dev"], path).content[:8] == b"\x89PNG\r\n\x1a\n"
    account.deployment_elsewhere("dev").destroy()
    assert not account.stacks("engawa-dev")


def test_a_bucket_of_somebody_else_is_told_before_anything_is_done(story: Story) -> None:
    other = story.account.as_another("999999999999")
    other.create_bucket(
        Bucket=f"engawa-dev-{ACCOUNT}", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )

    with pytest.raises(Refused, match=f"engawa-dev-{ACCOUNT} is already taken"):
        story.account.deploy("dev")

    assert not story.account.stacks("engawa-dev")
