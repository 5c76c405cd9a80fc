"""The commands of ``python -m bench``, a module each; none imports at its top what is heavy.

A measured step's peak of memory begins at what its parent had, so whoever starts one stays small.

Each module has ``HELP``; ``options(parser)``; ``measure(arguments)``, a JSON object, in which ``answers_equal`` or
``holds`` says whether what was compared agrees; ``report(result)``, text for a terminal; ``rows(result)``, its lines of
the table in docs/performance.md; and ``details(result)``, Markdown for below the table. ``--small`` and ``--keep`` have
no default there, so that they may stand before the command's name as well.
"""
