"""Mean teacher: predictions on strongly augmented pictures follow a teacher's on weakly augmented ones."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

from classify.methods.teacher import TeacherStudent
from training.method import Batch, Unlabeled
from training.teacher import warm_up


def disagreement(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared distance () of the two predictions, 1/n sum_i |p_i - q_i|^2.

    p = softmax(student), q = softmax(teacher) without gradient. Tarvainen and Valpola, Mean teachers are better role
    models, NeurIPS 2017, section 2. student, teacher: (n, k) logits.
    """
    return (student.softmax(1) - teacher.detach().softmax(1)).square().sum(1).mean()


class MeanTeacher(TeacherStudent):
    """Source cross-entropy and `disagreement` with a warm-up. The teacher makes the predictions.

    Batch norm treats source and target apart.
    """

    class Settings(TeacherStudent.Settings):
        """weight: of the disagreement (0.1 times 32 pictures). warm_up: share of training in which the weight rises."""

        weight: float = 3.2
        warm_up: float = 0.25

    settings: Settings

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        weight = self.settings.weight * warm_up(progress, self.settings.warm_up)
        teacher, student = self.teacher(target.images, by_batch=True), self.network(target.strong)
        return {
            "source": cross_entropy(self.network(source.images).logits, source.targets),
            "consistency": weight * disagreement(student.logits, teacher.logits),
        }

    def predict(self, images: Tensor) -> Tensor:
        return self.teacher(images).logits
