"""A process with an environment of the real simulator that ends in the way that its argument names."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from _rlbench_live import made


def main(way: str) -> None:
    """Reset, say which display and children there are, and end: return, exit, raise, close, or step for ever."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a script ignores it
    env = made("close_jar", image_size=64)
    env.reset(seed=0)
    me = os.getpid()
    children = Path(f"/proc/{me}/task/{me}/children").read_text(encoding="ascii").split()
    print("READY", os.environ["DISPLAY"], *children, flush=True)
    if way == "exit":
        sys.exit(3)
    if way == "raise":
        raise RuntimeError("on purpose")
    if way == "close":
        env.close()
        print("CLOSED", flush=True)
        sys.stdin.read()  # the test looks around while this process still lives
    while way == "step":
        env.step(env.action_space.sample())


if __name__ == "__main__":
    main(sys.argv[1])
