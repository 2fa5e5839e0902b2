"""The fields of feeds and comments: the last allowed and first refused value of each."""

import pytest

from chalicelib.core.codecs.contents_json import read_comment, read_content_uri, read_draft
from chalicelib.core.errors import BadRequest, ParameterInvalid
from chalicelib.core.model.contents import Draft

DETAILS = "https://engawa.example/pages/"
URI = "http://quest.example/contents/1"


def uri_of(length: int) -> str:
    return URI[:21] + "a" * (length - 21)


KIB, LINK, IMAGE_URL = uri_of(1024), uri_of(4096), uri_of(2048)
WAVE, FAMILY = "𠮷", "👨‍👩‍👧"
"""One character that is two UTF-16 units; one picture that is five characters."""


def draft(**given: object) -> Draft:
    return read_draft({"title": "t"} | given, DETAILS)


def refusal(**given: object) -> str:
    with pytest.raises(ParameterInvalid) as caught:
        draft(**given)
    return caught.value.description


def test_every_field_is_read():
    body = {
        "title": "縁側",
        "body": "お茶\nとお菓子",
        "contentUri": URI,
        "urls": {"pcUrl": "http://pc.example/?a=%7B%22%7D", "mobileUrl": "", "smartphoneUrl": "https://sp.example"},
        "sourceId": "3",
        "imageUrls": ["http://images.example/photo1.jpeg"],
    }
    assert read_draft(body, DETAILS) == Draft(
        title="縁側",
        body="お茶\nとお菓子",
        pc_url="http://pc.example/?a=%7B%22%7D",
        mobile_url="",
        smartphone_url="https://sp.example",
        content_uri=URI,
        source="3",
        image_url="http://images.example/photo1.jpeg",
    )


def test_only_the_title_is_required():
    assert read_draft({"title": "t"}, DETAILS) == Draft("t")
    optional = ("body", "contentUri", "urls", "sourceId", "imageUrls")
    assert draft(**dict.fromkeys(optional)) == Draft("t")
    assert draft(imageUrls=[], urls={"pcUrl": None}, sourceId="", body="") == Draft("t")


def test_fields_that_nobody_knows_are_ignored():
    assert draft(feedId=5, urls={"tvUrl": 7}, images=[{}]) == Draft("t")


@pytest.mark.parametrize("body", [None, [], "title", 5, True, [{"title": "t"}]])
def test_what_is_no_object_is_a_bad_request(body):
    for read in (lambda: read_draft(body, DETAILS), lambda: read_comment(body)):
        with pytest.raises(BadRequest) as caught:
            read()
        assert (caught.value.error, caught.value.description) == ("bad_request", "The body must be a JSON object")


@pytest.mark.parametrize(
    "character", ["a", "縁", WAVE, "\u0301", " ", "\n", "\x00", "\x1f", "\u202e", "\ue63e", "\uffff"]
)
def test_lengths_are_characters_and_text_stays_as_it_came(character):
    title, body = character * 255, character * 10_000
    assert (draft(title=title).title, draft(body=body).body) == (title, body)
    assert read_comment({"comment": body}) == body
    assert refusal(title=title + character) == "title is too long (max=255)"
    assert refusal(body=body + character) == "body is too long (max=10000)"
    with pytest.raises(ParameterInvalid, match=r"comment is too long \(max=10000\)"):
        read_comment({"comment": body + character})


def test_a_picture_of_several_characters_counts_as_such():
    assert len(FAMILY) == 5
    assert draft(title=FAMILY * 51).title == FAMILY * 51
    assert refusal(title=FAMILY * 51 + "a") == "title is too long (max=255)"


def test_text_of_one_character_is_enough():
    assert draft(title="a").title == "a"
    assert read_comment({"comment": "a"}) == "a"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "title is missing"),
        ({"title": None}, "title is missing"),
        ({"title": ""}, "title must not be empty"),
        ({"Title": "t"}, "title is missing"),
    ],
)
def test_a_title_is_needed(body, said):
    with pytest.raises(ParameterInvalid) as caught:
        read_draft(body, DETAILS)
    assert caught.value.description == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "comment is missing"),
        ({"comment": None}, "comment is missing"),
        ({"comment": ""}, "comment must not be empty"),
        ({"comment": 5}, "comment must be a string"),
        ({"comment": ["a"]}, "comment must be a string"),
        ({"comment": "a\ud800"}, "comment is not valid Unicode (a lone surrogate)"),
    ],
)
def test_a_comment_is_needed_and_is_text(body, said):
    with pytest.raises(ParameterInvalid) as caught:
        read_comment(body)
    assert caught.value.description == said


@pytest.mark.parametrize("value", [5, 1.5, True, False, ["t"], {"t": "t"}])
@pytest.mark.parametrize("name", ["title", "body"])
def test_text_must_be_text(name, value):
    assert refusal(**{name: value}) == f"{name} must be a string"


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800"])
@pytest.mark.parametrize("name", ["title", "body"])
def test_lone_surrogates_are_no_text(name, text):
    assert refusal(**{name: text}) == f"{name} is not valid Unicode (a lone surrogate)"


@pytest.mark.parametrize("uri", [URI, KIB, "https://a", "HTTP://A.EXAMPLE:80/x?y=[z]#f", "http://[::1]:8080/"])
def test_a_content_uri_is_an_http_or_https_uri_of_up_to_1024_bytes(uri):
    assert draft(contentUri=uri).content_uri == read_content_uri(uri) == uri


NO_URIS = [
    "", " ", "a", "/a", "//a.example/", "http:", "http://", "http:///a", "http:a.example", "http://:80/", " http://a/",
    "http://a/\n", "http://a b/", "http://a/縁", "http://a:99999/", "http://a:x/", "http://u@a/", 'http://a/"', "http://a/<",
    "ftp://a.example/", "javascript:alert(1)", "data:,a", "mailto:a@a.example", "urn:a:b", "file:///etc/passwd", "http://[::1/",
    "http://a/\ud800", "http://a/\x00", "http://a/%zz", "http://a/%", 'http://a/?{"b":1}',
]  # fmt: skip


@pytest.mark.parametrize("value", [*NO_URIS, 5, True, [URI], {"uri": URI}])
def test_a_content_uri_is_nothing_else(value):
    assert refusal(contentUri=value).startswith("contentUri must be ")
    with pytest.raises(ParameterInvalid, match="contentUri must be "):
        read_content_uri(value)


def test_a_content_uri_of_1025_bytes_is_refused():
    assert len(KIB) == 1024
    assert refusal(contentUri=KIB + "a") == "contentUri is too long (max=1024)"


@pytest.mark.parametrize("uri", [DETAILS, f"{DETAILS}1/feeds/2"])
def test_the_urls_of_our_detail_pages_are_not_to_be_chosen(uri):
    assert refusal(contentUri=uri) == f"contentUri must not begin with {DETAILS}"
    assert read_content_uri(uri) == uri


@pytest.mark.parametrize(
    "uri", ["https://engawa.example/pages", "https://engawa.example/page/1", "http://engawa.example/pages/"]
)
def test_other_urls_of_ours_may_be(uri):
    assert draft(contentUri=uri).content_uri == uri


@pytest.mark.parametrize(
    ("name", "ours"), [("pcUrl", "pc_url"), ("mobileUrl", "mobile_url"), ("smartphoneUrl", "smartphone_url")]
)
class TestUrls:
    def test_each_is_an_http_or_https_uri_or_nothing(self, name, ours):
        for uri in ("", URI, LINK):
            assert getattr(draft(urls={name: uri}), ours) == uri
        assert getattr(draft(urls={name: None}), ours) == ""

    @pytest.mark.parametrize("value", [*NO_URIS[1:], 5, False, [URI]])
    def test_anything_else_is_refused_by_name(self, name, ours, value):
        assert refusal(urls={name: value}).startswith(f"urls.{name} must be ")

    def test_it_is_refused_from_4097_bytes(self, name, ours):
        assert refusal(urls={name: LINK + "a"}) == f"urls.{name} is too long (max=4096)"


@pytest.mark.parametrize("value", ["", URI, [], [URI], 5, False, 0])
def test_urls_are_an_object(value):
    assert refusal(urls=value) == "urls must be an object"


@pytest.mark.parametrize(
    ("value", "read"), [("3", "3"), ("999999999", "999999999"), (3, "3"), (999999999, "999999999")]
)
def test_a_source_is_the_id_of_a_module_also_as_a_number(value, read):
    assert draft(sourceId=value).source == read


@pytest.mark.parametrize(
    "value",
    [
        "0",
        "03",
        "1000000000",
        "-1",
        "+3",
        " 3",
        "3.0",
        "a",
        "３",
        "3\n",
        0,
        -3,
        1_000_000_000,
        pytest.param(10**5000, id="huge"),
        3.0,
        True,
        ["3"],
        {},
    ],
)
def test_a_source_is_nothing_else(value):
    assert refusal(sourceId=value) == "sourceId is not the id of a module"


@pytest.mark.parametrize("value", [URI, {"0": URI}, 5, True, ""])
def test_image_urls_are_a_list(value):
    assert refusal(imageUrls=value) == "imageUrls must be a list"


def test_there_is_one_image():
    assert draft(imageUrls=[IMAGE_URL]).image_url == IMAGE_URL
    assert refusal(imageUrls=[URI, URI]) == "imageUrls has too many entries (max=1)"
    assert refusal(imageUrls=[IMAGE_URL + "a"]) == "imageUrls is too long (max=2048)"


@pytest.mark.parametrize("value", [*NO_URIS, None, 5, [URI]])
def test_an_image_url_is_an_http_or_https_uri(value):
    assert refusal(imageUrls=[value]).startswith("imageUrls must be ")
