"""``hansgym serve``."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def serve(
    agent: Annotated[str, typer.Argument(help="Agent URI: reference:pfungst, python:my_module:MyPolicy, …")],
    protocol: Annotated[str, typer.Option(help="openpi or vla-eval.")] = "openpi",
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 takes a free one.")] = 8000,
    execute: Annotated[
        int, typer.Option(help="vla-eval: actions of a chunk, handed out one by one; 0 sends whole chunks.")
    ] = 8,
    run_seed: Annotated[int, typer.Option(help="Seed of the sampling noise.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program.")] = False,
) -> None:
    """Serve an agent to clients of openpi or of vla-eval, until Ctrl-C.

    openpi clients send observation/front_rgb (and overhead, wrist), observation/joint_positions and the other state
    vectors, and prompt. vla-eval clients send images by the same camera names or in this order.

    With --json: one line {"url", "protocol", "agent"} when it listens.
    """
    from hansgym.agents.registry import make_agent
    from hansgym.benchmarks.serve import serving

    made = make_agent(agent)
    each = min(execute, made.spec.horizon) if protocol == "vla-eval" else 0
    with serving(made, protocol, host, port, each, run_seed) as server:
        url = f"ws://{host}:{server.socket.getsockname()[1]}"
        if as_json:
            print(json.dumps({"url": url, "protocol": protocol, "agent": made.spec.name}), flush=True)
        else:
            print(f"{made.spec.name} speaks {protocol} at {url}; Ctrl-C ends it", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.shutdown()
