"""What running glasses are asked for: presses, cues to try and new profiles, on fakes of light and voice."""

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cuelens import events
from cuelens.link.replies import Done
from cuelens.link.requests import Press, Reload, Try
from cuelens.profile.profile import Profile
from cuelens.runtime.calibration import Ending


def test_presses_are_answered_with_what_they_did(glasses: Any) -> None:
    assert glasses.said(Press(gesture="mute")) == "muted: no cue comes unasked until the next mute"
    assert glasses.said(Press(gesture="mute")) == "no longer muted"
    assert glasses.said(Press(gesture="ask")) == "asked: the answer comes as a cue"
    assert glasses.said(Press(gesture="pause")) == "paused: the camera is off until the next pause"
    assert "the camera is off: `cuelens press pause`" in glasses.refused(Press(gesture="ask"))
    assert glasses.said(Press(gesture="pause")) == "no longer paused: the camera is on"
    assert glasses.refused(Press(gesture="calibrate")) == "no calibration was begun"
    glasses.wearer.resting = True
    assert glasses.said(Press(gesture="ask")) == "the next session begins"


def test_a_cue_is_tried_by_all_its_outputs_and_is_in_the_stream_but_in_no_story(
    glasses: Any, soon: Callable[..., bool]
) -> None:
    assert glasses.said(Try(word="happy")) == "happy was given by light and voice"
    assert soon(lambda: glasses.events(events.CueGiven))
    (cue,) = glasses.events(events.CueGiven)
    assert (cue.kind, cue.track, cue.word, cue.outputs) == ("try", None, "happy", ("light", "voice"))
    assert soon(lambda: glasses.voices[0].words == ["happy"])
    assert soon(lambda: "#F0E442" in {colour(pattern.colour) for pattern in glasses.light.patterns})
    glasses.said(Press(gesture="mute"))
    glasses.close()
    (session,) = glasses.sessions()
    assert [entry.kind for entry in session.entries] == ["press", "mute"]


def colour(parts: tuple[float, float, float]) -> str:
    """The colour of a light at 40 percent."""
    from cuelens.light.patterns import rgb
    from cuelens.profile.cue_book import LightCue

    for name in ("#F0E442", LightCue(colour="#0072B2").colour):
        if parts == pytest.approx([0.4 * part for part in rgb(name)]):
            return name
    return ""


@pytest.mark.parametrize(
    ("profile", "before", "word", "sentence"),
    [
        ("{}", "", "hapy", "'hapy' is no word of these glasses: expected one of angry, disgust, face,"),
        ("{}", "", "not_a_face", "is no word of these glasses"),
        ("{}", "", "contempt", "contempt has no cue in this profile"),
        ('{"cues": {"contempt": {"phrase": "sneer"}}}', "", "find contempt", "'find contempt' is no word of these"),
        ('{"cues": {"sad": null}}', "", "sad", "sad has no cue in this profile"),
        ('{"cues": {"sad": {"light": null}}}', "", "sad", "no output can tell sad now"),
        ("{}", "pause", "happy", "no cue is given while the glasses rest or are paused"),
        ("{}", "rest", "happy", "no cue is given while the glasses rest or are paused"),
        ("{}", "try", "happy", "a cue was tried a moment ago: wait for 1 s"),
    ],
)
def test_a_cue_that_may_not_be_given_is_refused_in_a_sentence(
    run_glasses: Any, profile: str, before: str, word: str, sentence: str
) -> None:
    glasses = run_glasses(profile)
    if before == "try":
        glasses.said(Try(word="angry"))
    elif before == "rest":
        glasses.wearer.resting = True
    elif before:
        glasses.said(Press(gesture="pause"))
    assert sentence in glasses.refused(Try(word=word))
    glasses.close()


@pytest.mark.parametrize(
    ("profile", "muted", "word", "sentence"),
    [
        ('{"sound": {"on": true}}', True, "happy", "happy was given by light"),
        ('{"sound": {"on": true}, "mode": "quiet"}', False, "happy", "happy was given by light"),
        ('{"sound": {"on": true}, "school": true}', False, "happy", "smile was given by light and voice"),
        ('{"school": true}', False, "sad", "face was given by light"),
        ('{"sound": {"on": true}}', False, "find happy", "find happy was given by light and voice"),
        ('{"sound": {"on": true}}', False, "unsure", "unsure was given by light and voice"),
        ('{"sound": {"on": true}}', False, "face", "face was given by light"),
    ],
)
def test_a_cue_is_tried_as_it_would_be_given(
    run_glasses: Any, profile: str, muted: bool, word: str, sentence: str, soon: Callable[..., bool]
) -> None:
    glasses = run_glasses(profile)
    if muted:
        glasses.said(Press(gesture="mute"))
    assert glasses.said(Try(word=word)) == sentence
    if "voice" in sentence:
        assert soon(lambda: len(glasses.voices[0].words) == 1)
    glasses.close()
    assert ("voice" in sentence) == any(voice.words for voice in glasses.voices)


def test_a_new_profile_holds_for_lights_words_mode_and_the_next_start(glasses: Any, soon: Callable[..., bool]) -> None:
    text = '{"mode": "explore", "sound": {"on": true}, "cues": {"happy": {"light": {"colour": "#0072B2"}}}}'
    glasses.profile(text)
    assert glasses.said(Reload()) == f"{glasses.state / 'profiles' / 'default.json'} is in force"
    assert [event.mode for event in glasses.events(events.Mode)] == ["explore"]
    assert glasses.events(events.Session)[1:] == []
    good = glasses.state / "good" / "default.json"
    assert good.read_text() != text
    # It is good once it has been in force for a minute of beats.
    glasses.feed.received += 15 * 60
    assert soon(lambda: good.read_text() == text)
    assert glasses.voices[0].closed
    assert glasses.said(Try(word="happy")) == "happy was given by light and voice"
    assert soon(lambda: glasses.voices[1].words == ["happy"])
    assert soon(lambda: "#0072B2" in {colour(pattern.colour) for pattern in glasses.light.patterns})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"mode": "loud"}', "mode is 'loud'"),
        ('{"sound": {"volume_percent": 140}}', "volume_percent"),
        ("{", "default.json"),
        ("", "default.json is empty"),
        ('{"mode": "smile", "play": {"find": ["sad"]}, "cues": {"sad": null}}', "play.find"),
        ('{"cues": {"happy": {"recording": "../none.wav"}}}', "../none.wav"),
    ],
)
def test_a_bad_profile_changes_nothing_and_is_a_sentence(
    glasses: Any, text: str, sentence: str, soon: Callable[..., bool]
) -> None:
    glasses.profile(text)
    said = glasses.refused(Reload())
    assert sentence in said
    assert said.endswith("; the profile in force stays")
    assert soon(lambda: glasses.events(events.Fault))
    assert [(fault.fault, fault.detail) for fault in glasses.events(events.Fault)] == [("profile damaged", said)]
    assert glasses.said(Try(word="happy")) == "happy was given by light and voice"
    assert not glasses.voices[0].closed
    assert len(glasses.voices) == 1
    assert (glasses.state / "good" / "default.json").read_text() == '{"sound": {"on": true}}'
    assert (glasses.state / "profiles" / "default.json").read_text() == text


def test_a_good_profile_after_a_bad_one_is_taken(glasses: Any) -> None:
    glasses.profile("{")
    glasses.refused(Reload())
    glasses.profile('{"mode": "quiet"}')
    glasses.said(Reload())
    assert [event.mode for event in glasses.events(events.Mode)] == ["quiet"]


def test_a_profile_that_is_gone_leaves_the_factory_s(glasses: Any) -> None:
    (glasses.state / "profiles" / "default.json").unlink()
    assert glasses.said(Reload()) == "the factory profile is in force"
    assert glasses.said(Try(word="happy")) == "happy was given by light"


def test_the_name_of_another_profile_is_taken(glasses: Any) -> None:
    (glasses.state / "profiles" / "school.json").write_text('{"school": true}')
    (glasses.state / "active").write_text("school\n")
    assert glasses.said(Reload()).endswith("school.json is in force")
    assert glasses.said(Try(word="happy")) == "smile was given by light"


def test_the_mode_of_the_command_line_outlasts_a_new_profile(run_glasses: Any) -> None:
    glasses = run_glasses("{}", mode="quiet")
    glasses.profile('{"mode": "explore", "sound": {"on": true}}')
    glasses.said(Reload())
    assert glasses.events(events.Mode) == []
    glasses.close()


def test_what_nobody_would_perceive_is_a_warning(glasses: Any, soon: Callable[..., bool]) -> None:
    glasses.profile('{"light": {"brightness_percent": 0}, "policy": {"margin": 0.1}}')
    glasses.said(Reload())
    assert soon(lambda: len(glasses.events(events.Fault)) >= 2)
    assert {fault.fault for fault in glasses.events(events.Fault)} == {"profile warning", "profile outdated"}


def test_at_a_school_another_session_begins_with_a_story_of_its_own(glasses: Any, soon: Callable[..., bool]) -> None:
    assert soon(lambda: glasses.feed.received > 5)
    glasses.said(Press(gesture="mute"))
    glasses.profile('{"school": true}')
    glasses.said(Reload())
    received = glasses.feed.received
    assert soon(lambda: glasses.feed.received > received + 5)
    assert [start.school for start in glasses.events(events.Start)] == [True]
    assert [session.state for session in glasses.events(events.Session)] == ["began", "ended", "began"]
    glasses.close()
    first, second = glasses.sessions()
    assert (first.school, second.school) == (False, True)
    assert [(entry.kind, entry.word) for entry in second.entries] == [("mute", "on")]


def test_a_loop_that_does_not_turn_is_a_sentence_and_the_profile_is_not_taken_later(
    glasses: Any, soon: Callable[..., bool]
) -> None:
    glasses.feed.going.clear()
    assert glasses.feed.stuck.wait(8)
    glasses.profile('{"mode": "quiet", "sound": {"on": true}}')
    assert "busy: the profile in force stays; try again" in glasses.refused(Reload())
    glasses.feed.going.set()
    received = glasses.feed.received
    assert soon(lambda: glasses.feed.received > received + 5)
    assert glasses.events(events.Mode) == []
    assert [voice.closed for voice in glasses.voices] == [False, True]


def test_many_at_once_are_taken_one_after_the_other(glasses: Any) -> None:
    glasses.profile('{"mode": "quiet"}')
    replies: list[object] = []
    threads = [threading.Thread(target=lambda: replies.append(glasses.requests.answer(Reload()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {type(reply) for reply in replies} == {Done}
    assert [event.mode for event in glasses.events(events.Mode)] == ["quiet"]


def test_a_hang_up_has_the_same_effect(
    glasses: Any, capsys: pytest.CaptureFixture[str], soon: Callable[..., bool]
) -> None:
    reloads: queue.SimpleQueue[bool] = queue.SimpleQueue()
    glasses.profile("{")
    reloads.put(True)
    thread = threading.Thread(target=glasses.requests.follow, args=(reloads,))
    thread.start()
    assert soon(lambda: glasses.events(events.Fault))
    glasses.profile('{"mode": "quiet"}')
    reloads.put(True)
    assert soon(lambda: glasses.events(events.Mode))
    reloads.put(False)
    thread.join()
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("the profile in force stays")
    assert second.endswith("default.json is in force")


def test_the_factory_profile_needs_no_file(run_glasses: Any, tmp_path: Path) -> None:
    glasses = run_glasses()
    assert glasses.said(Reload()) == "the factory profile is in force"
    assert not (tmp_path / "good").exists()
    assert Profile().mode == "companion"
    glasses.close()


def test_changed_settings_end_the_run_and_wrong_ones_change_nothing(glasses: Any, soon: Callable[..., bool]) -> None:
    config = glasses.state / "cuelens.toml"
    config.write_text(f'[places]\nstate = "{glasses.state}"\n[camera]\nfps = 99\n')
    glasses.profile('{"mode": "quiet"}')
    refusal = glasses.refused(Reload())
    assert "line 4, column 1: camera.fps must be a whole number from 2 to 60, not 99" in refusal
    assert soon(lambda: glasses.events(events.Fault))
    assert [(fault.fault, fault.detail) for fault in glasses.events(events.Fault)] == [("settings damaged", refusal)]
    assert glasses.events(events.Mode) == []
    config.write_text(f'[places]\nstate = "{glasses.state}"\n[camera]\nfps = 20\n')
    glasses.calibration.begin()
    assert "a calibration is on" in glasses.refused(Reload())
    assert not glasses.ended.is_set()
    glasses.calibration.leave(Ending())
    assert "begin anew" in glasses.said(Reload())
    assert glasses.ended.is_set()
    assert "begin anew" in glasses.said(Reload())
    assert glasses.events(events.Mode) == []


def test_a_run_that_has_ended_by_itself_does_not_begin_anew(glasses: Any) -> None:
    (glasses.state / "cuelens.toml").write_text(f'[places]\nstate = "{glasses.state}"\n[camera]\nfps = 20\n')
    glasses.stop.set()
    glasses.thread.join()
    assert "stopping or busy: the settings in force stay" in glasses.refused(Reload())
    assert not glasses.ended.is_set()
