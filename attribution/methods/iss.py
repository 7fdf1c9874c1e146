"""``iss``: interventional significance scores, centred. The default: the published map without its design noise."""

from __future__ import annotations

from hansgym.attribution import iss_core
from hansgym.attribution.method import CellScores, Method, Question


def explain(question: Question) -> CellScores:
    """C_i = 1/((N - 1) q) * sum_k (delta_k - mean delta) ((1 - m_ki) - q)."""
    return iss_core.explain(question, iss_core.centred)


METHOD = Method("iss", "centred ISS", explain, exact_for="E[delta | cell hidden] - E[delta], any policy")
