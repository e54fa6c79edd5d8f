"""Checks a language of one's own before it goes to cuelens/profile/languages; the one beside this is Esperanto."""

import argparse
from pathlib import Path

from cuelens.config_file import read_toml
from cuelens.profile.language import Language
from cuelens.profile.phrases import makes_claim


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("language", nargs="?", type=Path, default=Path(__file__).with_name("eo.toml"))
    file = options.parse_args().language
    spoken = read_toml(file, Language)
    for word, phrase in spoken.says().items():
        words = phrase.replace(":", "")
        fault = ", which claims a feeling" if makes_claim(words, spoken) else ""
        print(f"{word}: {phrase}{fault if len(words.split()) <= 2 else ', which is too long'}")
    print(f'{spoken.name} has every phrase; once it is there, a profile chooses it by "language": "{file.stem}"')


if __name__ == "__main__":
    main()
