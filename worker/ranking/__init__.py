"""A period's tallies -> its answers. Pure: the same tallies give the same answers, whoever asks and whenever."""
