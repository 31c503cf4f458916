"""The conformance list: every exported layer once, with what is needed to build one.

A file for each family. ``test_conformance.py`` and ``test_conformance_worlds.py`` run every
property of the library over the list; the first fails if an exported layer is missing from it.
"""

import importlib
import itertools
import pkgutil

_FAMILIES = [
    importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)
]
SPECS = tuple(itertools.chain.from_iterable(family.SPECS for family in _FAMILIES))
