"""Draws heads, without a screen: OpenGL on EGL, by a graphics driver or by Mesa's llvmpipe on the processor."""

import sys
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from benchmarks.heads import shaders
from benchmarks.heads.assets import Floats
from benchmarks.heads.paint import Tone, grain, openness, paint
from benchmarks.heads.pose import Pose, Skin
from benchmarks.heads.rig import Rig

from cuelens.frame import Grey
from cuelens_models.command import require
from cuelens_models.errors import BadInput

FINER: Final = 1.5
"""What is drawn has so many times the pixels of the picture, across and down, and is then shrunk."""
_SHADOW: Final = 512
_NEAR: Final = 1.0
_FAR: Final = 60.0
_DYNAMIC: Final = "3f 3f 1f"
_STATIC: Final = "4f 2f 1f 3f 1f"
BROWS: Final = 0.03
"""The most that brows and lashes reflect: they turn grey late."""
PARTS: Final = ("skin", "eyes", "teeth", "gums", "tongue", "brows", "lashes", "hair")


@dataclass(frozen=True)
class Light:
    """The light on a head.

    Attributes:
        azimuth: of the main light, in degrees to the camera's right.
        height: of the main light, in degrees above the camera.
        key: strength of the main light.
        above: strength of light from all around above.
        below: strength of light from all around below.
        exposure: what light is multiplied with before it becomes grey levels.
    """

    azimuth: float = 30.0
    height: float = 35.0
    key: float = 0.8
    above: float = 0.5
    below: float = 0.25
    exposure: float = 1.0


@dataclass(frozen=True)
class View:
    """Where a head is in front of the camera.

    Attributes:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        focal: focal length, in pixels.
        place: the middle between the eyes, in decimetres: right, up and away from the camera.
    """

    width: int
    height: int
    focal: float
    place: tuple[float, float, float]


@dataclass(frozen=True)
class Drawn:
    """A drawn head. grey: uint8 (height, width). skin, cover: float32 of that shape, shares of each pixel, 0 to 1."""

    grey: Grey
    skin: Floats
    cover: Floats


class Studio:
    """Draws into pictures of one size. It lives on the thread that made it."""

    def __init__(self, width: int, height: int) -> None:
        """Open a context. width, height: in pixels.

        Raises MissingExtra without moderngl, BadInput without EGL or beside TensorFlow: both bring an LLVM, and the
        software renderer then ends the process by a signal (Mesa 22.3, TensorFlow 2.21).
        """
        if "tensorflow" in sys.modules:
            raise BadInput("heads cannot be drawn in a process that has imported TensorFlow: use another process")
        try:
            import moderngl
        except ImportError as error:
            raise require("moderngl", "heads") from error
        try:
            context: Any = moderngl.create_standalone_context(backend="egl")  # type: ignore[arg-type]
        except Exception as error:
            # Whatever is missing of EGL, the library raises bare exceptions.
            raise BadInput(f"no OpenGL on EGL ({error}): install libegl1 and libgl1-mesa-dri") from error
        self.context = context
        self._size = round(FINER * width), round(FINER * height)
        self._shadow_program = context.program(shaders.SHADOW_VERTEX, shaders.SHADOW_FRAGMENT)
        self._program = context.program(shaders.VERTEX, shaders.FRAGMENT)
        self._shadow_map = context.depth_texture((_SHADOW, _SHADOW))
        self._shadow_map.compare_func = "<="
        self._shadow_target = context.framebuffer(depth_attachment=self._shadow_map)
        self._target = context.framebuffer(context.renderbuffer(self._size, 4), context.depth_renderbuffer(self._size))
        self._grain = context.texture((256, 256), 1, grain(np.random.default_rng(0)).tobytes(), dtype="f4")
        self._grain.build_mipmaps()
        context.enable(moderngl.DEPTH_TEST | moderngl.CULL_FACE)

    def sitter(self, rig: Rig) -> "Sitter":
        """Return a person who can be drawn here."""
        return Sitter(self.context, self._program, self._shadow_program, rig)

    def draw(self, sitter: "Sitter", pose: Pose, tone: Tone, light: Light, view: View) -> Drawn:
        """Draw a person.

        Args:
            sitter: who.
            pose: the face, head and eyes.
            tone: of the skin.
            light: where it comes from, and how strong it is.
            view: where the head is; its size is this studio's.
        """
        sitter.take(pose)
        from_key = _direction(light.azimuth, light.height)
        to_light = _light_matrix(from_key)
        place = np.array(view.place, np.float32) * (1, 1, -1)
        self._shadow_program["light"].write(to_light.T.tobytes())
        self._shadow_target.clear()
        self._shadow_target.use()
        sitter.draw_shadow()
        values: dict[str, Any] = {
            "eye": tuple(-place),
            "key_from": tuple(from_key),
            "key": light.key,
            "sky": (light.above, light.below),
            "exposure": light.exposure,
            "reflectance": tone.reflectance,
            "blood": tone.blood,
            "grain": 0,
            "shadow": 1,
        }
        for name, value in values.items():
            self._program[name] = value
        self._program["light"].write(to_light.T.tobytes())
        self._program["camera"].write(_camera_matrix(view, place).T.tobytes())
        self._grain.use(0)
        self._shadow_map.use(1)
        self._target.clear()
        self._target.use()
        sitter.draw()
        width, height = self._size
        fine = np.frombuffer(self._target.read(components=4), np.uint8).reshape(height, width, 4)[::-1]
        picture = cv2.resize(fine, (view.width, view.height), interpolation=cv2.INTER_AREA)
        share = np.asarray(picture[..., 1:] / np.float32(255), np.float32)
        return Drawn(np.ascontiguousarray(picture[..., 0], np.uint8), share[..., 0], share[..., 2])


class Sitter:
    """A rig in a graphics context."""

    def __init__(self, context: Any, program: Any, shadow_program: Any, rig: Rig) -> None:
        """Hand over what stays. It is made by `Studio.sitter`.

        Args:
            context: where to draw.
            program: what draws.
            shadow_program: what draws shadows.
            rig: who is drawn.
        """
        self.rig = rig
        self._skin = Skin(rig)
        self._program = program
        original = rig.original.copy()
        for centre, own in rig.eyes:
            original[own] = rig.rest[own] - centre
        columns = [paint(rig), rig.uv, rig.edge[:, None], original, openness(rig)[:, None]]
        fixed = np.concatenate(columns, axis=1).astype(np.float32)
        static = context.buffer(fixed.tobytes())
        self._held: list[Any] = [static]
        self._dynamic = context.buffer(reserve=len(fixed) * 28, dynamic=True)
        self._arrays = []
        self._shadows = []
        for part in rig.parts:
            index = context.buffer(part.triangles.tobytes())
            self._held.append(index)
            moving = (self._dynamic, _DYNAMIC, "point", "normal", "fold")
            still = (static, _STATIC, "paint", "uv", "edge", "original", "open")
            self._arrays.append((part.name, context.vertex_array(program, [moving, still], index)))
            if part.name in ("skin", "hair"):
                # What is cut away at free edges throws no shadow either.
                whole = part.triangles[rig.edge[part.triangles].min(axis=1) > 0]
                throwing = context.buffer(whole.tobytes())
                self._held.append(throwing)
                only = (self._dynamic, "3f 16x", "point")
                self._shadows.append(context.vertex_array(shadow_program, [only], throwing))

    def take(self, pose: Pose) -> None:
        """Take a pose."""
        surface = self._skin.surface(pose)
        moving = np.concatenate([surface.points, surface.normals, surface.folds[:, None]], axis=1)
        self._dynamic.write(moving.astype(np.float32).tobytes())

    def release(self) -> None:
        """Give back what the graphics context holds. The sitter cannot be drawn after that."""
        arrays = [array for _, array in self._arrays]
        for thing in (*arrays, *self._shadows, self._dynamic, *self._held):
            thing.release()

    def draw_shadow(self) -> None:
        """Draw what throws shadows."""
        for array in self._shadows:
            array.render()

    def draw(self) -> None:
        """Draw all parts."""
        person = self.rig.person
        for name in ("hair_shade", "cloth_shade", "iris_shade", "gloss", "brow_fill"):
            self._program[name] = getattr(person, name)
        self._program["brow_shade"] = min(person.hair_shade, BROWS)
        for name, array in self._arrays:
            self._program["part"] = PARTS.index(name)
            array.render()


def _direction(azimuth: float, height: float) -> Floats:
    right, up = np.radians((azimuth, height))
    return np.array((np.sin(right) * np.cos(up), np.sin(up), np.cos(right) * np.cos(up)), np.float32)


def _light_matrix(from_key: Floats) -> Floats:
    """Return the matrix of a lamp far away, which sees a ball of two and a half decimetres around the head."""
    right = np.cross((0.0, 1.0, 0.0), from_key)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(from_key, right), -from_key])
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, :3] = axes / 2.5
    matrix[:3, 3] = axes @ (0.0, 0.4, 0.6) / 2.5
    return matrix


def _camera_matrix(view: View, place: Floats) -> Floats:
    """Return the matrix of the camera, which stands at the origin and looks along -z. place: of the head."""
    matrix = np.zeros((4, 4), np.float32)
    matrix[0, 0] = 2 * view.focal / view.width
    matrix[1, 1] = 2 * view.focal / view.height
    matrix[2, 2:] = -(_FAR + _NEAR) / (_FAR - _NEAR), -2 * _FAR * _NEAR / (_FAR - _NEAR)
    matrix[3, 2] = -1
    move = np.eye(4, dtype=np.float32)
    move[:3, 3] = place
    return np.asarray(matrix @ move, np.float32)
