"""Where an action chunk comes from: masks over pixels (ISS, NMR) and interventions in the world (do-effects, NER)."""

from hansgym.attributions import NMR_PERCENT, Attribution

__all__ = ["NMR_PERCENT", "Attribution"]
