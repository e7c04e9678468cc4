"""Every error that leaves the house stands in the one registry."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from access.policy import _STATE_REASONS, POLICY
from foundation.errors import _ALL, PROBLEMS

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = [
    file
    for root in ("apps", "platform")
    for file in (REPOSITORY / root).rglob("*.py")
    if "migrations" not in file.parts
]

RAISED_BY = {"ConsiliumError", "Refusal", "Refused", "_refusal"}


def codes_in_source() -> dict[str, str]:
    """Every code that a source names, and where."""
    found: dict[str, str] = {}

    def texts(node: ast.AST) -> list[str]:
        return [
            part.value
            for part in ast.walk(node)
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        ]

    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            where = f"{file.relative_to(REPOSITORY)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in RAISED_BY:
                    arguments = node.args[1:2] if name == "_refusal" else node.args[:1]
                    for argument in arguments:
                        if isinstance(argument, ast.Constant | ast.IfExp):
                            found |= dict.fromkeys(texts(argument), where)
                for keyword in node.keywords:
                    if keyword.arg in {"missing", "wrong_state"}:
                        found |= dict.fromkeys(texts(keyword.value), where)
            elif (
                isinstance(node, ast.Subscript)
                and isinstance(node.value, ast.Name)
                and node.value.id == "PROBLEMS"
                and isinstance(node.slice, ast.Constant | ast.IfExp)
            ):
                found |= dict.fromkeys(texts(node.slice), where)
    return found


def test_every_code_in_the_sources_is_registered():
    found = codes_in_source()
    assert len(found) > 20
    unknown = {code: where for code, where in found.items() if code not in PROBLEMS}
    assert not unknown


def test_every_reason_of_the_table_is_registered():
    reasons = {rule.wrong_state for rule in POLICY.values()} | set(_STATE_REASONS.values())
    assert reasons <= set(PROBLEMS)


def test_no_code_is_registered_twice():
    assert not [code for code, n in Counter(p.code for p in _ALL).items() if n > 1]


def test_close_codes_of_ours_are_never_shared():
    ours = Counter(p.close_code for p in _ALL if p.close_code >= 4000)
    assert not [code for code, n in ours.items() if n > 1]
    assert all(p.close_code in {1008, 1009, 1013} or 4000 <= p.close_code < 5000 for p in _ALL)


def test_a_problem_has_a_status_of_failure_and_a_sentence():
    for problem in _ALL:
        assert 400 <= problem.status < 600
        assert problem.text.endswith(".")
        assert len(problem.code) <= 40, "the trail's column"


def test_every_registered_code_is_still_given_by_something():
    """A code that nothing gives any more belongs into a comment."""
    text = "\n".join(
        file.read_text()
        for file in [*SOURCES, *(REPOSITORY / "static" / "js").rglob("*.js")]
        if file.name != "errors.py"
    )
    assert not {code for code in PROBLEMS if f'"{code}"' not in text}
