"""JSON-RPC: the requests in a body, the response to each, and the error codes of refusals."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.core import errors
from chalicelib.core.codecs import jsonrpc
from chalicelib.core.codecs.jsonrpc import MOST_REQUESTS, WHOLE, Call, Fault, failure, fault_of, read, success
from chalicelib.core.errors import Refusal

CALL = {"id": "1", "method": "appdata.get", "params": {"userId": "@me"}}
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "method", "params", "x"]), inner)
    ),
    max_leaves=12,
)


def the_call(request: object) -> Call:
    (call,), batch = read([request])
    assert batch
    return call


def fault_in(request: object) -> tuple[int, Any]:
    """Return the error code of one request of a batch, and the mark of its response."""
    call = the_call(request)
    assert call.fault
    return call.fault.code, call.mark


def test_one_request() -> None:
    assert read(CALL) == ([Call({"id": "1"}, "appdata.get", {"userId": "@me"})], False)


def test_a_batch_in_order() -> None:
    calls, batch = read([CALL | {"id": turn} for turn in (3, 1, 2)])
    assert batch
    assert [call.mark["id"] for call in calls] == [3, 1, 2]


@pytest.mark.parametrize("body", [[], None, 5, "x", True, 1.5])
def test_what_is_no_batch(body: object) -> None:
    with pytest.raises(Fault) as caught:
        read(body)
    assert caught.value.code == -32600
    assert caught.value.message == "The body must be a JSON-RPC request or a batch of them"


def test_as_many_requests_as_allowed() -> None:
    assert len(read([CALL] * MOST_REQUESTS)[0]) == MOST_REQUESTS == 100
    for more in (MOST_REQUESTS + 1, 1_000):
        with pytest.raises(Fault) as caught:
            read([CALL] * more)
        assert (caught.value.code, caught.value.message) == (400, "Too many requests in one batch (max=100)")


@pytest.mark.parametrize("request_id", ["", "a", 0, -1, 10**400, 1.5, None, "縁" * 1000])
def test_an_id_comes_back_as_it_was(request_id: object) -> None:
    assert the_call(CALL | {"id": request_id}).mark == {"id": request_id}


def test_a_request_without_an_id_has_an_answer_without_one() -> None:
    call = the_call({"method": "appdata.get"})
    assert call == Call({}, "appdata.get", {})
    assert success(call, 1) == {"jsonrpc": "2.0", "result": 1, "data": 1}


@pytest.mark.parametrize("params", [{}, {"params": None}, {"params": {}}, {"params": []}])
def test_params_may_be_absent(params: dict[str, object]) -> None:
    assert the_call({"id": 1, "method": "m"} | params) == Call({"id": 1}, "m", {})


@pytest.mark.parametrize("request_id", [True, False, [], {}, ["1"], float("inf"), "\ud800"])
def test_an_id_of_another_type_is_no_request(request_id: object) -> None:
    assert fault_in(CALL | {"id": request_id}) == (-32600, {"id": None})


@pytest.mark.parametrize("element", [1, "x", None, [], [CALL], True])
def test_what_is_no_request_in_a_batch(element: object) -> None:
    assert fault_in(element) == (-32600, {"id": None})


@pytest.mark.parametrize("method", [None, 1, [], {"a": 1}])
def test_a_method_that_is_no_name(method: object) -> None:
    assert fault_in(CALL | {"method": method}) == (-32600, {"id": "1"})


@pytest.mark.parametrize("params", [["@me"], [None], "x", 5, True, False, 0, ""])
def test_params_that_are_no_object(params: object) -> None:
    assert fault_in(CALL | {"params": params}) == (-32602, {"id": "1"})


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (7, "A request must be an object"),
        (CALL | {"id": True}, "id must be a string or a number"),
        (CALL | {"id": "\udfff"}, "id must be a string or a number"),
        (CALL | {"method": 7}, "method must be a string"),
        (CALL | {"params": ["@me"]}, "params must be an object"),
    ],
)
def test_what_is_no_request_is_told(request_: object, said: str) -> None:
    fault = the_call(request_).fault
    assert fault
    assert (fault.message, str(fault)) == (said, said)


@given(json)
def test_any_object_is_a_request_and_any_list_a_batch(body: object) -> None:
    assume(isinstance(body, dict) or (isinstance(body, list) and body))
    calls, batch = read(body)
    assert batch == isinstance(body, list)
    assert len(calls) == (len(body) if isinstance(body, list) else 1)
    for call in calls:
        assert isinstance(call.method, str)
        assert isinstance(call.params, dict)


def test_a_result_stands_under_both_names() -> None:
    assert success(Call({"id": 7}), {"a": "b"}) == {
        "jsonrpc": "2.0",
        "id": 7,
        "result": {"a": "b"},
        "data": {"a": "b"},
    }


def test_an_error_has_a_code_and_a_message_and_no_result() -> None:
    assert failure(Call({"id": 7}), Fault(403, "No")) == {
        "jsonrpc": "2.0",
        "id": 7,
        "error": {"code": 403, "message": "No"},
    }
    assert failure(WHOLE, Fault(-32700, "x"))["id"] is None
    assert failure(WHOLE, Fault(400, "x", {"error": "y"}))["error"] == {
        "code": 400,
        "message": "x",
        "data": {"error": "y"},
    }


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (errors.TooFrequent(retry_after=7), 417),
        (errors.QuotaExceeded("full"), 417),
        (errors.ParameterInvalid("Too many keys (max=10000)"), 400),
        (errors.BadRequest(), 400),
        (errors.TooLarge("Too many key/value pairs (max=99)"), 400),
        (errors.NotFound(), 400),
        (errors.PermissionDenied(), 403),
        (errors.InsufficientScope("mixi_apps2"), 403),
        (errors.Unavailable(retry_after=2), 500),
        (errors.InternalError(), 500),
    ],
)
def test_codes(refusal: Refusal, code: int) -> None:
    fault = fault_of(refusal)
    assert (fault.code, fault.message) == (code, refusal.description)
    assert fault.data
    assert fault.data["error"] == refusal.error
    assert fault.data.get("retryAfter") == getattr(refusal, "retry_after", None)


def test_a_batch_is_over_before_lambda_is() -> None:
    """A function behind API Gateway has 29 seconds, and one request may wait some of them because of races."""
    assert jsonrpc.SECONDS <= 20
