# What `snakemake --cores 8` runs. The table of contents is workflow/Snakefile.
include: "workflow/Snakefile"


# A Snakefile that only includes has no first rule of its own and would do nothing.
rule default:
    default_target: True
    input:
        rules.all.input,
    localrule: True
    message:
        "All that was asked for is there"
