"""The client: what a program creates once and asks for offers ever after.

    TargetClient.create(...) --> get_offers(request=...) --> TargetDeliveryResponse

A call is read and prepared (``preparation``), answered here or by the server (``answering``), and reported
(``reporting``). Source: semantics.md 1.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar, Unpack, overload

from target_decisioning.answering import SERVER_SIDE, Answering
from target_decisioning.artifact import ArtifactKeeper
from target_decisioning.attributes import Attributes, add_mboxes
from target_decisioning.callbacks import CallbackPool
from target_decisioning.config import ClientOptions, Config, read_config
from target_decisioning.delivery import TargetDeliveryResponse
from target_decisioning.delivery.kinds import nearest
from target_decisioning.errors import ClientClosed, ConfigError, RequestError
from target_decisioning.events import CLIENT_READY, EVENTS, Listeners
from target_decisioning.forks import process
from target_decisioning.http import Transport
from target_decisioning.ids import new_id
from target_decisioning.log import GuardedLogger, warn
from target_decisioning.on_device import OnDevice, compiler
from target_decisioning.preparation import (
    WHOLE_REQUEST,
    Call,
    CallKeywords,
    check_offers_asked,
    in_wire_form,
    prepare,
    read_call,
    read_options,
    unknown_keys,
)
from target_decisioning.readiness import Readiness
from target_decisioning.remote import DeliveryApi
from target_decisioning.remote.hint import LocationHint
from target_decisioning.reporting import Reporting
from target_decisioning.telemetry import Telemetry
from target_decisioning.under_way import UnderWay

if TYPE_CHECKING:
    from multiprocessing.pool import AsyncResult

Answer = TypeVar("Answer")
Options = Mapping[str, Any] | None
CALLS_TO_LOOK_THROUGH = 20
"""A client's first calls, in which misspelt keys are looked for."""


class TargetClient:
    """Decides Adobe Target offers in this process, and asks the server for what cannot be decided here.

    One client serves all threads of a process. Make it with ``TargetClient.create``; it is a context manager, and
    ``close`` ends it.
    """

    _config: Config
    _is_closed: bool
    _under_way: UnderWay
    _location_hint: LocationHint
    _listeners: Listeners
    _readiness: Readiness
    _callbacks: CallbackPool
    _transport: Transport
    _telemetry: Telemetry
    _reporting: Reporting
    _keeper: ArtifactKeeper | None
    _on_device: OnDevice | None
    _answering: Answering

    def __init__(self, *_args: Any, **_keywords: Any) -> None:
        raise ConfigError("Please use TargetClient.create static method instead")

    @classmethod
    def create(
        cls, options: ClientOptions | Mapping[str, Any] | None = None, **keywords: Unpack[ClientOptions]
    ) -> Self:
        """Create a client; options come as a mapping, as keywords, or both.

        Blocks for the first artifact at most ``maximum_wait_ready`` (default 5000 ms), then returns whether or not
        one came.

        Raises:
            ConfigError: an option is missing, unknown or wrong.
        """
        client = object.__new__(cls)
        client._build(read_config(options, keywords))
        client._start()
        return client

    @overload
    def get_offers(
        self,
        options: Options = None,
        *,
        callback: Callable[[TargetDeliveryResponse], Any],
        **keywords: Unpack[CallKeywords],
    ) -> AsyncResult[TargetDeliveryResponse]: ...

    @overload
    def get_offers(
        self, options: Options = None, *, callback: None = None, **keywords: Unpack[CallKeywords]
    ) -> TargetDeliveryResponse: ...

    def get_offers(self, options: Options = None, **keywords: Any) -> Any:
        """Decide the offers that a request asks for.

        Args:
            options: ``request`` (a DeliveryRequest or its wire form), ``target_cookie``, ``session_id``,
                ``decisioning_method``, ...; also as keywords (semantics.md 1.2).

        Returns:
            The envelope; with ``callback`` an ``AsyncResult`` of it.

        Raises:
            RequestError: what was asked cannot be read; also raised here where there is a ``callback``.
            ArtifactUnavailable, ArtifactUnsupported: ``on-device``, and there is nothing to decide from; also
                ``hybrid``, if the artifact is too old and ``stale_policy`` is ``fail``.
            DeliveryError, DeliveryTimeout: the server was needed and gave no answer.
            ClientClosed: after ``close``.
        """
        if self._is_closed:
            raise ClientClosed("get_offers")
        thread_id, under_way = threading.get_ident(), self._under_way.thread_ids
        under_way.append(thread_id)
        try:  # as ``with self._under_way``, without a call for it
            if self._is_closed:  # again: from here on ``close`` waits
                raise ClientClosed("get_offers")
            call = read_call(options, keywords)
            check_offers_asked(call.request)
            self._prepare(call)
            if call.callback is call.err_callback is None and self._config.background:
                return self._offers(call)  # as _run does, at once: it is what most calls are
            return self._run(call, lambda: self._offers(call))
        finally:
            under_way.remove(thread_id)

    @overload
    def get_attributes(
        self,
        mbox_names: Iterable[str],
        options: Options = None,
        *,
        callback: Callable[[Attributes], Any],
        **keywords: Unpack[CallKeywords],
    ) -> AsyncResult[Attributes]: ...

    @overload
    def get_attributes(
        self,
        mbox_names: Iterable[str],
        options: Options = None,
        *,
        callback: None = None,
        **keywords: Unpack[CallKeywords],
    ) -> Attributes: ...

    def get_attributes(self, mbox_names: Iterable[str], options: Options = None, **keywords: Any) -> Any:
        """Decide mboxes and give their JSON offers as attributes.

        Args:
            mbox_names: those that the request does not ask for yet are asked for with ``execute``.
            options: as ``get_offers``; ``request`` may be left out.

        Returns:
            ``Attributes``; with ``callback`` an ``AsyncResult`` of it.

        Raises:
            As ``get_offers``.
        """
        self._check_open("get_attributes")
        with self._under_way:
            self._check_open("get_attributes")  # again: from here on ``close`` waits
            call = read_options(options, keywords, may_be_empty=True)
            given = call.request
            asked = {"context": {"channel": "web"}} if given is None else in_wire_form(given, may_be_empty=True)
            call.request = add_mboxes(asked, mbox_names)
            check_offers_asked(call.request)
            self._prepare(call)
            return self._run(call, lambda: Attributes(self._offers(call)))

    @overload
    def send_notifications(
        self,
        options: Options = None,
        *,
        callback: Callable[[TargetDeliveryResponse], Any],
        **keywords: Unpack[CallKeywords],
    ) -> AsyncResult[TargetDeliveryResponse]: ...

    @overload
    def send_notifications(
        self, options: Options = None, *, callback: None = None, **keywords: Unpack[CallKeywords]
    ) -> TargetDeliveryResponse: ...

    def send_notifications(self, options: Options = None, **keywords: Any) -> Any:
        """Send the request's ``notifications`` to the server, whatever the decisioning method is.

        Returns:
            The envelope; with ``callback`` an ``AsyncResult`` of it.

        Raises:
            RequestError: there is nothing to send, or it cannot be read.
            DeliveryError, DeliveryTimeout: the server gave no answer.
            ClientClosed: after ``close``.
        """
        self._check_open("send_notifications")
        with self._under_way:
            self._check_open("send_notifications")  # again: from here on ``close`` waits
            call = read_call(options, keywords)
            told = call.request.get("notifications") or call.request.get("telemetry") or self._telemetry.waiting
            if not told:
                message = "Notifications list is required in request"
                raise RequestError("request.notifications", "nothing", "a list of notifications", message)
            self._prepare(call)
            return self._run(call, lambda: self._sent(call))

    def wait_until_ready(self, timeout: float | None = None) -> bool:
        """Return whether there is an artifact to decide from, waiting for it at most *timeout* seconds.

        A server-side client is always ready. The wait ends early when the client is closed, and where nothing more can
        come: no other artifact is fetched in place of an ``artifact_payload`` that cannot be used.
        """
        self._check_open("wait_until_ready")
        if self._keeper is None:
            return True
        return self._keeper.wait_until_ready(threading.TIMEOUT_MAX if timeout is None else timeout)

    def flush(self, timeout: float = 10.0) -> bool:
        """Send what waits: impressions, notifications, telemetry.

        Returns:
            True if everything accepted before the call was answered, or given up as undeliverable, in *timeout*
            seconds. After ``close``: whether it was then.
        """
        return self._reporting.flush(timeout)

    def status(self) -> dict[str, Any]:
        """Return what an operator asks for.

        ``ready``, ``version``, ``source`` (payload, file, disk, network), ``age_seconds``, ``etag``, ``last_error``,
        ``failures_in_a_row``, ``next_poll_seconds`` ...; ``undecidable`` (place -> why only the server decides it);
        ``failed_rules`` (where a condition failed while it ran -> how often); ``outbox`` (pending, sent, dropped,
        dead ...); ``telemetry`` (waiting, dropped).
        """
        status = self._keeper.status() if self._keeper else {"ready": True}
        loaded = self._keeper.current if self._keeper else None
        undecidable = loaded.program.undecidable if loaded else {}
        return {
            **status,
            "ready": status["ready"] and not self._is_closed,
            "decisioning_method": self._config.decisioning_method,
            "undecidable": {
                f'rules.{kind}["{name}"]': [
                    f"{where}: found {found}; expected {expected}" for where, found, expected in why
                ]
                for (kind, name), why in undecidable.items()
            },
            "failed_rules": self._on_device.failed_rules if self._on_device else {},
            "outbox": self._reporting.outbox.status(),
            "telemetry": {"waiting": self._telemetry.waiting, "dropped": self._telemetry.dropped},
        }

    def subscribe(self, event: str, listener: Callable[..., Any]) -> int:
        """Call *listener* at each *event* from now on; return the token that ``unsubscribe`` takes.

        Raises:
            RequestError: no such event, or *listener* cannot be called.
        """
        if not isinstance(event, str) or event not in EVENTS:
            close, expected = nearest(str(event), EVENTS, 0.5), f"one of {', '.join(sorted(EVENTS))}"
            hint = f"; did you mean '{close}'?" if close else ""
            raise RequestError("event", "an unknown event", expected + hint)
        if not callable(listener):
            raise RequestError("listener", type(listener).__name__, "a callable")
        token = self._listeners.subscribe(event, listener)
        if event == CLIENT_READY:
            self._readiness.announce()
        return token

    def unsubscribe(self, token: int) -> None:
        """End a subscription; an unknown token is no error."""
        self._listeners.unsubscribe(token)

    def close(self, timeout: float = 5.0) -> None:
        """Wait for calls that are under way and send what waits, for at most *timeout* seconds; then end all threads.

        Closing again does nothing; ``status``, ``flush`` and ``unsubscribe`` still answer, every other call raises
        ``ClientClosed``.
        """
        if self._is_closed:
            return
        if process.id != os.getpid():
            process.begin_in_child()
        self._is_closed = True
        ends = time.monotonic() + timeout
        self._readiness.end()
        if self._keeper:
            self._keeper.close()
        self._under_way.wait(timeout)
        self._callbacks.close(max(0.0, ends - time.monotonic()))
        self._reporting.close(max(0.0, ends - time.monotonic()))
        self._listeners.close(max(0.0, ends - time.monotonic()))
        if self._on_device:
            self._on_device.close()
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A TargetClient holds threads and connections and cannot be pickled; create one in each process, "
            "for instance in the initializer of a pool"
        )

    def __repr__(self) -> str:
        return f"<TargetClient {self._config.decisioning_method}{' closed' if self._is_closed else ''}>"

    # -- one call ----------------------------------------------------------------------------------------------------

    def _check_open(self, call: str) -> None:
        if self._is_closed:
            raise ClientClosed(call)

    def _prepare(self, call: Call) -> None:
        if process.id != os.getpid():
            process.begin_in_child()
        call.began = time.perf_counter()
        first = (call.request, call.customer_ids) if self._first_calls > 0 else None
        if self._location_hint.is_owed:
            self._location_hint.learn()
        prepare(call, self._config, self._location_hint.cluster, round(time.time() * 1000), new_id)
        call.prepared = time.perf_counter()
        if call.dropped or call.unknown:
            self._tell_what_is_ignored(call)
        if first is not None:
            self._first_calls -= 1
            self._tell_unknown_keys("request", WHOLE_REQUEST.unknown(first[0]))
            self._tell_unknown_keys("customer_ids", unknown_keys(first[1]))

    def _tell_what_is_ignored(self, call: Call) -> None:
        for where in call.dropped:
            kind = "Notification" if where.startswith("notifications") else "Mbox"
            self._config.logger.error(f"{kind} validation failed for: {where}")
        for option in call.unknown:
            warn(self._config.logger, f"An unknown option is ignored: {option}")

    def _tell_unknown_keys(self, option: str, unknown: Iterable[tuple[str, str]]) -> None:
        """Warn once of each key that is dropped: most are misspelt, and a wire dict has the wire's names."""
        for path, close in unknown:
            place = option + re.sub(r"\[\d+\]", "[]", path)
            if place not in self._told_keys:
                self._told_keys.add(place)
                hint = f"; did you mean '{close}'?" if close else ""
                warn(self._config.logger, f"A key that the API does not have is dropped: {place}{hint}")

    def _run(self, call: Call, work: Callable[[], Answer]) -> Answer | AsyncResult[Answer]:
        if not self._config.background:
            self._readiness.announce()
        callback, err_callback = call.callback, call.err_callback
        call.callback = call.err_callback = None  # they may hold the answer, which holds the call
        return work() if callback is None else self._callbacks.run(work, callback, err_callback)

    def _offers(self, call: Call) -> TargetDeliveryResponse:
        answer = self._answering.answer(call)
        self._reporting.report(call)
        return answer

    def _sent(self, call: Call) -> TargetDeliveryResponse:
        answer = self._answering.deliver(call)
        self._reporting.report(call)
        return answer

    # -- life --------------------------------------------------------------------------------------------------------

    def _build(self, config: Config) -> None:
        self._config = config = config.model_copy(update={"logger": GuardedLogger(config.logger)})
        for option in _missing_files(config):
            warn(config.logger, f"option '{option}': there is no such file; no server will be reached over TLS")
        self._is_closed = False
        self._first_calls = CALLS_TO_LOOK_THROUGH
        self._told_keys: set[str] = set()
        self._under_way = UnderWay()
        self._listeners = Listeners(config.logger, config.events, background=config.background)
        self._readiness = Readiness(self._listeners, self._can_decide, background=config.background)
        self._callbacks = CallbackPool(config.logger, background=config.background)
        self._transport = Transport(
            session=config.session,
            proxies=config.proxies,
            ca_bundle=config.ca_bundle,
            client_cert=config.client_cert,
            logger=config.logger,
            may_start_threads=config.background,
        )
        self._delivery = DeliveryApi(config, self._transport, config.logger)
        self._location_hint = LocationHint(config, self._delivery, new_id)
        self._telemetry = Telemetry(config.telemetry_enabled)
        self._reporting = Reporting(config, self._delivery, self._telemetry, self._listeners.emit)
        self._keeper = self._on_device = None
        if config.decisioning_method != SERVER_SIDE:
            self._keeper = self._new_keeper()
            self._on_device = OnDevice(config, self._keeper, self._transport, self._listeners.emit)
        self._answering = Answering(config, self._on_device, self._delivery, self._reporting.with_telemetry)

    def _new_keeper(self) -> ArtifactKeeper:
        return ArtifactKeeper(
            self._config,
            self._transport,
            compiler(self._config),
            self._listeners.emit,
            self._config.logger,
            self._reporting.report_download,
            on_ready=self._readiness.announce,
            is_listened_to=self._listeners.has,
        )

    def _start(self) -> None:
        if self._keeper is None:
            self._readiness.announce()
            return
        self._keeper.start()
        if self._learns_location_hint():
            self._location_hint.learn()
        self._keeper.wait_until_ready(self._config.maximum_wait_ready_seconds)

    def _can_decide(self) -> bool:
        return self._keeper is None or self._keeper.current is not None

    def _learns_location_hint(self) -> bool:
        config, keeper = self._config, self._keeper
        return (
            keeper is not None
            and config.learn_location_hint
            and config.background
            and not config.target_location_hint
            and keeper.is_networked
        )


def _missing_files(config: Config) -> list[str]:
    """Return the options that name a certificate which is not there."""
    given = {"ca_bundle": config.ca_bundle, "client_cert": config.client_cert}
    named = {name: (paths,) if isinstance(paths, str) else paths for name, paths in given.items() if paths}
    return [name for name, paths in named.items() if not all(Path(path).exists() for path in paths)]
