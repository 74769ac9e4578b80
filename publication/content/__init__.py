"""What a release says, before it has a form: figures, notes, passports, and what changed since the last one.

Belongs here: values that every output reads. Does not belong here: documents and files (``tables``, ``letter``,
``page``). Begin with ``release_content``.
"""
