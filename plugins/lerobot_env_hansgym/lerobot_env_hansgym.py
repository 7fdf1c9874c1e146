"""Makes ``--env.type=hansgym`` known to LeRobot 0.6 and newer, which imports this module by its name."""

from hansgym.integrations.lerobot import HansGymEnvConfig

__all__ = ["HansGymEnvConfig"]
