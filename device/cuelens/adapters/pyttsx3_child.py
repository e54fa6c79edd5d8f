"""Text to speech: renders one phrase to a WAV file with pyttsx3, in a child process that can be killed.

    python -m cuelens.adapters.pyttsx3_child LANGUAGE WORDS_PER_MINUTE PHRASE FILE

pyttsx3 can hang, and its `say` cannot be stopped. Rendering to a file avoids `say`.
"""

import sys


def main() -> None:
    """Render the phrase in the command-line arguments."""
    import pyttsx3

    language, words_per_minute, phrase, file = sys.argv[1:]
    engine = pyttsx3.init()
    engine.setProperty("voice", _voice(engine.getProperty("voices"), language))
    engine.setProperty("rate", int(words_per_minute))
    engine.save_to_file(phrase, file)
    engine.runAndWait()


def _voice(voices: list[object], language: str) -> str:
    """Return the shortest id among the voices of a language ("en" before "en-us"), else the language itself."""
    languages_by_id = {str(getattr(voice, "id", "")): str(getattr(voice, "languages", "")) for voice in voices}
    ids = [
        name
        for name, languages in languages_by_id.items()
        if name.rpartition("/")[2].startswith(language) or language in languages
    ]
    return min(ids, key=len) if ids else language


if __name__ == "__main__":
    main()
