"""Keeping the chatter of native libraries off the user's screen: it comes from C++, past Python's streams."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from cuelens_models.errors import CuelensError


@contextmanager
def tensorflow_quiet(*, gpu: bool = False) -> Iterator[None]:
    """Like `native_quiet`, for the import of TensorFlow and for calls to it. gpu: whether one is wanted."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not gpu:
        # Looking for one costs seconds and warnings.
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    # Its advice is about how to write programs; whoever runs one can do nothing with it.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with native_quiet():
        yield


@contextmanager
def native_quiet() -> Iterator[None]:
    """Hide what is printed meanwhile, by native code and by Python; show it after all if the block fails.

    It holds for the whole process, so use it only while no other thread has anything to say. A CuelensError explains
    itself, and a missing package is explained by the caller: then nothing more is shown.
    """
    if sys.stdout is None or sys.stderr is None:
        # Started without them: nothing can be seen anyway.
        yield
        return
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 1)
        os.dup2(hidden.fileno(), 2)
        try:
            yield
        except (ImportError, CuelensError):
            raise
        except Exception:
            hidden.seek(0)
            os.write(kept[1], hidden.read())
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in enumerate(kept, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)
