"""Vietnamese text as offices write it: spellings of one word, marks in every encoding, folding for comparison.

Belongs here: what is known of the language and of the fonts it was typed in. Does not belong here: files, cells,
contracts. Begin with ``vietnamese``.
"""
