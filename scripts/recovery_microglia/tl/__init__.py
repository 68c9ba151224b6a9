"""Lineage, score, call and timeline for an AnnData that you have already, in the manner of scverse.

Three steps, each of which writes into the AnnData what the pipeline would have found in the same counts. They call the functions
that the pipeline's jobs call, with the same defaults, so that the answers are the same. What they need is what the pipeline
needs: raw counts of all cells, control animals, and who is which animal on which day. What later steps need stays in
``adata.uns["recovery_microglia"]``, so that the AnnData can be saved in between.

Examples
--------
A simulated study of nine animals, with an analyst's own names for its columns and conditions:

>>> import recovery_microglia as rm
>>> adata = rm.tl.small_demo()
>>> further = {"sex": "sex", "chemistry": "kit", "batch": "run"}
>>> sni = {"SNI": "injured"}
>>> rm.tl.lineage(adata, subject="animal", condition="group", day="dpi", further=further, conditions=sni)
>>> rm.tl.score(adata)
>>> rm.tl.timeline(adata)

Each cell has its call, each animal its share, each day its test:

>>> microglia = adata.obs[adata.obs["lineage"] == "microglia"]
>>> bool((microglia["recovery_call"] == "yes").groupby(microglia["group"]).mean().idxmax() == "SNI")
True
>>> shares = rm.tl.table(adata, "fractions")
>>> shares = shares[(shares["route"] == "score") & (shares["denominator"] == "microglia")]
>>> len(shares)
9
>>> rm.tl.answer(adata)["status"]
'tested'
>>> rm.tl.answer(adata)["headline"].partition(" (")[0]
'Recovery microglia rise above control by day 14, the first day sampled'
"""

from recovery_microglia.tl.demo import small_demo
from recovery_microglia.tl.steps import answer, lineage, score, table, tables, timeline

__all__ = ["answer", "lineage", "score", "small_demo", "table", "tables", "timeline"]
