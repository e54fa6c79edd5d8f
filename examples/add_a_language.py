"""Checks a language of one's own before it goes to cuelens/profile/languages; the one beside this is Esperanto."""

import argparse
from pathlib import Path

from cuelens.config_file import read_toml
from cuelens.profile.language import Language
from cuelens.profile.phrases import makes_claim


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("language", nargs="?", type=Path, default=Path(__file__).with_name("eo.toml"))
    spoken = read_toml(options.parse_args().language, Language)
    for word, phrase in spoken.says().items():
        wrong = "is too long" if len(phrase.split()) > 2 else "makes a claim" if makes_claim(phrase, spoken) else ""
        print(f"{word}: {phrase} {wrong}".rstrip())
    print(f"{spoken.name}: a profile with \"language\": \"{options.parse_args().language.stem}\" will speak it")


if __name__ == "__main__":
    main()
