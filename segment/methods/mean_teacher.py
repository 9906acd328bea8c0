"""Mean teacher: predictions on strongly augmented pictures follow a teacher's on weakly augmented ones."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from segment.logits import chances
from segment.methods.teacher import TeacherStudent
from training.method import Batch, Unlabeled
from training.teacher import warm_up


def disagreement(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference () of the probabilities, from logits (n, …, h, w). No gradient to `teacher`.

    Tarvainen and Valpola, Mean teachers are better role models, NeurIPS 2017, section 2, for pixels.
    """
    return (chances(student) - chances(teacher.detach())).square().mean()


class MeanTeacher(TeacherStudent):
    """The loss on the source and `disagreement` with a warm-up. The teacher makes the predictions."""

    class Settings(TeacherStudent.Settings):
        """weight: of the disagreement. warm_up: share of training in which the weight rises."""

        weight: float = Field(default=20.0, ge=0)
        warm_up: float = Field(default=0.25, ge=0, le=1)

    settings: Settings

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        weight = self.settings.weight * warm_up(progress, self.settings.warm_up)
        teacher, student = self.taught(target.images), self.network(target.strong)
        return {**super().losses(source, target, progress), "consistency": weight * disagreement(student, teacher)}

    def predict(self, images: Tensor) -> Tensor:
        logits: Tensor = self.teacher(images)
        return logits
