"""A real Chromium, headless, and the page served by a real server over a real Redis."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis
from flask import Flask, Response, request
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from werkzeug.serving import BaseWSGIServer, make_server

from app.log import open_log
from app.redis_client import connect
from app.settings import Settings
from drain.dashboard import blueprint
from servers.ports import free_port
from tests.browser.traffic import fill_shop, report_worker
from tests.conftest import skip_or_fail
from tests.support.alert_board import store_board

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
WIDE, PHONE = (1440, 1000), (390, 844)
NICE = 5
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Nothing is kept ready for a next page, nor of the page before: most tests open several.
    "--disable-features=SpareRendererForSitePerProcess,BackForwardCache",
    "--force-color-profile=srgb",
)


class Site:
    """The dashboard; it can stop and start again."""

    def __init__(self, redis_url: str, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{self.port}"
        self.asked: list[str] = []
        self.answers: dict[str, Callable[[Mapping[str, str]], object]] = {}
        """Path -> what is answered there in place of what the API finds, by the parameters."""
        settings = Settings(redis_url=redis_url)
        self._app = Flask("site", static_folder=None)
        self._store = connect(settings, connections=4, timeout_s=3)
        self._app.register_blueprint(blueprint(settings, open_log(settings), self._store))
        self._app.before_request(self._note)
        self._app.after_request(_keep_files)
        self._server: BaseWSGIServer | None = None

    def _note(self) -> Response | None:
        self.asked.append(request.path)
        answer = self.answers.get(request.path)
        if answer is None:
            return None
        stamp = {"at_ms": int(time.time() * 1000), "refresh_s": 2}
        found = orjson.loads(orjson.dumps(answer(request.args)))
        return Response(orjson.dumps({**found, **stamp}), mimetype="application/json")

    def start(self) -> None:
        self._server = make_server("127.0.0.1", self.port, self._app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()  # It closes the port, a little later.
            self._server = None

    def close(self) -> None:
        """Stops it for good."""
        self.stop()
        self._store.close()


def _keep_files(response: Response) -> Response:
    """Files do not change while tests run: the browser asks for each of the page's 80 scripts once, and not
    each time whether it is still the same."""
    if "/static/" in request.path:
        response.headers["Cache-Control"] = "max-age=3600"
    return response


class Page:
    """What a test does in the browser, and what it reads there."""

    def __init__(self, driver: webdriver.Chrome, site: Site) -> None:
        self.driver = driver
        self.site = site
        self.size = WIDE

    def open(self, fragment: str = "#/", *, size: tuple[int, int] = WIDE, **media: str) -> None:
        """The page at an address after `#`. `media`: `prefers_color_scheme="dark"` and the like."""
        self.show_in(size, **media)
        self.driver.get("about:blank")
        for _ in range(3):
            self.driver.get(f"{self.site.url}/{fragment}")
            # Seen: Chromium takes a connection that has ended meanwhile, and says ERR_SOCKET_NOT_CONNECTED.
            if self.run("return location.protocol") != "chrome-error:":
                return

    def show_in(self, size: tuple[int, int], **media: str) -> None:
        """What is open, in another size or colours. Nothing moves unless a test asks for it: without a
        graphics card, a dot that pulses takes a fifth of a core."""
        self.size = size
        wanted = {"prefers_reduced_motion": "reduce", **media}
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in wanted.items()]
        self._do("Emulation.setEmulatedMedia", {"features": features})
        screen = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
        self._do("Emulation.setDeviceMetricsOverride", screen)
        self._do("Emulation.setTimezoneOverride", {"timezoneId": "UTC"})

    def _do(self, command: str, parameters: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.driver.execute_cdp_cmd(command, parameters)
        return found

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """The text of the first element, also where it is out of sight; empty where there is none."""
        found = self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector)
        return str(found)

    def texts(self, selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
        return list(self.run(script, selector))

    def routes(self) -> list[str]:
        """The routes in the table, from its top."""
        return self.texts("#table td.route")

    def is_shown(self, selector: str) -> bool:
        for _ in range(20):
            # The page may draw them anew between the two questions.
            with contextlib.suppress(StaleElementReferenceException):
                return any(element.is_displayed() for element in self.all(selector))
        pytest.fail(f"{selector} is drawn anew all the time")

    def focus(self, selector: str, text: str = "") -> None:
        """Puts the focus on the first element whose text begins with `text`."""
        script = (
            "[...document.querySelectorAll(arguments[0])]"
            ".find((one) => one.textContent.startsWith(arguments[1])).focus()"
        )
        self.run(script, selector, text)

    def fragment(self) -> str:
        """The address from its `#` on."""
        return str(self.run("return location.hash"))

    def press(self, *keys: str) -> None:
        """Keys for whatever has the focus."""
        actions = webdriver.ActionChains(self.driver, duration=0)
        actions.send_keys(*keys).perform()

    def wait_for(self, is_there: Callable[[], object], what: str, timeout_s: float = 20) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_there():
            if time.monotonic() > deadline:
                self.shot("failed")
                pytest.fail(f"no {what} in {timeout_s} s: {self.text('main')[:600]!r}")
            time.sleep(0.05)

    def wait_for_routes(self, count: int) -> None:
        self.wait_for(lambda: len(self.all("#table tbody tr")) == count, f"{count} routes")

    def shot(self, name: str) -> None:
        """A picture of the whole page, for people, in artifacts/."""
        ARTIFACTS.mkdir(exist_ok=True)
        height = int(self.run("return document.documentElement.scrollHeight"))
        clip = {"x": 0, "y": 0, "width": self.size[0], "height": min(height, 4_000), "scale": 1}
        found = self._do("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        (ARTIFACTS / f"{name}.png").write_bytes(base64.b64decode(found["data"]))

    def complaints(self) -> list[str]:
        """What the browser's console has said since it was last asked: faults, refused content."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]  # type: ignore[no-untyped-call]

    def requested(self) -> list[str]:
        """The addresses that the browser has asked for since this was last asked."""
        entries = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]  # type: ignore[no-untyped-call]
        sent = [entry for entry in entries if entry["method"] == "Network.requestWillBeSent"]
        return [entry["params"]["request"]["url"] for entry in sent]


@pytest.fixture(scope="session")
def chromium() -> Iterator[webdriver.Chrome]:
    """One browser for all tests, with a profile of its own."""
    browser, driver = _first("chromium", "chromium-browser", "google-chrome"), _first("chromedriver")
    if browser is None or driver is None:
        skip_or_fail(
            "browser", "chromium or chromedriver is missing: apt-get install chromium chromium-driver"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(prefix="tailrace-chromium-", ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size={},{}".format(*WIDE)):
            options.add_argument(flag)
        # It gives way a little: who waits for the page has 20 s, while other tests look at the clock.
        service = Service(driver, popen_kw={"preexec_fn": lambda: os.nice(NICE)})
        started = webdriver.Chrome(options=options, service=service)
        yield started
        started.quit()


def _first(*names: str) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def site_port() -> Iterator[int]:
    """The same for all tests, so that the browser knows the page's files."""
    # Bound and never listening, it keeps others from the port while no site runs: who connects is refused.
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", port := free_port()))
        yield port


@pytest.fixture
def site(redis_url: str, site_port: int) -> Iterator[Site]:
    """The page over an empty Redis."""
    opened = Site(redis_url, site_port)
    opened.start()
    yield opened
    opened.close()


@pytest.fixture
def page(chromium: webdriver.Chrome, site: Site) -> Iterator[Page]:
    """A browser that remembers nothing of the test before but the page's files."""
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    opened = Page(chromium, site)
    opened.complaints()
    opened.requested()
    yield opened
    # A test that failed may have left a window of its own.
    first, *others = chromium.window_handles
    for window in others:
        chromium.switch_to.window(window)
        chromium.close()
    chromium.switch_to.window(first)
    # A file, because only where the page is can be forgotten what it has kept.
    chromium.get(f"{site.url}/static/icon.svg")
    opened.run("localStorage.clear(); sessionStorage.clear()")


@pytest.fixture
def shop(redis_client: redis.Redis) -> redis.Redis:
    """A Redis with an hour of traffic of one app; alerts are judged, and nothing fires."""
    fill_shop(redis_client, apps=("shop",))
    report_worker(redis_client)
    store_board(redis_client, int(time.time()))
    return redis_client


@pytest.fixture
def two_apps(redis_client: redis.Redis) -> redis.Redis:
    """The same traffic, of two apps."""
    fill_shop(redis_client)
    report_worker(redis_client)
    store_board(redis_client, int(time.time()))
    return redis_client


@pytest.fixture
def unreachable_redis(redis_client: redis.Redis) -> Iterator[Callable[[bool], None]]:
    """Makes Redis unreachable for everybody but the test, and reachable again."""

    def set_unreachable(is_unreachable: bool) -> None:
        redis_client.config_set("maxclients", 1 if is_unreachable else 10_000)
        if is_unreachable:
            redis_client.client_kill_filter(_type="normal", skipme=True)

    yield set_unreachable
    set_unreachable(False)
