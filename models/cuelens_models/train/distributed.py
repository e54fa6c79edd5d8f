"""Training on several devices or machines at once, through TensorFlow's own distribution.

Keras 3's `fit` does not run under MultiWorkerMirroredStrategy: it sums results over replicas in ways that the strategy
refuses. The loop here is the smallest that does. Each replica learns from an equal share of each batch, and the losses
are those of whole batches, so a team of any size gives the same curve. Batch norm takes its mean and deviation over the
whole batch; dropout alone differs, because every replica draws the same.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cuelens_models.errors import AbsentDevice, BadInput
from cuelens_models.train.batches import Views


class Team:
    """The processes that train together, as one of them sees it. number: of this one. size: how many there are."""

    def __init__(self, name: str) -> None:
        """Join the team: a worker waits here for the others. Nothing may use TensorFlow before.

        Workers find each other by TF_CONFIG, and share one output folder. name: "mirrored" or "multiworker".
        Raises BadInput if TF_CONFIG makes no sense, AbsentDevice if the others do not come.
        """
        if name == "mirrored":
            self.strategy: Any = tf.distribute.MirroredStrategy()
        else:
            try:
                with _together():
                    self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
            except (ValueError, RuntimeError, KeyError, TypeError) as error:
                raise BadInput(
                    f"the team of TF_CONFIG cannot be joined: {str(error).strip() or 'no reason'}"
                ) from error
            # TensorFlow makes a worker ignore SIGTERM.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resolver = self.strategy.cluster_resolver
        workers = resolver.cluster_spec().as_dict() if resolver else {}
        self.size = sum(len(addresses) for kind, addresses in workers.items() if kind in {"chief", "worker"}) or 1
        chiefs = len(workers.get("chief", ()))
        is_worker = resolver is not None and resolver.task_type == "worker"
        self.number = int(resolver.task_id) + chiefs if is_worker else 0
        self.writes = self.number == 0
        self._replicas = int(self.strategy.num_replicas_in_sync)

    def wait(self) -> None:
        """Return once every process of the team has come here."""

        @tf.function  # type: ignore[untyped-decorator]
        def meet() -> Any:
            return self.strategy.reduce("SUM", self.strategy.run(lambda: tf.constant(1.0)), axis=None)

        with _together():
            meet()

    def fit(self, network: keras.Model, batches: Views, initial_epoch: int, epochs: int, callback: Any) -> None:
        """Do what `network.fit` does.

        Raises BadInput if there are too few faces to share, AbsentDevice if another worker went away.

        Args:
            network: made in the strategy's scope.
            batches: shown to the network.
            initial_epoch: epochs done already.
            epochs: the last one to do.
            callback: of Keras.
        """
        if batches.batch % self._replicas:
            raise BadInput(f"a batch of {batches.batch} faces cannot be shared equally by {self._replicas} devices")
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = self._replicas > 1
        example = batches.share(0, 0, self._replicas)
        with self.strategy.scope():
            # Made here because otherwise the first step would make these variables inside a replica, which fails.
            network.optimizer.build(network.trainable_variables)
            network.compute_loss(y=example[1], y_pred=network(example[0]))

        def learn(inputs: Any, targets: Any) -> Any:
            with tf.GradientTape() as tape:
                # Keras divides the loss by the number of replicas: their gradients add up to that of the whole batch.
                loss = network.compute_loss(x=inputs, y=targets, y_pred=network(inputs, training=True), training=True)
            variables = network.trainable_variables
            network.optimizer.apply(tape.gradient(loss, variables), variables)
            return loss

        @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
        def step(batch: Any) -> Any:
            return self.strategy.reduce("SUM", self.strategy.run(learn, args=batch), axis=None)

        shared = self.strategy.distribute_datasets_from_function(lambda place: self._shares(batches, place, example))
        callback.set_model(network)
        callback.on_train_begin()
        with _together():
            for epoch in range(initial_epoch, epochs):
                callback.on_epoch_begin(epoch)
                losses: list[float] = []
                for index, batch in zip(range(len(batches)), shared, strict=False):
                    losses.append(float(step(batch)))
                    callback.on_train_batch_end(index, {"loss": float(np.mean(losses))})
                callback.on_epoch_end(epoch, {"loss": float(np.mean(losses))})
        self.wait()

    def _shares(self, batches: Views, place: Any, example: Any) -> tf.data.Dataset:
        """Return the shares of an epoch's batches that the devices of this process learn from, in their order."""
        here = place.num_replicas_in_sync // place.num_input_pipelines
        first = place.input_pipeline_id * here

        def shares() -> Iterator[Any]:
            for index in range(len(batches)):
                for replica in range(first, first + here):
                    yield batches.share(index, replica, place.num_replicas_in_sync)

        kinds = keras.tree.map_structure(lambda array: tf.TensorSpec(array.shape, array.dtype), example)
        return tf.data.Dataset.from_generator(shares, output_signature=kinds).prefetch(tf.data.AUTOTUNE)


@contextmanager
def _together() -> Iterator[None]:
    """Turn what TensorFlow raises when a worker is missing into one sentence."""
    try:
        yield
    except tf.errors.OpError as error:
        raise AbsentDevice(
            f"another worker went away or never came ({type(error).__name__}): start all of them again to go on"
        ) from error
