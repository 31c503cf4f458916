"""The part of the navigation that follows the package: one entry for each module."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

REFERENCE = "API"


def on_config(config: Any) -> Any:
    """Put the pages of the modules of a package below the page of the package."""
    for section in config["nav"]:
        if REFERENCE in section:
            pages = Path(config["docs_dir"])
            section[REFERENCE] = [_with_modules(entry, pages) for entry in section[REFERENCE]]
    return config


def _with_modules(entry: dict[str, str], pages: Path) -> dict[str, Any]:
    ((title, page),) = entry.items()
    package = Path(page).stem
    modules = sorted(pages.glob(f"{package}/**/*.md"))
    if not modules:
        return entry
    used = _homes(package)
    outer, inner = [], []
    for path in modules:
        name = path.relative_to(pages / package).with_suffix("").as_posix()
        place = {name.replace("/", "."): path.relative_to(pages).as_posix()}
        is_used = f"tensorlayer.{package}.{name}".replace("/", ".") in used
        (outer if is_used else inner).append(place)
    inside = [{"Inside": inner}] if inner else []
    return {title: [page, *outer, *inside]}


def _homes(package: str) -> set[str]:
    """Return the modules that define what a package exports."""
    loaded = importlib.import_module(f"tensorlayer.{package}")
    exported = [getattr(loaded, name) for name in getattr(loaded, "__all__", ())]
    return {str(getattr(thing, "__module__", "")) for thing in exported}
