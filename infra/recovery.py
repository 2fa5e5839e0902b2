"""The restoration of a stage, of its images, and its copy in another region (docs/operating/recovery.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml

from infra import combine, images, keys, places, region_copy, restore, stage_settings
from infra.refusals import Refused, in_a_sentence
from infra.stage import Stage


class Recovery(Stage):
    """What brings a stage's data back, and what must be kept for that."""

    def restore_into(self, target: str, at: datetime | None = None) -> None:
        """Restore the tables as of a time and copy the keys, for a stage that is deployed later; then the images.

        The images follow in the first run after that deployment, which makes their bucket. In `CopyRegion` everything
        is read from the copy. Raises Refused.
        """
        with in_a_sentence():
            stage_settings.checked_stage(target)
            if target == self.stage:
                raise Refused(f"{target} cannot be restored into itself; restore it into another stage.")
            moment = restore.tables(self._client("dynamodb"), self.stage, target, at, self._say)
            for name in keys.copy(self.keys(), self.stage, target):
                self._say(f"Copied the secret {keys.secret(target, name)}.")
            s3, bucket = self._session.client("s3", config=images.CONFIG), f"engawa-{target}-{self.account}"
            if places.exists(s3, bucket):
                images.copy(s3, self._images(), bucket, moment, self._say)
            else:
                self._say(f"The images follow: make deploy STAGE={target}, then run this command again.")

    def restore_images(self, at: datetime) -> None:
        """Restore deleted images of a time in place: from old versions, then from the copy. Raises Refused."""
        with in_a_sentence():
            s3 = self._session.client("s3", config=images.CONFIG)
            if not places.exists(s3, self.files_bucket):
                raise Refused(f"There is no bucket {self.files_bucket}: restore {self.stage} into another stage.")
            for source in (self.files_bucket, *([self._copy_bucket] if self.copy_region else [])):
                images.copy(s3, source, self.files_bucket, at, self._say)

    def complete_copy(self) -> None:
        """Complete the copy in `CopyRegion`, also by the images that are older than the copy. Raises Refused."""
        with in_a_sentence():
            if not self.copy_region:
                raise Refused(f"{self.stage} has no copy: set CopyRegion, and deploy it.")
            self._copy_tables_and_keys()
            s3 = self._session.client("s3", region_name=self.copy_region, config=images.CONFIG)
            images.copy(s3, self.files_bucket, self._copy_bucket, datetime.now(UTC), self._say)

    def drop_copy(self) -> None:
        """Delete the copy in `CopyRegion`, with all its data. Raises Refused."""
        with in_a_sentence():
            if not self.copy_region:
                raise Refused(f"{self.stage} has no copy: name its region, as in PARAMETERS=CopyRegion=ap-northeast-3.")
            if self._stack().outputs().get("CopyRegion") == self.copy_region:
                raise Refused(f"{self.stage} still copies to {self.copy_region}: deploy it without CopyRegion first.")
            region_copy.drop_secrets(self.keys(), self.stage, self.copy_region)
            self._delete_copy()

    def forget_images(self) -> None:
        """Delete all old versions of images for good, also those of the copy. Raises Refused."""
        with in_a_sentence():
            regions = {self.files_bucket: self.region} | (
                {self._copy_bucket: self.copy_region} if self.copy_region else {}
            )
            for bucket, region in regions.items():
                self._say(f"{bucket}: {images.forget(self._client('s3', region), bucket):,} old versions deleted.")

    def _images(self) -> str:
        """Return the bucket from which images are restored: the copy, if the other is in a lost region or deleted."""
        if self.copy_region and (
            self.region == self.copy_region or not places.exists(self._client("s3"), self.files_bucket)
        ):
            return self._copy_bucket
        return self.files_bucket

    def _deploy_copy(self, path: Path) -> None:
        """Deploy the stack of the copy in another region, if there is to be one. Raises Refused."""
        if not self.copy_region:
            return
        if self.copy_region == self.region:
            raise Refused(f"CopyRegion must be another region than {self.region}, in which {self.stage} is.")
        template = yaml.safe_load(path.read_text(encoding="utf-8"))
        combine.name(template, self.stage, self.account)
        body = yaml.safe_dump(template, sort_keys=False)
        if self._copy_stack().apply({"TemplateBody": body}, {"Stage": self.stage}, {"engawa": self.stage}):
            self._say(f"Older images are copied once by: .venv/bin/python -m infra copy {self.stage}")

    def _copy_tables_and_keys(self) -> None:
        if self.copy_region:
            here, there = self._client("dynamodb"), self._client("dynamodb", self.copy_region)
            region_copy.tables(here, there, self.stage, self._say)
            region_copy.secrets(self.keys(), self.stage, self.copy_region, self._say)

    def _delete_copy(self) -> None:
        """Delete the tables and the bucket of the copy; its secrets are deleted with their originals."""
        here, there = self._client("dynamodb"), self._client("dynamodb", self.copy_region)
        region_copy.drop_tables(here, there, self.stage, self._say)
        self._copy_stack().delete()
        self._delete_bucket(self._copy_bucket, self.copy_region)
