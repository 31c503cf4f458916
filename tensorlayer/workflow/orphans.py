"""No process of ours outlives the one that started it."""

from __future__ import annotations

import ctypes
import os
import platform
import signal

__all__ = ["die_with"]

_PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def die_with(parent: int, number: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent dies.

    On Linux only; elsewhere it does nothing, and the process has to notice by other means. The
    signal comes when the *thread* ends that started this process, so that has to be one that lasts.

    Parameters
    ----------
    parent : int
        The process id of the parent. If it is dead already, the signal comes at once.
    number : signal.Signals
        The signal.
    """
    if platform.system() == "Linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)
