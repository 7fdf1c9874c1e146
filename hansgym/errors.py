"""Errors a user can act on: each says what was wrong, what is allowed and what to do next."""

from __future__ import annotations


class HansGymError(Exception):
    """Base of every error this package raises on purpose."""


class UnknownNameError(HansGymError, ValueError):
    """A name that is not registered; the text lists the names that are."""


class ConfigurationError(HansGymError, ValueError):
    """A combination of settings that cannot work."""


class InvalidActionError(HansGymError, ValueError):
    """An action of the wrong shape or with non-finite values."""


class MissingExtraError(HansGymError, ImportError):
    """An optional package is not installed; the text names the extra to install."""


class AgentError(HansGymError, RuntimeError):
    """The policy raised, hung, or answered something that is not a chunk of actions."""


class ContractError(HansGymError, ValueError):
    """Agent and environment disagree about actions or observations."""


class SceneError(HansGymError, RuntimeError):
    """A scene could not be arranged, or the simulation left the numbers a simulator can hold."""
