"""Proven bounds of statistics from counts of cells: no estimate, and no value between is needed.

Of each cell the rows and their least and greatest value are known. Cells of one sample are disjoint
and ascend; those of two samples may overlap in any way, so that no bound rests on how cells were
drawn. Where every cell holds one value, low and high are equal up to rounding.
"""
