"""The model manifest: the single subject that every statement is about.

`model.sha256` is what `find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum` prints, so that
`sha256sum -c` checks a model without us, and its own SHA-256 is the in-toto directory hash.
"""
