"""What a page cites, as a list and as BibTeX."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A paper.

    Attributes
    ----------
    key
        Key in BibTeX.
    authors
        Surname and initials, separated by commas; ``et al.`` may stand last.
    title, journal, year, volume, pages, doi
        As published; what does not apply is empty.
    url
        Where it is found, if not by its DOI.
    """

    key: str
    authors: str
    title: str
    journal: str
    year: int
    volume: str = ""
    pages: str = ""
    doi: str = ""
    url: str = ""

    @property
    def text(self) -> str:
        """The reference as a line of a list."""
        where = f"{self.journal} {self.year}" + (f";{self.volume}" if self.volume else "")
        where += f":{self.pages}" if self.pages else ""
        return f"{self.authors.rstrip('.')}. {self.title}. {where}."

    @property
    def address(self) -> str:
        """Where it is found."""
        return self.url or (f"https://doi.org/{self.doi}" if self.doi else "")

    @property
    def bibtex(self) -> str:
        """The reference as an entry of a BibTeX file."""
        names = [_name(author) for author in self.authors.replace(" et al.", ", others").split(", ")]
        fields = {"author": " and ".join(names), "title": f"{{{self.title}}}", "journal": self.journal}
        fields |= {
            "year": str(self.year),
            "volume": self.volume,
            "pages": self.pages.replace("–", "--"),
            "doi": self.doi,
        }
        lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
        return f"@article{{{self.key},\n" + ",\n".join(lines) + "\n}"


def _name(author: str) -> str:
    """Return a name as BibTeX sorts it: ``Lun, A. T. L.`` of ``Lun ATL``."""
    found = re.fullmatch(r"(.+) ([A-Z]+)", author)
    return f"{found[1]}, {' '.join(f'{letter}.' for letter in found[2])}" if found else author


KOHNO = Reference(
    "kohno2022",
    "Kohno K, Shirasaka R, Yoshihara K, Mikuriya S, Tanaka K, Takanami K, Inoue K, Sakamoto H, Ohkawa Y, Masuda T, Tsuda M",
    "A spinal microglia population involved in remitting and relapsing neuropathic pain",
    "Science", 2022, "376", "86–90", "10.1126/science.abf6805", "https://pubmed.ncbi.nlm.nih.gov/35357926/",
)  # fmt: skip
REFERENCES: dict[str, Reference] = {
    "emptydrops": Reference(
        "lun2019", "Lun ATL et al.",
        "EmptyDrops: distinguishing cells from empty droplets in droplet-based single-cell RNA sequencing data",
        "Genome Biology", 2019, "20", "63", "10.1186/s13059-019-1662-y"),
    "scrublet": Reference(
        "wolock2019", "Wolock SL, Lopez R, Klein AM",
        "Scrublet: computational identification of cell doublets in single-cell transcriptomic data",
        "Cell Systems", 2019, "8", "281–291", "10.1016/j.cels.2018.11.005"),
    "stress": Reference(
        "marsh2022", "Marsh SE et al.",
        "Dissection of artifactual and confounding glial signatures by single-cell sequencing of mouse and human brain",
        "Nature Neuroscience", 2022, "25", "306–316", "10.1038/s41593-022-01022-8"),
    "leiden": Reference(
        "traag2019", "Traag VA, Waltman L, van Eck NJ", "From Louvain to Leiden: guaranteeing well-connected communities",
        "Scientific Reports", 2019, "9", "5233", "10.1038/s41598-019-41695-z"),
    "stability": Reference(
        "hennig2007", "Hennig C", "Cluster-wise assessment of cluster stability",
        "Computational Statistics and Data Analysis", 2007, "52", "258–271", "10.1016/j.csda.2006.11.025"),
    "harmony": Reference(
        "korsunsky2019", "Korsunsky I et al.", "Fast, sensitive and accurate integration of single-cell data with Harmony",
        "Nature Methods", 2019, "16", "1289–1296", "10.1038/s41592-019-0619-0"),
    "umap": Reference(
        "mcinnes2018", "McInnes L, Healy J, Melville J",
        "UMAP: uniform manifold approximation and projection for dimension reduction",
        "arXiv", 2018, "", "1802.03426", "10.48550/arXiv.1802.03426"),
    "scanpy": Reference(
        "wolf2018", "Wolf FA, Angerer P, Theis FJ", "SCANPY: large-scale single-cell gene expression data analysis",
        "Genome Biology", 2018, "19", "15", "10.1186/s13059-017-1382-0"),
    "ucell": Reference(
        "andreatta2021", "Andreatta M, Carmona SJ", "UCell: robust and scalable single-cell gene signature scoring",
        "Computational and Structural Biotechnology Journal", 2021, "19", "3796–3798", "10.1016/j.csbj.2021.06.043"),
    "propeller": Reference(
        "phipson2022", "Phipson B et al.",
        "propeller: testing for differences in cell type proportions in single cell data",
        "Bioinformatics", 2022, "38", "4720–4726", "10.1093/bioinformatics/btac582"),
    "fdr": Reference(
        "benjamini1995", "Benjamini Y, Hochberg Y",
        "Controlling the false discovery rate: a practical and powerful approach to multiple testing",
        "Journal of the Royal Statistical Society B", 1995, "57", "289–300", "10.1111/j.2517-6161.1995.tb02031.x"),
    "snakemake": Reference(
        "molder2021", "Mölder F et al.", "Sustainable data analysis with Snakemake",
        "F1000Research", 2021, "10", "33", "10.12688/f1000research.29032.2"),
}  # fmt: skip
"""Key to paper."""
