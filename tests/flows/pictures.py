"""An examiner of pages: axe, the width of a phone, and pictures for people to look at.

What it finds is collected, so that one run names everything that is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.flows.people import Visitor
from tests.servers.processes import REPOSITORY
from tests.servers.server import artefacts

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}

#: WCAG 2.2 up to AA, and axe's own advice about headings and landmarks.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

#: axe is evaluated and not added as a script: the pages allow no script that is not theirs.
AXE = """async (tags) => {
  const found = await axe.run(document, {
    runOnly: {type: 'tag', values: tags},
    resultTypes: ['violations'],
    preload: false,
  });
  return found.violations.map((v) => ({
    rule: v.id,
    impact: v.impact,
    tags: v.tags,
    nodes: v.nodes.map((n) => `${n.target.join(' ')} (${n.failureSummary.split('\\n')[1] ?? ''})`),
  }));
}"""

#: A change of scheme fades in some sheets; a picture halfway would show colours of neither.
NOTHING_FADES = """() => document.getAnimations()
    .filter((one) => one instanceof CSSTransition).forEach((one) => one.finish())"""

#: What reaches beyond the window, unless it scrolls by itself within a box of its own.
TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const wide = [...document.body.querySelectorAll('*')]
      .filter((e) => e.getBoundingClientRect().right > room + 0.5)
      .map((e) => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') +
          (typeof e.className === 'string' && e.className ? '.' + e.className : ''));
  return [`${document.documentElement.scrollWidth} px:`, ...wide.slice(0, 5)];
}"""

LANGUAGE_AND_HEADING = """() => {
  const shown = [...document.querySelectorAll('h1')].filter((h) => h.offsetWidth > 0);
  return [document.documentElement.lang, shown.map((h) => h.textContent.trim())];
}"""


@cache
def _axe_source() -> str:
    source = (REPOSITORY / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    return source + "\n;null"


@dataclass
class Examiner:
    """Looks at pages in one language; ``found`` is what was wrong with them."""

    language: str = "en"
    folder: Path = field(default_factory=lambda: artefacts("pictures"))
    found: list[str] = field(default_factory=list)
    headings: dict[str, str] = field(default_factory=dict)

    def look(self, person: Visitor, name: str) -> None:
        """Both widths, both schemes; axe in two of the four, which covers each of them."""
        page = person.page
        for size, scheme in (
            (PHONE, "dark"),
            (PHONE, "light"),
            (DESKTOP, "light"),
            (DESKTOP, "dark"),
        ):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.evaluate(NOTHING_FADES)
            view = f"{name}-{size['width']}-{scheme}"
            # Playwright would hide the caret by a style of its own, which the pages refuse.
            page.screenshot(path=self.folder / f"{view}.png", full_page=True, caret="initial")
            if (size, scheme) in ((DESKTOP, "light"), (PHONE, "dark")):
                self._axe(person, view)
            if wide := page.evaluate(TOO_WIDE):
                self.found.append(f"{view}: scrolls sideways: {' '.join(wide)}")
        self._language_and_heading(person, name)
        self.found += [f"{name}: {text}" for text in person.violations]
        person.violations.clear()

    def _axe(self, person: Visitor, view: str) -> None:
        page = person.page
        if not page.evaluate("() => typeof window.axe === 'object'"):
            page.evaluate(_axe_source())
        violations: list[dict[str, Any]] = page.evaluate(AXE, TAGS)
        for each in violations:
            for node in each["nodes"]:
                self.found.append(f"{view}: {each['impact']} {each['rule']}: {node}")

    def _language_and_heading(self, person: Visitor, name: str) -> None:
        language, headings = person.page.evaluate(LANGUAGE_AND_HEADING)
        if language != self.language:
            self.found.append(f"{name}: its language is {language!r}")
        if len(headings) != 1 or not headings[0]:
            self.found.append(f"{name}: its first headings are {headings}")
        else:
            self.headings[name] = headings[0]
