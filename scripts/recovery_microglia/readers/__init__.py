"""Any layout of a count matrix → AnnData of raw counts.

``any_layout.read_counts`` recognises the layout by what is there, not by names alone: folders and h5 of Cell Ranger, CellBender, STARsolo,
kb-python, alevin-fry, split-pipe, PIPseeker and BD Rhapsody (with GEO's prefixes, packed or not), MatrixMarket with plain lists, dense
text, AnnData, MuData, loom, zarr, and tar or zip archives of these. ``split.split_counts`` takes a file of several libraries apart without
holding it. Nothing is imported here: a run's start reads names of files only, and need not wait for anndata.
"""
