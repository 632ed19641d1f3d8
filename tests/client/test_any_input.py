"""Whatever a call is given, it answers or raises one of the package's documented errors, and raises nothing later."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.delivery_api import DeliveryApi, json_answer
from target_decisioning import TargetClient
from target_decisioning.errors import TargetError
from tests.client.parts import ORGANIZATION, asking, places

SETTINGS = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
CALLS = ["get_offers", "get_attributes", "send_notifications"]


def one_of(words):
    return st.sampled_from(words.split())


def trees_of(keys, leaves):
    """Objects and lists that are nested as one likes, with likely keys."""
    return st.recursive(
        leaves,
        lambda inner: st.dictionaries(keys, inner, max_size=4) | st.lists(inner, max_size=3),
        max_leaves=12,
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ANYTHING = JSON | st.binary(max_size=5) | st.just(object()) | st.just(print) | st.sets(st.integers(), max_size=2)
METHODS = one_of("on-device hybrid server-side")
NAMES = one_of("local-1 remote-1 both view-1 target-global-mbox")

CALL_OPTIONS = st.dictionaries(
    one_of(
        "request target_cookie target_location_hint consumer_id customer_ids session_id decisioning_method visitor "
        "visitor_cookie strict callback err_callback unknown self options"
    )
    | st.text(max_size=8),
    ANYTHING,
    max_size=5,
)
CLIENT_OPTIONS = st.dictionaries(
    one_of(
        "client organization_id decisioning_method timeout server_domain secure target_location_hint property_token "
        "environment_id environment artifact_payload artifact_format polling_interval maximum_wait_ready events logger "
        "telemetry_enabled strict background session proxies"
    )
    | st.text(max_size=8),
    ANYTHING,
    max_size=6,
)
REQUEST_KEYS = one_of(
    "id context execute prefetch property experienceCloud trace notifications qaMode telemetry mboxes views pageLoad "
    "name index key parameters address url geo ipAddress order tntId customerIds token channel userAgent clientHints "
    "platform latitude timeOffsetInMinutes"
)
REQUESTS = st.dictionaries(REQUEST_KEYS, trees_of(REQUEST_KEYS, JSON | NAMES), max_size=5)
ANSWER_KEYS = one_of(
    "status id execute prefetch edgeHost notifications telemetryServerToken mboxes views pageLoad name index options "
    "content type tntId trace analytics responseTokens"
)
ANSWERS = st.dictionaries(ANSWER_KEYS, trees_of(ANSWER_KEYS, JSON | NAMES), max_size=5)
COOKIES = st.text(alphabet="session#PC|%.0123456789_9aé\n\x00/@", max_size=80)


@pytest.fixture(scope="module")
def api():
    with DeliveryApi(refuse_invalid=False) as server:
        yield server


@pytest.fixture(scope="module")
def client(api):
    """It has sent all that it owes in the end, whatever it was given."""
    with TargetClient.create(
        client="acme",
        organization_id=ORGANIZATION,
        decisioning_method="hybrid",
        artifact_payload=places(),
        server_domain=api.authority,
        secure=False,
    ) as client:
        yield client
        assert client.flush(20)


def use(answer):
    """Read all of an answer."""
    answer.to_wire()
    list(answer.items())
    repr(answer)


@pytest.mark.parametrize("call", CALLS)
def test_any_options(client, call):
    @SETTINGS
    @given(options=ANYTHING | CALL_OPTIONS, keywords=CALL_OPTIONS, names=ANYTHING)
    def run(options, keywords, names):
        arguments = (names, options) if call == "get_attributes" else (options,)
        keywords = {name: value for name, value in keywords.items() if name not in ("self", "options")}
        with contextlib.suppress(TargetError):
            getattr(client, call)(*arguments, **keywords)

    run()


@pytest.mark.parametrize("call", CALLS)
def test_any_request(client, call):
    @SETTINGS
    @given(request=REQUESTS, method=METHODS)
    def run(request, method):
        arguments = (["local-1", "remote-1"],) if call == "get_attributes" else ()
        with contextlib.suppress(TargetError):
            answer = getattr(client, call)(*arguments, request=request, decisioning_method=method)
            use(answer.get_response() if call == "get_attributes" else answer)

    run()


@SETTINGS
@given(cookie=COOKIES, hint=COOKIES, session=COOKIES, visitor=COOKIES, method=METHODS)
def test_any_cookie_hint_and_session(client, cookie, hint, session, visitor, method):
    options = {"target_cookie": cookie, "target_location_hint": hint, "session_id": session, "visitor_cookie": visitor}
    with contextlib.suppress(TargetError):
        use(client.get_offers(request=asking(mboxes="local-1 remote-1"), decisioning_method=method, **options))


@pytest.mark.parametrize("call", CALLS)
def test_any_answer_of_the_server(client, api, call):
    request = {
        **asking(mboxes="local-1 remote-1", page_load=True),
        "prefetch": {"views": [{"name": "remote-view"}]},
        "notifications": [{"id": "n", "type": "click", "timestamp": 1}],
    }

    @SETTINGS
    @given(body=ANSWERS)
    def run(body):
        api.always(json_answer(body))
        with contextlib.suppress(TargetError):
            if call == "get_attributes":
                client.get_attributes(["remote-1"], request=request).as_object()
            else:
                use(getattr(client, call)(request=request))

    try:
        run()
    finally:
        api.always(None)


@SETTINGS
@given(options=CLIENT_OPTIONS, is_named=st.booleans())
def test_any_options_of_a_client(options, is_named):
    """Made without a network: a payload decides, and nothing is fetched."""
    own = {"client": "acme", "organization_id": ORGANIZATION} if is_named else {}
    own |= {"artifact_payload": "{}", "learn_location_hint": False, "maximum_wait_ready": 0}
    with contextlib.suppress(TargetError):
        TargetClient.create({**own, **options}).close(0)
