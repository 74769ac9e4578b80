"""What a release rests on: candidates, the pointer, stored contracts, and the one writer of Parquet and of CSV.

Belongs here: files whose bytes are bound by hashes, and who may move what. Does not belong here: what a release says.
Begin with ``candidate``.
"""
