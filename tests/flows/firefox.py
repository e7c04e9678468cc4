"""A person at a Firefox: the words of ``people.Person``, over a page that is driven by BiDi.

The page has the few methods of Playwright's that those words use, under the same names and with the
same patience, and clicks and types as a person does: where something covers a button, it is not
pressed.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from tests.flows.people import PATIENCE_MS, Person
from tests.servers.firefox import BidiError, Firefox

#: Between two looks at a page.
LOOK_SECONDS = 0.03

#: Chromium says on its console what the page's policy refused; here the page is made to.
SAY_VIOLATIONS = """() => document.addEventListener("securitypolicyviolation", (event) =>
  console.error("Content Security Policy:", event.effectiveDirective, event.blockedURI))"""

#: What Firefox itself remarks of a socket that is open while its page is reloaded. Nobody threw it.
SOCKET_WENT = "was interrupted while the page was loading"

VISIBLE = """(selector) => {
  const found = document.querySelector(selector);
  return !!found && found.checkVisibility({visibilityProperty: true}) &&
      found.getClientRects().length > 0;
}"""

#: The middle of an element that can be clicked there; in words, why it can not.
PLACE = """async (selector) => {
  const found = document.querySelector(selector);
  if (!found) return 'is not there';
  if (found.disabled) return 'is disabled';
  found.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
  const before = found.getBoundingClientRect();
  await new Promise(requestAnimationFrame);
  const now = found.getBoundingClientRect();
  if (!now.width || before.x !== now.x || before.y !== now.y) return 'moves or is hidden';
  const place = [Math.round(now.x + now.width / 2), Math.round(now.y + now.height / 2)];
  const hit = document.elementFromPoint(...place);
  const own = [found, ...(found.labels ?? [])];
  return own.some((one) => one.contains(hit)) ? place : 'is covered by ' + hit?.outerHTML;
}"""


class FirefoxPage:
    """A window with a cookie jar of its own."""

    def __init__(self, firefox: Firefox, said: Callable[[str, str], None]) -> None:
        self._firefox = firefox
        self._user = firefox.call("browser.createUserContext")["userContext"]
        firefox.call(
            "script.addPreloadScript",
            functionDeclaration=SAY_VIOLATIONS,
            userContexts=[self._user],
        )
        # A window and not a tab: tabs behind others are slowed down.
        self._context = firefox.call(
            "browsingContext.create", type="window", userContext=self._user
        )["context"]
        self._said = said
        firefox.listen(self._context, self._entry)

    def _entry(self, entry: dict[str, Any]) -> None:
        text = entry["text"] or ""
        is_error = entry["type"] == "javascript" and entry["level"] == "error"
        is_thrown = is_error and SOCKET_WENT not in text
        self._said("pageerror" if is_thrown else entry["level"], text)

    def close(self) -> None:
        self._firefox.call("browser.removeUserContext", userContext=self._user)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._firefox.call(method, context=self._context, **parameters)

    # ------------------------------------------------------------ going there
    def goto(self, url: str) -> None:
        self._call("browsingContext.navigate", url=url, wait="complete")

    def reload(self) -> None:
        self._call("browsingContext.reload", wait="complete")

    def wait_for_url(self, wanted: str | Callable[[str], bool]) -> None:
        is_wanted = wanted if callable(wanted) else lambda url: fnmatch(url, wanted)
        where = "[location.href, document.readyState]"

        def arrived() -> bool:
            url, state = self.evaluate(where)
            return state == "complete" and is_wanted(url)

        self._wait(arrived, f"page {wanted}")

    # ------------------------------------------------------------ looking
    def evaluate(self, expression: str, argument: Any = None) -> Any:
        """What ``expression`` is or, if it is a function, returns for ``argument``."""
        awaited = f"""(async () => {{
            const found = ({expression});
            const value = typeof found === 'function' ? found({json.dumps(argument)}) : found;
            return JSON.stringify((await value) ?? null);
        }})()"""
        answer = self._firefox.call(
            "script.evaluate",
            expression=awaited,
            target={"context": self._context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise BidiError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def is_visible(self, selector: str) -> bool:
        return bool(self.evaluate(VISIBLE, selector))

    def input_value(self, selector: str) -> str:
        return str(self.evaluate("(s) => document.querySelector(s).value", selector))

    def content(self) -> str:
        return str(self.evaluate("document.documentElement.outerHTML"))

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._call("browsingContext.captureScreenshot")["data"]))

    # ------------------------------------------------------------ waiting
    def wait_for_selector(
        self, selector: str, state: str = "visible", timeout: float = PATIENCE_MS
    ) -> None:
        def is_so() -> bool:
            if state == "detached":
                return not self.evaluate("(s) => document.querySelector(s) !== null", selector)
            return self.is_visible(selector)

        self._wait(is_so, f"{selector} {state}", timeout / 1000)

    def wait_for_function(self, expression: str, arg: Any = None) -> None:
        self._wait(lambda: self.evaluate(expression, arg), expression)

    def wait_for_timeout(self, timeout: float) -> None:
        time.sleep(timeout / 1000)

    def _wait(
        self, condition: Callable[[], Any], what: str, seconds: float = PATIENCE_MS / 1000
    ) -> Any:
        deadline = time.monotonic() + seconds
        while True:
            refused: BidiError | None = None
            try:
                if found := condition():
                    return found
            except BidiError as error:  # one page goes and the next is not there yet
                refused = error
            if time.monotonic() > deadline:
                raise AssertionError(f"no {what} within {seconds} s") from refused
            time.sleep(LOOK_SECONDS)

    # ------------------------------------------------------------ doing
    def click(self, selector: str) -> None:
        # Of Playwright's own selectors one is spoken here: the first of several.
        wanted = selector.removesuffix(" >> nth=0")
        why_not: Any = None

        def place() -> list[int] | None:
            nonlocal why_not
            why_not = self.evaluate(PLACE, wanted)
            return why_not if isinstance(why_not, list) else None

        try:
            x, y = self._wait(place, "place to click")
        except AssertionError as error:
            raise AssertionError(f"{wanted} {why_not}") from error
        self._act(
            "pointer",
            [
                {"type": "pointerMove", "x": x, "y": y},
                {"type": "pointerDown", "button": 0},
                {"type": "pointerUp", "button": 0},
            ],
        )

    def check(self, selector: str) -> None:
        is_checked = "(s) => document.querySelector(s).checked"
        self.wait_for_selector(selector)
        if not self.evaluate(is_checked, selector):
            self.click(selector)
        assert self.evaluate(is_checked, selector), selector

    def fill(self, selector: str, text: str) -> None:
        self.click(selector)
        self.evaluate("(s) => document.querySelector(s).select()", selector)
        strokes = [
            {"type": stroke, "value": letter} for letter in text for stroke in ("keyDown", "keyUp")
        ]
        self._act("key", strokes)

    def _act(self, device: str, actions: list[dict[str, Any]]) -> None:
        self._call(
            "input.performActions", actions=[{"type": device, "id": device, "actions": actions}]
        )


class FirefoxVisitor(Person):
    """One person at a Firefox, in a window of their own."""

    def __init__(self, firefox: Firefox, name: str, base: str) -> None:
        super().__init__(name, base)
        self.page = FirefoxPage(firefox, self._said)

    def close(self) -> None:
        self.page.close()
