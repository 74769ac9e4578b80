"""How a row of a form is coded: ``III.23``, and the hundredth row of a part ``VII.100``.

Belongs here: the pattern that everything naming rows is made of. Does not belong here: which rows a form has
(``forms``). Rules and contracts are data and spell it out; a test holds them to it.
"""

ROW_CODE = r"[IVX]+\.[0-9]{2,}"
#: A row, or an auxiliary figure that is declared beside the rows (``AUX.01``).
FIGURE_CODE = r"(?:[IVX]+|AUX)\.[0-9]{2,}"
