"""HansGym's tasks in LeRobot's own tools: ``--env.type=hansgym`` for ``lerobot-eval`` and ``lerobot-train``.

LeRobot finds it by ``--env.discover_packages_path=hansgym.integrations.lerobot``, or (0.6 and newer) by itself where
the small distribution ``lerobot_env_hansgym`` of the folder ``plugins/`` is installed::

    lerobot-eval --env.discover_packages_path=hansgym.integrations.lerobot --env.type=hansgym --env.task=close_jar \
        --policy.path=outputs/train/act/checkpoints/last/pretrained_model --eval.n_episodes=10 --eval.batch_size=2

Observations are ``pixels`` (camera -> RGB) and ``agent_pos`` (7 joint angles in rad, gripper 1 open 0 closed), which
LeRobot calls ``observation.images.<camera>`` and ``observation.state``, as in ``hansgym record --format lerobot``. The
instruction reaches the policy as ``task``. Episodes are functions of (task, variation, seed); LeRobot seeds them.
"""

from __future__ import annotations

from hansgym.integrations.lerobot.config import HansGymEnvConfig

__all__ = ["HansGymEnvConfig"]
