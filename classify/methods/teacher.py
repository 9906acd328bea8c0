"""A teacher: the moving average of the network, for mean teacher and masked image consistency."""

from __future__ import annotations

from classify.methods.base import Method
from classify.network import Network
from scenes.section import Section
from training.teacher import Taught, Teacher


class TeacherStudent(Taught, Method):
    """A method with a teacher, which is updated after each step."""

    class Settings(Section):
        """decay: of the teacher's average."""

        decay: float = 0.99

    settings: Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        self.teacher = Teacher(network, self.settings.decay)
