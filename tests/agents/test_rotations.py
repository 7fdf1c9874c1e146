"""Rotation formats against closed forms, and round trips over all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansgym.agents import rotations
from hansgym.errors import AgentError, UnknownNameError

ANGLE = st.floats(-3.0, 3.0, allow_nan=False)


def about(axis: int, angle: float) -> np.ndarray:
    """The elementary rotation matrices, written out."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array(
        [
            [[1, 0, 0], [0, c, -s], [0, s, c]],
            [[c, 0, s], [0, 1, 0], [-s, 0, c]],
            [[c, -s, 0], [s, c, 0], [0, 0, 1]],
        ][axis]
    )


def rodrigues(vector: np.ndarray) -> np.ndarray:
    angle = np.linalg.norm(vector)
    if angle == 0:
        return np.eye(3)
    x, y, z = vector / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


@given(ANGLE, ANGLE, ANGLE)
@settings(max_examples=30, deadline=None)
def test_euler_angles_are_products_of_elementary_rotations(a: float, b: float, c: float) -> None:
    fixed = about(2, c) @ about(1, b) @ about(0, a)  # roll, pitch, yaw about fixed axes: the last one turns last
    moving = about(0, a) @ about(1, b) @ about(2, c)
    np.testing.assert_allclose(rotations.to_matrix(np.array([a, b, c]), "euler_xyz"), fixed, atol=1e-12)
    np.testing.assert_allclose(rotations.to_matrix(np.array([a, b, c]), "euler_XYZ"), moving, atol=1e-12)


@given(ANGLE, ANGLE, ANGLE)
@settings(max_examples=30, deadline=None)
def test_other_formats_have_their_closed_forms(a: float, b: float, c: float) -> None:
    vector = np.array([a, b, c])
    matrix = rodrigues(vector)
    np.testing.assert_allclose(rotations.to_matrix(vector, "rotation_vector"), matrix, atol=1e-12)
    angle = np.linalg.norm(vector)
    half = np.append(np.sinc(angle / 2 / np.pi) / 2 * vector, np.cos(angle / 2))
    np.testing.assert_allclose(rotations.to_matrix(half, "quaternion_xyzw"), matrix, atol=1e-9)
    np.testing.assert_allclose(rotations.to_matrix(half[[3, 0, 1, 2]], "quaternion_wxyz"), matrix, atol=1e-9)
    columns = rotations.from_matrix(matrix, "rot6d_columns")
    np.testing.assert_allclose(columns, [*matrix[:, 0], *matrix[:, 1]])
    np.testing.assert_allclose(rotations.from_matrix(matrix, "rot6d_rows"), [*matrix[0], *matrix[1]])
    np.testing.assert_allclose(rotations.to_matrix(3.0 * columns, "rot6d_columns"), matrix, atol=1e-9)


@pytest.mark.parametrize("form", rotations.FORMATS)
def test_round_trip(form: str) -> None:
    vectors = np.random.default_rng(0).normal(size=(4, 5, 3))
    matrices = rotations.to_matrix(vectors, "rotation_vector")
    numbers = rotations.from_matrix(matrices, form)
    assert numbers.shape == (4, 5, rotations.width(form))
    np.testing.assert_allclose(rotations.to_matrix(numbers, form), matrices, atol=1e-9)


def test_what_is_no_rotation_is_refused() -> None:
    with pytest.raises(AgentError, match="quaternion has length 0"):
        rotations.to_matrix(np.zeros((2, 4)), "quaternion_wxyz")
    with pytest.raises(AgentError, match="along one line"):
        rotations.to_matrix(np.array([1.0, 0, 0, 2.0, 0, 0]), "rot6d_columns")
    with pytest.raises(AgentError, match="takes 4 numbers, got 3"):
        rotations.to_matrix(np.zeros(3), "quaternion_xyzw")
    with pytest.raises(UnknownNameError, match="'euler_xyy'"):
        rotations.width("euler_xyy")
