"""Forms as old clients send them, and malformed forms."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import BadRequest, ParameterInvalid, Refusal, TooLarge
from chalicelib.web.multipart import (
    MAX_BOUNDARY,
    MAX_HEADER,
    MAX_HEADERS,
    MAX_REQUEST,
    MultipartForm,
    holds_parts,
    is_multipart,
    read_fields,
    read_form,
)

TEXT = '{"title": "縁側"}'
FORM = "multipart/form-data; boundary=b0undary"
PIXELS = bytes(range(256)) * 20 + b"\r\n--no boundary\r\n\xff\xfe"


class Sent:
    """A stand-in for a request."""

    def __init__(self, body: bytes, content_type: str | None) -> None:
        self.raw_body = body
        self.headers = {} if content_type is None else {"content-type": content_type}


def part(name: str, content: bytes, *headers: str, disposition: str = "") -> bytes:
    lines = [f'Content-Disposition: form-data; name="{name}"{disposition}', *headers, "", ""]
    return b"--b0undary\r\n" + "\r\n".join(lines).encode() + content + b"\r\n"


REQUEST = part("request", TEXT.encode())
IMAGE = part("image1", PIXELS, "Content-Type: image/jpeg", disposition='; filename="attached image1.jpg"')
END = b"--b0undary--\r\n"


def read(body: bytes, content_type: str | None = FORM) -> MultipartForm:
    sent: Any = Sent(body, content_type)
    return read_form(sent)


def refused(
    body: bytes, kind: type[Refusal], content_type: str | None = "multipart/form-data; boundary=b0undary"
) -> str:
    with pytest.raises(Refusal) as caught:
        read(body, content_type)
    assert type(caught.value) is kind
    return caught.value.description


def test_a_text_and_an_image_in_either_order():
    assert read(REQUEST + IMAGE + END) == MultipartForm(TEXT, PIXELS)
    assert read(IMAGE + REQUEST + END) == MultipartForm(TEXT, PIXELS)


def test_a_text_alone():
    assert read(REQUEST + END) == MultipartForm(TEXT, None)


@pytest.mark.parametrize("disposition", ["", '; filename=""', "; filename="])
def test_a_file_that_was_not_chosen_is_no_image(disposition):
    """Browsers send this for an empty file field, and programs for a field without a value."""
    for headers in ([], ["Content-Type: application/octet-stream"]):
        empty = part("image1", b"", *headers, disposition=disposition)
        assert read(REQUEST + empty + END) == read(empty + REQUEST + END) == MultipartForm(TEXT, None)


def test_an_image_without_bytes_is_there_by_its_name():
    """Its bytes were lost: the request fails, and the feed is not posted without its image."""
    assert read(REQUEST + part("image1", b"", disposition='; filename="a.png"') + END) == MultipartForm(TEXT, b"")


@pytest.mark.parametrize("disposition", ["", '; filename=""'])
def test_an_image_without_a_name_is_there_by_its_bytes(disposition):
    assert read(REQUEST + part("image1", PIXELS, disposition=disposition) + END) == MultipartForm(TEXT, PIXELS)


def test_what_the_old_ios_sdk_sends():
    boundary = "__mixi_kflLKJllkjdasfoooip348unb-1424242__"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="request"\r\n\r\n{TEXT}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="image1"; filename="1300000000.12345""\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode() + PIXELS + f"\r\n--{boundary}--\r\n\r\n".encode()  # fmt: skip
    assert read(body, f"multipart/form-data; boundary={boundary}") == MultipartForm(TEXT, PIXELS)


@pytest.mark.parametrize(
    "image",
    [
        part("image1", PIXELS),
        part("image1", PIXELS, disposition='; filename="1300000000"'),
        part("image1", PIXELS, "Content-Type: text/html", disposition='; filename="../../etc/passwd"'),
        part("image1", PIXELS, "content-type: IMAGE/PNG", disposition="; filename=a.png"),
        part("image1", PIXELS, disposition='; filename=""'),
        part("image1", PIXELS, disposition='; filename="a\\"b.jpg"; filename*=UTF-8\'\'%E7%B8%81.jpg'),
        part("image1", PIXELS, disposition='; filename="縁側.jpg"'),
        part("image1", PIXELS, "Content-Transfer-Encoding: binary", f"Content-Length: {len(PIXELS)}"),
    ],
)
def test_names_and_types_of_an_image_do_not_matter(image):
    assert read(REQUEST + image + END) == MultipartForm(TEXT, PIXELS)


def test_a_file_name_in_any_encoding():
    named = part("image1", PIXELS, disposition='; filename="NAME"').replace(b"NAME", "縁側".encode("shift_jis"))
    assert read(REQUEST + named + END) == MultipartForm(TEXT, PIXELS)


def test_names_without_quotes_and_headers_of_the_text():
    plain = (
        b"--b0undary\r\nContent-Type: text/plain; charset=US-ASCII\r\nContent-Disposition: form-data; name=request\r\n"
    )
    assert read(plain + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + TEXT.encode() + b"\r\n" + END) == MultipartForm(
        TEXT, None
    )


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/form-data; boundary="b0undary"', "b0undary"),
        ("Multipart/Form-Data;charset=utf8;Boundary=b0undary", "b0undary"),
        ("multipart/form-data; boundary=----=_Part_1:2/3", "----=_Part_1:2/3"),
        ('multipart/form-data; boundary="a b, c; d"; x=y', "a b, c; d"),
        ("multipart/form-data; boundary=" + "x" * MAX_BOUNDARY, "x" * MAX_BOUNDARY),
    ],
)
def test_boundaries(content_type, boundary):
    body = (REQUEST + IMAGE + END).replace(b"b0undary", boundary.encode())
    assert read(body, content_type) == MultipartForm(TEXT, PIXELS)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary=縁側",
        "multipart/form-data; boundary=" + "x" * (MAX_BOUNDARY + 1),
        "multipart/form-data; xboundary=b0undary",
    ],
)
def test_without_a_boundary(content_type):
    told = refused(REQUEST + END, BadRequest, content_type)
    assert told == f"The content type must have a boundary (max={MAX_BOUNDARY} characters)"


@pytest.mark.parametrize("content_type", [None, "", "application/json", "multipart/mixed; boundary=b0undary"])
def test_what_is_no_form(content_type):
    sent: Any = Sent(b"", content_type)
    assert not is_multipart(sent)
    assert refused(REQUEST + END, BadRequest, content_type) == "The content type must be multipart/form-data"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        REQUEST,
        REQUEST + IMAGE,
        (REQUEST + END)[:-4],
        (REQUEST + END).replace(b"\r\n", b"\n"),
        b"--another\r\n\r\n--another--",
        b"--b0undary\r\n\r\nno headers\r\n" + END,
        b"--b0undary\r\nContent-Type: text/plain\r\n\r\nno name\r\n" + END,
        b"--b0undary\r\nContent-Disposition: attachment; name=request\r\n\r\n{}\r\n" + END,
        b"--b0undary\r\nContent-Disposition\r\n\r\n{}\r\n" + END,
        b"--b0undary\r\nContent-Disposition: form-data; name=request\r\n" + END,
        part("request", b"{}", "Content-Length: 3") + END,
        part("request", b"{}", "Content-Length: 1") + END,
        part("request", b"{}", "Content-Length: x") + END,
        REQUEST.replace(b"b0undary", b"b0undaryX") + END.replace(b"b0undary", b"b0undaryX"),
    ],
)
def test_a_broken_form(body):
    assert refused(body, BadRequest).startswith("The multipart body is broken: ")


def test_a_form_without_the_text():
    assert refused(IMAGE + END, ParameterInvalid) == 'The part "request" is missing'
    assert refused(END, ParameterInvalid) == 'The part "request" is missing'


@pytest.mark.parametrize("name", ["image", "Request", "image1 ", "", "request\\", "photo"])
def test_a_part_of_another_name(name):
    told = refused(REQUEST + part(name, b"x") + END, ParameterInvalid)
    assert told == 'The parts must be named "request" and "image1"; there is no other'


@pytest.mark.parametrize("name", ["image2", "image01"])
def test_a_second_image(name):
    told = refused(REQUEST + IMAGE + part(name, PIXELS) + END, ParameterInvalid)
    assert told == 'The parts must be named "request" and "image1"; only one image can be attached'


@pytest.mark.parametrize(("name", "twice"), [("request", REQUEST), ("image1", IMAGE)])
def test_a_part_that_stands_twice(name, twice):
    assert (
        refused(REQUEST + IMAGE + twice + END, ParameterInvalid)
        == f'The part "{name}" appears twice; only one is allowed'
    )


@pytest.mark.parametrize("encoding", ["base64", "Quoted-Printable"])
def test_a_part_in_a_transfer_encoding(encoding):
    told = refused(REQUEST + part("image1", b"eA==", f"Content-Transfer-Encoding: {encoding}") + END, BadRequest)
    assert told == 'The part "image1" must be sent as it is, without a transfer encoding'


def test_a_text_that_is_not_utf_8():
    assert refused(part("request", b"\xff") + END, BadRequest) == 'The part "request" is not UTF-8'


def test_the_longest_text():
    longest = b"x" * MAX_REQUEST
    assert read(part("request", longest) + END).request == longest.decode()
    told = refused(part("request", longest + b"x") + END, TooLarge)
    assert told == f'The part "request" is too large (max={MAX_REQUEST} bytes)'


def test_the_longest_header_and_the_most_headers():
    line = "X-Long: " + "x" * (MAX_HEADER - len("X-Long: "))
    more = [f"X-{number}: 1" for number in range(MAX_HEADERS - 1)]
    assert read(part("request", TEXT.encode(), line) + END).request == TEXT
    assert read(part("request", TEXT.encode(), *more) + END).request == TEXT
    for headers in ([line + "x"], [*more, "X-One-More: 1"]):
        told = refused(part("request", TEXT.encode(), *headers) + END, TooLarge)
        assert told == f"A part has too many headers (max={MAX_HEADERS}) or too long ones (max={MAX_HEADER} bytes)"


def test_what_stands_before_and_behind_is_no_part():
    assert read(b"a preamble\r\n" + REQUEST + END + b"an epilogue") == MultipartForm(TEXT, None)


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 60))
def test_whatever_is_broken_is_a_refusal_of_a_client_s_mistake(noise, place, length):
    body = REQUEST + part("image1", b"pixels") + END
    try:
        form = read(body[:place] + noise + body[place + length :])
    except (BadRequest, ParameterInvalid, TooLarge):
        return
    assert isinstance(form.request, str)


# Plain forms

SECRET = part("client_secret", "秘密 &=%41".encode())


def fields(body: bytes, most: int = 50) -> dict[str, str]:
    sent: Any = Sent(body, FORM)
    return read_fields(sent, most)


def test_the_fields_of_a_form_are_texts():
    assert fields(part("grant_type", b"x") + SECRET + END) == {"grant_type": "x", "client_secret": "秘密 &=%41"}
    assert fields(part("名", b"x", "Content-Type: text/plain") + END) == {"名": "x"}


def test_an_empty_field_is_as_good_as_absent():
    assert fields(part("scope", b"") + END) == {}
    assert fields(END) == {}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (part("a", b"1") + part("a", b"1") + END, "A parameter appears twice"),
        (part("a", b"1") + part("a", b"") + END, "A parameter appears twice"),
        (part("a", b"1") + part("b", b"1") + part("c", b"1") + END, "The form has too many parameters (max=2)"),
        (part("a", b"\xff") + END, "The parameters are not UTF-8"),
        (
            part("a", b"eA==", "Content-Transfer-Encoding: base64") + END,
            'The part "a" must be sent as it is, without a transfer encoding',
        ),
        (SECRET, "The multipart body is broken: Unexpected end of multipart stream (parser closed)"),
    ],
)
def test_what_is_no_form_of_fields(body, said):
    with pytest.raises(BadRequest) as caught:
        fields(body, 2)
    assert caught.value.description == said


@pytest.mark.parametrize(
    ("body", "content_type", "holds"),
    [
        (SECRET + END, FORM, True),
        (b"\r\n" + SECRET + END, FORM, True),
        (END, 'Multipart/Form-Data; boundary="b0undary"', True),
        (b"grant_type=x", FORM, False),
        (b"", FORM, False),
        (SECRET + END, "multipart/form-data", False),
        (SECRET + END, "application/x-www-form-urlencoded; boundary=b0undary", False),
        (SECRET + END, None, False),
    ],
)
def test_a_body_holds_parts_where_it_is_what_its_type_says(body, content_type, holds):
    sent: Any = Sent(body, content_type)
    assert holds_parts(sent) is holds
