"""Style sheets that remember: most of an app's start is Textual's look-up of the same rules for the same widgets.

A sheet is parsed once in a process, and what its rules say of a widget once for each way to it: types, identifiers,
classes and pseudo classes of all from the app down are the whole of what a selector can ask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.css.styles import RenderStyles
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

_FLAGS = ("_has_hover_style", "_has_focus_within", "_has_order_style", "_has_odd_or_even")
_parse, _apply, _replace = Stylesheet.parse, Stylesheet.apply, Stylesheet.replace_rules.__func__  # type: ignore[attr-defined]


class _Sheet:
    """One list of rules, and what is known of it."""

    def __init__(self, rules: list[Any]) -> None:
        self.rules = rules
        selectors = [one for rule in rules for found in rule.selector_set for one in found.selectors]
        self.pseudo = tuple(sorted(set().union(*(selector.pseudo_classes for selector in selectors))))
        self.checks: dict[type[DOMNode], tuple[Callable[[Any], bool], ...]] = {}
        self.known: dict[Any, tuple[Any, tuple[bool, ...]]] = {}
        self.parts: dict[Any, dict[str, Any]] = {}

    def way_to(self, node: DOMNode) -> tuple[Any, ...]:
        return tuple(self._look(one) for one in node.css_path_nodes)

    def _look(self, node: DOMNode) -> tuple[Any, ...]:
        kind = type(node)
        if kind not in self.checks:
            known = node._PSEUDO_CLASSES
            self.checks[kind] = tuple(known[name] for name in self.pseudo if name in known)
        pseudo = tuple([check(node) for check in self.checks[kind]])
        return kind, node._css_type_names, node._id, frozenset(node._classes), pseudo


_sheets: dict[int, _Sheet] = {}
_parsed: dict[Any, list[Any]] = {}
_found: dict[int, Any] = {}
_values: dict[int, tuple[Any, Any]] = {}
"""By the identity of rules, which are kept with it: the values that they set."""


def _sheet_of(sheet: Stylesheet) -> _Sheet:
    rules = sheet.rules
    found = _sheets.get(id(rules))
    if found is None:
        found = _sheets[id(rules)] = _Sheet(rules)
    return found


def parse(sheet: Stylesheet) -> None:
    key = (tuple(sheet.source.items()), tuple(sorted(sheet._variables.items())))
    if key not in _parsed:
        _parse(sheet)
        _parsed[key] = sheet._rules
    sheet._rules, sheet._require_parse, sheet._rules_map = _parsed[key], False, None


def apply(sheet: Stylesheet, node: DOMNode, *, animate: bool = False, cache: Any = None) -> None:
    _apply_to(sheet, node, animate, cache)


def _apply_to(sheet: Stylesheet, node: DOMNode, animate: bool = False, cache: Any = None) -> Any:
    """The rules that were applied; None where none is about it."""
    known = _sheet_of(sheet)
    way = known.way_to(node)
    if way in known.known:
        rules, flags = known.known[way]
        for name, flag in zip(_FLAGS, flags, strict=True):
            setattr(node, name, flag)
        if rules is not None:
            _rule(node, rules, animate)
        _process(sheet, known, node, way)
        return rules
    _found[id(node)] = None
    _apply(sheet, node, animate=animate, cache=cache)
    rules = _found.pop(id(node))
    known.known[way] = rules, tuple(getattr(node, name) for name in _FLAGS)
    return rules


def _rule(node: DOMNode, rules: Any, animate: bool) -> None:
    """Rules that a node has already are not set one by one again."""
    if node.__dict__.get("_ruled_by") is rules:
        node.notify_style_update()
    else:
        _set(node, rules, animate)
        node.__dict__["_ruled_by"] = None if animate else rules


def _set(node: DOMNode, rules: Any, animate: bool) -> None:
    """What the rules come to for a node that has none yet is known from the first such node."""
    styles = node.styles.base
    if animate or styles._rules:
        _replace(Stylesheet, node, rules, animate)
    elif id(rules) in _values:
        styles.merge_rules(_values[id(rules)][1])
        styles.refresh(layout=True)
        node.notify_style_update()
    else:
        _replace(Stylesheet, node, rules, animate)
        _values[id(rules)] = rules, styles._rules.copy()


def replace_rules(_class: type[Stylesheet], node: DOMNode, rules: Any, animate: bool = False) -> None:
    if id(node) in _found:
        _found[id(node)] = rules
    _rule(node, rules, animate)


def process_component_classes(sheet: Stylesheet, node: DOMNode) -> None:
    if node._get_component_classes():
        known = _sheet_of(sheet)
        _process(sheet, known, node, known.way_to(node))


def _process(sheet: Stylesheet, known: _Sheet, node: DOMNode, way: tuple[Any, ...]) -> None:
    """The parts of a widget differ only where the way to it does."""
    classes, marks = node._get_component_classes(), node.__dict__
    if not classes or marks.get("_styled_by") == (id(known), way):
        return
    if way not in known.parts:
        known.parts[way] = {name: _apply_to(sheet, _part_of(node, name)) for name in sorted(classes)}
    node._component_styles = _Parts(node, known.parts[way])
    node.refresh()
    marks["_styled_by"] = (id(known), way)


def _part_of(node: DOMNode, component: str) -> DOMNode:
    part = DOMNode(classes=component)
    part._attach(node)
    return part


class _Parts(dict[str, RenderStyles]):
    """The styles of a widget's parts, made as they are asked for: most never are."""

    def __init__(self, node: DOMNode, rules: dict[str, Any]) -> None:
        super().__init__()
        self.node, self.rules = node, rules

    def __contains__(self, component: object) -> bool:
        return component in self.rules

    def __missing__(self, component: str) -> RenderStyles:
        part = _part_of(self.node, component)
        if self.rules[component] is not None:
            _set(part, self.rules[component], animate=False)
        self[component] = part.styles
        return part.styles


def remembered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Stylesheet, "parse", parse)
    patch.setattr(Stylesheet, "apply", apply)
    patch.setattr(Stylesheet, "replace_rules", classmethod(replace_rules))
    patch.setattr(Stylesheet, "_process_component_classes", process_component_classes)
