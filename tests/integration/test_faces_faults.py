"""Every request of every face keeps its promises whatever becomes of whichever call to AWS, and wherever it dies.

For each request, each trouble and each call: it is answered right, or with a 503 that says when to come again and has
changed nothing (unless an answer was lost); the same request sent again, to another process where the first one died,
ends right; and all tables agree with one another at every moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from chalicelib.core import passwords
from local import keys
from tests.integration.contents import one_after_the_other
from tests.integration.faces import Faces
from tests.integration.faces_deeds import DEEDS, Deed, prepare
from tests.integration.suffering import Ground, Scene, suffer
from tests.integration.troubles import TROUBLES


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Deed], Scene]]:
    directory = tmp_path_factory.mktemp("keys")
    keys.ensure(directory / "token-keys.json")
    keys.ensure_secret(directory / "secret-keys.json")
    keys.ensure_launch(directory / "launch-keys.json")

    @cache
    def ground(cold: bool) -> Ground:
        return Ground(lambda cloud, client: Faces(directory, cloud, client, cold=cold and client is not cloud))

    @cache
    def make(deed: Deed) -> Scene:
        return Scene(deed, ground(deed.cold), prepare)

    with pytest.MonkeyPatch.context() as patches, one_after_the_other():
        patches.setattr(passwords, "N", 16)  # What a hash costs is not what is tried here.
        yield make


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_trouble_breaks_no_promise(scene: Callable[[Deed], Scene], deed: Deed) -> None:
    here = scene(deed)
    outcome, _, _ = here.right(1)
    assert outcome == "done" or outcome[:3] in ("200", "201", "204", "302", "303", "403")
    for trouble in TROUBLES:
        suffer(here, trouble, "faces")
