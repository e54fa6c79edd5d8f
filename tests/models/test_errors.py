import pytest

from cuelens_models import errors


@pytest.mark.parametrize(
    ("error", "builtin", "status"),
    [
        (errors.CuelensError, Exception, 70),
        (errors.BadInput, ValueError, 3),
        (errors.BadBundle, ValueError, 3),
        (errors.EmptyCrop, ValueError, 3),
        (errors.MissingExtra, ImportError, 3),
        (errors.AbsentDevice, OSError, 3),
        (errors.Unwritable, OSError, 3),
        (errors.Refused, RuntimeError, 4),
        (errors.CameraLost, OSError, 70),
    ],
)
def test_an_error_is_what_a_caller_would_catch_and_has_the_documented_status(
    error: type[errors.CuelensError], builtin: type[Exception], status: int
) -> None:
    assert issubclass(error, builtin)
    assert issubclass(error, errors.CuelensError)
    assert error.exit_status == status
    assert str(error("one sentence")) == "one sentence"


def test_a_bundle_and_a_crop_are_bad_input_too() -> None:
    assert issubclass(errors.BadBundle, errors.BadInput)
    assert issubclass(errors.EmptyCrop, errors.BadInput)
