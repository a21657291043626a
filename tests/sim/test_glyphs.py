"""Faces of signs: told apart, arrows point where they say, nothing dark at the rim."""

import numpy as np

from redrive.sim.glyphs import DISTRACTORS, ROUTE_GLYPHS, SIDE, Glyph, glyphs


def test_every_glyph_has_a_face_of_its_own() -> None:
    faces = glyphs().astype(int)
    assert faces.shape == (len(Glyph), SIDE, SIDE, 4)
    for a in Glyph:
        for b in Glyph:
            if a < b:
                assert np.abs(faces[a] - faces[b]).mean() > 5.0, (a, b)


def test_left_is_right_in_a_mirror_and_heavier_on_the_left() -> None:
    faces = glyphs().astype(int)
    for left, right in ((Glyph.LEFT, Glyph.RIGHT), (Glyph.DETOUR_LEFT, Glyph.DETOUR_RIGHT)):
        assert np.abs(faces[left][:, ::-1] - faces[right]).mean() < 1.0
    white = faces[Glyph.LEFT][4:-4, 4:-4, 0] > 200  # inside the frame
    head, tail = white[:, : SIDE // 2 - 4].sum(), white[:, SIDE // 2 - 4 :].sum()
    assert head > tail


def test_boards_are_opaque_and_the_octagon_has_no_corners() -> None:
    faces = glyphs()
    assert (faces[Glyph.LEFT][..., 3] == 255).all()
    assert faces[Glyph.STOP][0, 0, 3] == 0 and faces[Glyph.STOP][SIDE // 2, 2, 3] == 255
    shown = faces[Glyph.STOP][..., 3] > 0
    assert (faces[Glyph.STOP][shown][:, 0] > 150).all()  # red or white, down to the rim


def test_a_route_has_as_many_glyphs_as_branches_and_no_distractor_among_them() -> None:
    for branches, shown in ROUTE_GLYPHS.items():
        assert len(set(shown)) == branches
        assert not set(shown) & set(DISTRACTORS)
