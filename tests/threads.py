"""Threads for tests."""

from __future__ import annotations

import contextvars
import threading


def at_once(*functions):
    """Run each in a thread; in a copy of this context, so a stage that is open is theirs, too."""
    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(each,)) for each in functions
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
