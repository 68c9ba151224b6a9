"""Words that a reader of another field may not know: marked where they first stand, listed at the end."""

import re

from markupsafe import Markup, escape

from recovery_microglia.report.blocks import GlossaryList, Section

TERMS: dict[str, str] = {
    "recovery microglia": "Microglia with the RNA of the CD11c⁺ subgroup that appears while neuropathic pain eases (Kohno 2022).",
    "recovery cell": "A microglia that runs the recovery programme. Called: its score exceeds the cutoff of its animal, and more than one gene supports it. It may run other programmes as well.",
    "signature": "The 14 genes that rise in the subgroup. Falling genes are not counted: they fall in every reactive state.",
    "recovery score": "Log-likelihood ratio in nats: how much likelier a cell's counts are if it runs the recovery programme than if it does not, whatever else it runs.",
    "programme": "Genes that rise together: recovery, acute inflammation, interferon response, cell cycle, migration, handling stress. A cell can run several.",
    "probability of recovery": "The probability that a cell runs the recovery programme at least two fifths as far as a typical recovery cell of the data set, given its score and the share of such cells in its animal.",
    "cutoff": "The score above which a cell is called. Each animal has its own: even odds, from where on a cell is more likely a recovery cell than not given how many its animal has.",
    "without a cutoff": "The share of recovery cells that makes an animal's scores likeliest. All shares and tests of days are of this kind; called cells are counts at a cutoff, which differs between animals, and stand beside.",
    "control": "Naive, sham-operated or contralateral: what a day's injured animals are compared with.",
    "onset": "The day on which a quarter of the rise is reached, given as a 95 % interval between sampled days. The first day that is shown to be above control is another thing: it depends on how many animals and cells there are.",
    "beta-binomial": "A model of shares in which animals differ from each other more than their numbers of cells explain.",
    "permutation": "Reassigning animals to groups in all ways: with few animals even the clearest difference has a large p.",
    "false-discovery rate": "q: the share of false ones expected among all results called by the same threshold.",
    "doublet": "Two cells in one droplet, read as one.",
    "ambient RNA": "RNA that floats around and is counted in every droplet.",
    "depth": "Counts (UMIs) a cell: the deeper, the more genes are seen.",
    "lineage": "Which kind of cell it is, whatever it is doing.",
    "ambiguous": "Two lineages explain the cell about equally, or it looks like a mixture of both.",
    "embedding": "A map on which cells with similar RNA lie together (UMAP). Distances between islands mean nothing.",
    "confounded": "Changes exactly with the days, or with another variable, so that their effects are not estimable.",
    "Cramér's V": "How far two properties go together, from 0 (not at all) to 1 (one gives the other).",
    "Jaccard": "How much two groups overlap: shared cells over all cells of either.",
    "Cohen's kappa": "Agreement beyond chance: 1 always, 0 as by chance.",
    "detection limit": "The smallest true share that is detected in four of five studies of this design (80 % power, by default). It is higher if the animals of a risen day differ more than those of the other days, which is not known before a day has risen.",
    "handling stress": "Genes that dissociation of the tissue switches on (exAM, Marsh 2022); they sit in control microglia too.",
}  # fmt: skip
"""Term to its meaning, in the order of the list."""
_PATTERN = re.compile(
    "|".join(rf"\b{re.escape(term)}s?\b" for term in sorted(TERMS, key=len, reverse=True)), re.IGNORECASE
)


class Glossary:
    """Marks each term once on a page, where it first stands."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def mark(self, text: str) -> Markup:
        """Return a text as HTML in which terms that are new on the page explain themselves."""
        parts, last = [], 0
        for found in _PATTERN.finditer(text):
            term = _term(found[0])
            if term in self._seen:
                continue
            self._seen.add(term)
            parts += [
                escape(text[last : found.start()]),
                Markup('<span class="term" role="button" tabindex="0" data-tip="{}">{}</span>').format(
                    TERMS[term], found[0]
                ),
            ]
            last = found.end()
        return Markup("").join([*parts, escape(text[last:])])


def _term(found: str) -> str:
    """Return the term of a word as it was found."""
    by_lower = {term.lower(): term for term in TERMS}
    lower = found.lower()
    return by_lower[lower] if lower in by_lower else by_lower[lower.removesuffix("s")]


def glossary_section() -> Section:
    """Return all terms as a list: what hovering shows, for reading and for paper."""
    return Section(
        "glossary", "Glossary", "", (GlossaryList(tuple((term, meaning) for term, meaning in TERMS.items())),)
    )
