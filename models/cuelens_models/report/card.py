"""The model card: where a model comes from, whom it has not seen, and what it must not be used for.

After Mitchell et al. 2019, arXiv 1810.03993. What holds for every model stands in card.html.
"""

from html import escape
from importlib import resources

from cuelens_models.evaluate.candidate import Candidate


def card(model: Candidate) -> str:
    """Return the model card as HTML."""
    told = (
        f"<p><strong>{escape(model.title)}</strong>: recipe {escape(model.recipe)}, trained on data named"
        f" “{escape(model.learned_from)}”. It answers {escape(', '.join(model.labels))}.</p>\n"
    )
    return told + resources.files(__package__).joinpath("card.html").read_text("utf-8")
