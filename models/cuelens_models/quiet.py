"""Hiding the output of native libraries. It comes from C++, so Python's streams do not see it."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from cuelens_models.errors import CuelensError


@contextmanager
def tensorflow_quiet(*, gpu: bool = False) -> Iterator[None]:
    """Do what `native_quiet` does, for importing TensorFlow and for calls to it. gpu: let it look for a GPU."""
    # Imported here: every start of the glasses would pay for it.
    import logging

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not gpu:
        # Looking for a GPU costs seconds and prints warnings.
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    # Its warnings are advice for programmers, not for users of a command.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with native_quiet():
        yield


@contextmanager
def native_quiet() -> Iterator[None]:
    """Hide all output of the block, by native code and by Python. The output is shown if the block fails.

    It redirects the descriptors of the whole process, so use it only while no other thread prints. On a CuelensError
    or an ImportError the output stays hidden: the caller explains these.
    """
    if sys.stdout is None or sys.stderr is None:
        # A process without standard streams shows nothing anyway.
        yield
        return
    sys.stdout.flush()
    sys.stderr.flush()
    originals = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 1)
        os.dup2(hidden.fileno(), 2)
        try:
            yield
        except (ImportError, CuelensError):
            raise
        except Exception:
            hidden.seek(0)
            os.write(originals[1], hidden.read())
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in enumerate(originals, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)
