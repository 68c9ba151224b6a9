"""What kind of cell each cell of a library is, from its counts, without seeing other libraries.

A naive-Bayes gate that learns the library's own profiles:

1. *Seeds* (``markers``). For each lineage the counts of its marker genes are compared with what ambient RNA
   explains at the cell's depth. Cells with clear evidence for one lineage, from two of its genes at least,
   are seeds; a white blood cell must also show the genes that all of them share.
2. *Profiles* (``profiles``). The seeds' expression gives the lineage's profile in this library. It is shrunk
   towards a prior built from related cells and the marker genes, so that a lineage of two cells has one too.
3. *Posterior*. Each cell's counts under each profile (Poisson, damped) give the probability of each lineage;
   confident cells re-estimate the profiles.
4. *Mixtures*. A cell that two profiles, one of them myeloid, explain far better than one is a doublet that
   Scrublet missed; a little of another cell's RNA (ambient, engulfed) is no reason.

Genes that microglia raise or lose in any state (recovery, context, inflammatory, interferon, cycling, stress)
are taken out before anything is computed: a reactive microglia must not look like a macrophage because both
are activated. A single gene contributes a bounded amount of evidence only, and MHC-II genes a fifth of it.
"""

from recovery_microglia.library.lineage.gate import LineageCall, assign_lineage, can_judge, many_macrophages

__all__ = ["LineageCall", "assign_lineage", "can_judge", "many_macrophages"]
