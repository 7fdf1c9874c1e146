"""``iss_published``: interventional significance scores as published. At its own defaults the map is mostly noise."""

from __future__ import annotations

from hansgym.attribution import iss_core
from hansgym.attribution.method import CellScores, Method, Question


def explain(question: Question) -> CellScores:
    """S_i = 1/(N (1 - p)) * sum_k delta_k (1 - m_ki)."""
    return iss_core.explain(question, iss_core.published)


METHOD = Method("iss_published", "published ISS", explain, exact_for="E[delta | cell hidden], any policy")
