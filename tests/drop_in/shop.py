"""A shop's pages as a program written for target-python-sdk 1.1.0: its import lines are that package's, on purpose.

``tests/test_drop_in.py`` puts the name of the package under test into the import lines, and changes nothing else.
"""

import json
import logging
import queue
import threading
import time
import uuid

from delivery_api_client import (
    Address,
    AuthenticatedState,
    ChannelType,
    Context,
    CustomerId,
    DeliveryRequest,
    ExecuteRequest,
    MboxRequest,
    MetricType,
    ModelProperty,
    Notification,
    NotificationMbox,
    NotificationView,
    OptionType,
    Order,
    PrefetchRequest,
    RequestDetails,
    ViewRequest,
    VisitorId,
)
from target_python_sdk import TargetClient
from target_python_sdk.cookies import LOCATION_HINT_COOKIE, TARGET_COOKIE

logger = logging.getLogger("shop")


class Shop:
    """The shop's pages; *browser* stands for the visitor's cookies: name -> value."""

    def __init__(self, settings):
        self.ready = ready = threading.Event()
        self.artifacts = artifacts = queue.Queue()

        def client_ready(_event):
            ready.set()

        def artifact_download_succeeded(event):
            artifacts.put((event["type"], event["artifact_location"], event["artifact_payload"]["version"]))

        def artifact_download_failed(event):
            artifacts.put((event["type"], event["artifact_location"], str(event["error"])))

        options = {
            "client": "acme",
            "organization_id": "1234567890@AdobeOrg",
            "timeout": 3000,
            "logger": logger,
            "telemetry_enabled": False,
            "events": {
                "client_ready": client_ready,
                "artifact_download_succeeded": artifact_download_succeeded,
                "artifact_download_failed": artifact_download_failed,
            },
        }
        options.update(settings)
        self.target_client = TargetClient.create(options)

    def home(self, browser, url="https://shop.example.com/"):
        """Decide the page's hero and the page load; return what is shown."""
        request = DeliveryRequest(
            context=self.context(url),
            execute=ExecuteRequest(
                page_load=RequestDetails(parameters={"query": "tents"}),
                mboxes=[MboxRequest(name="home-hero", index=1, parameters={"user.name": "Emma"})],
            ),
        )
        offers = self.target_client.get_offers(self.with_cookies(browser, {"request": request}))
        self.set_cookies(browser, offers)
        response = offers["response"]
        hero = response.execute.mboxes[0]
        assert hero.name == "home-hero"
        assert hero.index == 1
        page = [action for option in response.execute.page_load.options if option.type == OptionType.ACTIONS
                for action in option.content]  # fmt: skip
        return {
            "hero": [option.content for option in hero.options if option.type == OptionType.HTML],
            "page": [action["type"] if isinstance(action, dict) else action.type for action in page],
            "tnt_id": response.id.tnt_id,
            "method": offers.get("meta")["decisioning_method"],
            "logged": json.dumps(response.to_dict()),
        }

    def checkout(self, browser, customer, total):
        """Decide what a signed-in customer gets at the checkout."""
        visitor = VisitorId(
            tnt_id="emma.28_0",
            customer_ids=[
                CustomerId(id=customer, integration_code="crm", authenticated_state=AuthenticatedState.AUTHENTICATED)
            ],
        )
        mbox = MboxRequest(
            name="checkout-offer",
            index=0,
            parameters={"tier": "Gold", "basket.total": str(total)},
            profile_parameters={"member": "yes"},
            order=Order(id="o-1", total=total, purchased_product_ids=["tent", "stove"]),
        )
        request = DeliveryRequest(
            id=visitor, context=self.context("https://shop.example.com/checkout"), execute=ExecuteRequest(mboxes=[mbox])
        )
        offers = self.target_client.get_offers({"request": request, "session_id": "checkout-session"})
        self.set_cookies(browser, offers)
        return offers.get("response").execute.mboxes[0].options[0].content

    def newsletter(self, property_token):
        """Decide a text that depends on the property."""
        request = DeliveryRequest(
            id=VisitorId(tnt_id="emma.28_0"),
            _property=ModelProperty(token=property_token),
            context=Context(channel=ChannelType.WEB),
            prefetch=PrefetchRequest(mboxes=[MboxRequest(name="newsletter", index=0)]),
        )
        offers = self.target_client.get_offers({"request": request})
        return [option.content for option in offers["response"].prefetch.mboxes[0].options or []]

    def ranking(self, visitor):
        """Ask for a feature flag with its settings."""
        request = DeliveryRequest(id=VisitorId(tnt_id=visitor), context=Context(channel=ChannelType.WEB))
        attributes = self.target_client.get_attributes(["search-ranking"], {"request": request})
        tokens = attributes.get_response().get("response_tokens")
        return (
            attributes.get_value("search-ranking", "sort"),
            attributes.as_object("search-ranking")["pageSize"],
            tokens[0]["activity.name"],
        )

    def store(self, visitor):
        """Fetch views and an mbox in advance, show them, then tell that they were seen and clicked."""
        prefetch = PrefetchRequest(
            mboxes=[MboxRequest(name="home-hero", index=0)],
            views=[ViewRequest(name="cart", parameters={"total": "20"})],
        )
        request = DeliveryRequest(
            id=VisitorId(tnt_id=visitor), context=Context(channel=ChannelType.WEB), prefetch=prefetch
        )
        offers = self.target_client.get_offers({"request": request, "session_id": "store-session"})
        mbox, view = offers["response"].prefetch.mboxes[0], offers["response"].prefetch.views[0]
        notifications = [
            self.notification(MetricType.DISPLAY, mbox.options[0].event_token, mbox=NotificationMbox(name=mbox.name)),
            self.notification(MetricType.CLICK, view.options[0].event_token, view=NotificationView(name=view.name)),
        ]
        request = DeliveryRequest(
            id=VisitorId(tnt_id=visitor), context=Context(channel=ChannelType.WEB), notifications=notifications
        )
        answer = self.target_client.send_notifications({"request": request, "session_id": "store-session"})
        return answer["response"].status, [notification.id for notification in notifications]

    def recommendations(self, visitor, callback, err_callback):
        """Ask for what only the server decides, beside what can be decided anywhere, without waiting."""
        mboxes = [MboxRequest(name="recommendations", index=0), MboxRequest(name="device-banner", index=1)]
        request = DeliveryRequest(
            id=VisitorId(tnt_id=visitor),
            context=Context(channel=ChannelType.WEB, user_agent="Mozilla/5.0"),
            execute=ExecuteRequest(mboxes=mboxes),
        )
        return self.target_client.get_offers({"request": request, "callback": callback, "err_callback": err_callback})

    @staticmethod
    def context(url):
        address = Address(url=url, referring_url="https://www.google.com/search?q=tents")
        return Context(channel=ChannelType.WEB, time_offset_in_minutes=60, address=address)

    @staticmethod
    def notification(kind, token, **shown):
        now_ms = int(time.time() * 1000)
        return Notification(id=uuid.uuid4().hex, type=kind, timestamp=now_ms, tokens=[token], **shown)

    @staticmethod
    def with_cookies(browser, options):
        options["target_cookie"] = browser.get(TARGET_COOKIE)
        options["target_location_hint"] = browser.get(LOCATION_HINT_COOKIE)
        return options

    @staticmethod
    def set_cookies(browser, offers):
        for key in ("target_cookie", "target_location_hint_cookie"):
            cookie = offers.get(key)
            if cookie:
                assert cookie["maxAge"] > 0
                browser[cookie["name"]] = cookie["value"]
