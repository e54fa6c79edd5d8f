"""What happens in each epoch of a training: its view is shown, the network is judged, stored and reported."""

import time
from collections.abc import Callable

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.training_record import CurvePoint
from cuelens_models.data.faces import Faces
from cuelens_models.data.protocols import label
from cuelens_models.progress import Steps
from cuelens_models.train.batches import Views
from cuelens_models.train.checkpoints import RunFolder
from cuelens_models.train.targets import Head

Measure = Callable[[keras.Model, int, float, float], CurvePoint]
"""From the network, the epoch's number, its loss and the monotonic time when it began to its point of the curve."""


class Judge:
    """Compares a head's answers with the truth of its protocol, whose labels the head has first. truth: (n,)."""

    def __init__(self, faces: Faces, head: Head, model_input: Input) -> None:
        """Take those of the faces that count under the head's protocol. Raises BadInput if there are none.

        Args:
            faces: to judge on.
            head: of the network.
            model_input: how the network is fed.
        """
        labelled = label(faces, head.protocol)
        self.head = head
        self._inputs = model_inputs(faces.pixels[labelled.indices], model_input)
        self.truth = labelled.truth
        self.labels = len(labelled.labels)
        """How many labels the protocol has."""

    def accuracy(self, network: keras.Model) -> float:
        """Return the share of right answers."""
        return self.accuracy_of(self.logits(network))

    def accuracy_of(self, logits: NDArray[np.float64]) -> float:
        """Return the share of right answers, from the result of `logits`."""
        return float((logits.argmax(axis=1) == self.truth).mean())

    def logits(self, network: keras.Model) -> NDArray[np.float64]:
        """Return the logits of the protocol's labels, (faces of the protocol, labels)."""
        logits = network.predict(self._inputs, batch_size=256, verbose=0)[self.head.name]
        return np.asarray(logits[:, : self.labels], np.float64)


class Average:
    """An exponential moving average of a network's weights."""

    def __init__(self, network: keras.Model, span: float, steps: int) -> None:
        """Go on averaging into `network`.

        Args:
            network: holds the averaged weights.
            span: steps that the average looks back over.
            steps: averaged so far.
        """
        self.network = network
        self._span, self._steps = max(1.0, span), steps

    def add(self, network: keras.Model) -> None:
        """Add the weights of the trained network after a step."""
        self._steps += 1
        decay = min(1 - 1 / self._span, (1 + self._steps) / (10 + self._steps))
        for mean, new in zip(self.network.weights, network.weights, strict=True):
            if keras.backend.is_float_dtype(new.dtype):
                mean.assign(mean.value * decay + keras.ops.cast(new.value, mean.dtype) * (1 - decay))


class Epochs(keras.callbacks.Callback):  # type: ignore[misc]
    """The Keras callback of every training here."""

    def __init__(
        self,
        batches: Views,
        seed: int,
        run: RunFolder,
        curve: list[CurvePoint],
        measure: Measure,
        steps: Steps,
        *,
        average: Average | None = None,
        is_done: Callable[[], bool] = lambda: False,
    ) -> None:
        """Follow a training that has done the epochs of `curve`.

        Args:
            batches: shown to the network.
            seed: of the training.
            run: where each epoch is stored.
            curve: the epochs done so far; each new one is appended.
            measure: judges the network after an epoch, or its averaged weights.
            steps: counts epochs.
            average: of the weights; without one the network itself is judged and stored.
            is_done: whether to stop after this epoch.
        """
        super().__init__()
        self._batches, self._seed, self._run, self._curve = batches, seed, run, curve
        self._measure, self._steps, self._average, self._is_done = measure, steps, average, is_done
        self._began = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Count the epochs that were done before."""
        if self._curve:
            self._steps.advance(len(self._curve))

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Turn to the epoch's view."""
        self._began = time.monotonic()
        self._batches.epoch = epoch + 1
        # Dropout follows from seed and epoch: Keras stores everything else, but not the state of its dropout.
        # On PyTorch it draws from the generator of the process, whose seed is less than 2**32.
        keras.utils.set_random_seed((self._seed + epoch + 1) % 2**32)
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate:
                layer.seed_generator.state.assign([self._seed, epoch + 1])

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Average the weights, and report the step."""
        if self._average:
            self._sync()
            self._average.add(self.model)
        self._steps.advance(1 / len(self._batches), f"loss {(logs or {})['loss']:.3f}")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Judge, store and report the epoch."""
        self._sync()
        judged = self._average.network if self._average else self.model
        point = self._measure(judged, epoch + 1, float((logs or {})["loss"]), self._began)
        self._curve.append(point)
        self._run.save(self.model, self._curve, self._average.network if self._average else None)
        accuracies = ", ".join(f"{protocol} {value:.1%}" for protocol, value in point.accuracy.items())
        self._steps.line(f"  epoch {point.number:3d}  loss {point.loss:.3f}  inner split: {accuracies}")
        if self._is_done():
            self.model.stop_training = True

    def _sync(self) -> None:
        """JAX trains on copies of the weights: fetch them."""
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
