"""An independent reckoning of the form, in plain Python, to hold the production figures against.

Belongs here: the methodology of the form's 211 rows, from canonical rows. Nothing here imports production code.
"""

from tests.oracle.form import Figure, Form, reckon

__all__ = ["Figure", "Form", "reckon"]
