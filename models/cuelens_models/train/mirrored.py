"""The loss of our networks: cross-entropy, and how far the answers to a face and to its mirror image lie apart."""

from typing import Any

import keras

Tensor = Any


@keras.saving.register_keras_serializable("cuelens")
class Mirrored(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy, and `weight` times the mean of both Kullback-Leibler divergences of a face and its mirror image.

    With a weight other than 0 a batch is made of faces and, in the same order, their mirror images: of an even number.
    A row of targets that sums to less than 1 counts less, one of zeros not at all. Keras's own cross-entropy does the
    same, but for its gradient on TensorFlow, which takes every row to sum to 1.
    """

    def __init__(self, weight: float = 0.0, name: str = "mirrored", **kept: Any) -> None:
        """Weigh the distance against the cross-entropy. kept: what Keras stores of every loss."""
        super().__init__(name=name, **kept)
        self.weight = weight

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (n,).

        Args:
            y_true: targets, (n, labels).
            y_pred: logits, (n, labels).
        """
        ops = keras.ops
        logs = ops.log_softmax(y_pred, axis=-1)
        crossed = -ops.sum(y_true * logs, axis=-1)
        if not self.weight:
            return crossed
        face, image = ops.split(logs, 2, axis=0)
        apart = ops.sum((ops.exp(face) - ops.exp(image)) * (face - image), axis=-1) / 2
        return crossed + self.weight * ops.concatenate([apart, apart])

    def get_config(self) -> dict[str, Any]:
        """Return what Keras stores in a checkpoint."""
        return {**super().get_config(), "weight": self.weight}
